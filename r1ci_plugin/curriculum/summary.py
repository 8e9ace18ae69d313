"""What a measurement says in short: pass rate, potential and groups by task, by suite and over all. Pure.

Left out: printing (`cli/potential.py`), drawing (`picture.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from r1ci_plugin.curriculum.manifest import Entry, Manifest

BINS = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """A task, a suite, or everything."""

    name: str
    is_suite: bool
    questions: int
    answers: int
    pass_rate: float
    """Mean over questions."""
    potential: float
    """Mean over questions."""
    half_width: float
    """Half the width of the 95 % interval of a question's potential, mean over questions."""
    groups: dict[int, int]
    """Questions by group."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def summaries(measured: Manifest) -> list[Summary]:
    """Tasks in the order of their names, then suites, then `all`."""
    by_name: dict[str, list[Entry]] = {}
    for entry in measured.entries:
        by_name.setdefault(entry.task, []).append(entry)
    suites: dict[str, list[Entry]] = {}
    for task, entries in sorted(by_name.items()):
        suites.setdefault(task.partition("/")[0], []).extend(entries)
    return [
        *(_summary(task, False, entries) for task, entries in sorted(by_name.items())),
        *(_summary(suite, True, entries) for suite, entries in suites.items()),
        _summary("all", True, measured.entries),
    ]


def bins(measured: Manifest) -> list[tuple[float, float, int]]:
    """(from, to, questions) of equal bins of potential; the last one holds 1 itself."""
    counts = Counter(min(BINS - 1, int(entry.potential * BINS + 1e-9)) for entry in measured.entries)
    return [(number / BINS, (number + 1) / BINS, counts[number]) for number in range(BINS)]


def _summary(name: str, is_suite: bool, entries: Sequence[Entry]) -> Summary:
    count = len(entries)
    return Summary(
        name,
        is_suite,
        count,
        sum(entry.n for entry in entries),
        sum(entry.p for entry in entries) / count,
        sum(entry.potential for entry in entries) / count,
        sum(entry.potential_high - entry.potential_low for entry in entries) / count / 2,
        dict(sorted(Counter(entry.group for entry in entries).items())),
    )
