"""How questions moved between the groups of two manifests. Pure."""

from __future__ import annotations

from collections import Counter

from r1ci_plugin.curriculum.manifest import Manifest

ABSENT = "absent"
"""Row or column of questions that one of the manifests does not have."""

Flow = dict[tuple[str, str], int]


def flow(old: Manifest, new: Manifest) -> Flow:
    """How many questions went from each group of `old` (first) to each group of `new` (second)."""
    names = sorted(old.by_id.keys() | new.by_id.keys())
    return dict(Counter((_group(old, name), _group(new, name)) for name in names))


def labels(moved: Flow) -> tuple[list[str], list[str]]:
    """The rows and columns of a flow, groups in order, `absent` last."""
    rows, columns = ({pair[side] for pair in moved} for side in (0, 1))
    return sorted(rows, key=_place), sorted(columns, key=_place)


def stayed(moved: Flow) -> float:
    """Share of the questions of both manifests that kept their group."""
    both = {pair: count for pair, count in moved.items() if ABSENT not in pair}
    return sum(count for (old, new), count in both.items() if old == new) / max(1, sum(both.values()))


def _group(manifest: Manifest, name: str) -> str:
    entry = manifest.by_id.get(name)
    return ABSENT if entry is None else str(entry.group)


def _place(label: str) -> tuple[bool, int]:
    return (label == ABSENT, 0 if label == ABSENT else int(label))
