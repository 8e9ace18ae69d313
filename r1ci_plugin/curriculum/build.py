"""Building a manifest: from counts to groups, and cutting the groups of a manifest anew. Pure.

Held-out tasks and questions the policy was fine-tuned on are kept in the manifest in group 0, with the reason, so that
training on them is refused by the file itself and not by memory. Left out: files (`manifest.py`, `counts.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from r1ci_plugin.curriculum.adaptive import PAPER, TOTAL, cautious
from r1ci_plugin.curriculum.counts import Count, Pooled, pool
from r1ci_plugin.curriculum.groups import Grouping, equal_parts
from r1ci_plugin.curriculum.interval import INTERVALS
from r1ci_plugin.curriculum.manifest import LEFT_OUT, Entry, Manifest, ManifestError, make_manifest
from r1ci_plugin.curriculum.potential import improvement_potential, potential_interval
from r1ci_plugin.tasks import get_task

CONFIDENCE = 0.95
"""Of the intervals in the manifest."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How counts become groups."""

    grouping: Grouping = PAPER
    """The thresholds, and the form of potential."""
    parts: int | None = None
    """Cut into so many groups of equal size instead of by thresholds."""
    by: str = "potential"
    """What orders equal parts: a name of `ORDERS`."""
    seed: int = 0
    """Breaks ties between equal parts."""
    total: int = TOTAL
    """Answers that count as a full measurement; fewer go through their interval."""
    interval: str = "jeffreys"

    def __post_init__(self) -> None:
        for what, name, known in (("order", self.by, ORDERS), ("interval", self.interval, INTERVALS)):
            if name not in known:
                raise ValueError(f"unknown {what} {name!r}: one of {', '.join(known)}")
        if self.by != "potential" and self.parts is None:
            raise ValueError(f"groups by {self.by} are equal parts: say how many")

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the rule."""
        cut: dict[str, Any] = {"thresholds": list(self.grouping.thresholds)}
        if self.parts is not None:
            cut = {"equal_parts": self.parts, "by": self.by, "seed": self.seed}
        return {**cut, "potential": self.grouping.form, "full_measurement": self.total, "interval": self.interval}


def build_manifest(
    counts: Iterable[Count],
    rule: Rule | None = None,
    *,
    held_out: Collection[str] = (),
    seen: Collection[str] = (),
    chance_of: Callable[[str], float] | None = None,
) -> Manifest:
    """The manifest of measured questions.

    counts: of any agents and temperatures, which are pooled. held_out: tasks kept for the test. seen: question ids the
    policy was fine-tuned on. chance_of: chance level of a task (default: `TaskInfo.chance`). Raises ManifestError if
    nothing is left to train on.
    """
    rule = rule or Rule()
    chance_of = chance_of or task_chance
    entries = [
        _left_out(entry, held_out, seen)
        for entry in (_measured(pooled, rule, chance_of(pooled.task)) for pooled in pool(counts) if pooled.n)
    ]
    if not any(entry.group for entry in entries):
        raise ManifestError("no measured question is left to train on: all are held out or seen in fine-tuning")
    manifest = make_manifest(entries, rule.facts())
    return manifest if rule.parts is None else recut(manifest, rule.parts, rule.by, rule.seed)


def recut(manifest: Manifest, parts: int, by: str = "potential", seed: int = 0) -> Manifest:
    """The manifest with its questions cut into equal parts anew. Questions that are left out stay left out."""
    order = ORDERS[by]
    total = manifest.rule.get("full_measurement", TOTAL)
    values = {entry.question_id: order(entry, total) for entry in manifest.entries if entry.group != LEFT_OUT}
    groups = equal_parts(values, parts, seed)
    rule = {key: value for key, value in manifest.rule.items() if key != "thresholds"}
    return Manifest(
        tuple(replace(entry, group=groups.get(entry.question_id, LEFT_OUT)) for entry in manifest.entries),
        {**rule, "equal_parts": parts, "by": by, "seed": seed},
    )


def grouping_of(manifest: Manifest) -> Grouping:
    """The thresholds and the form of potential that made a manifest, the paper's where it does not say."""
    thresholds = manifest.rule.get("thresholds", PAPER.thresholds)
    return Grouping(tuple(thresholds), manifest.rule.get("potential", PAPER.form))


def _measured(pooled: Pooled, rule: Rule, chance: float) -> Entry:
    form = rule.grouping.form
    interval = INTERVALS[rule.interval](pooled.right, pooled.n, CONFIDENCE)
    low, high = potential_interval(interval, form, chance)
    return Entry(
        question_id=pooled.question_id,
        group=cautious(pooled.right, pooled.n, rule.total, grouping=rule.grouping, chance=chance),
        task=pooled.task,
        difficulty=pooled.difficulty,
        n=pooled.n,
        right=pooled.right,
        p=pooled.right / pooled.n,
        p_low=interval[0],
        p_high=interval[1],
        potential=improvement_potential(pooled.right, pooled.n, form, chance),
        potential_low=low,
        potential_high=high,
    )


def _left_out(entry: Entry, held_out: Collection[str], seen: Collection[str]) -> Entry:
    if entry.task in held_out:
        return replace(entry, group=LEFT_OUT, left_out="task held out for the test")
    if entry.question_id in seen:
        return replace(entry, group=LEFT_OUT, left_out="seen in fine-tuning")
    return entry


def _by_potential(entry: Entry, total: int) -> float:
    """Fewer answers than a full measurement count as little as their interval allows."""
    return entry.potential if entry.n >= total else entry.potential_low


def _by_pass_rate(entry: Entry, total: int) -> float:
    return entry.p


def _by_difficulty(entry: Entry, total: int) -> float:
    """Easy first: the level within the levels of its task, so that tasks can be compared."""
    return -entry.difficulty / get_task(entry.task).info.levels


ORDERS: dict[str, Callable[[Entry, int], float]] = {
    "potential": _by_potential,
    "pass_rate": _by_pass_rate,
    "difficulty": _by_difficulty,
}
"""What equal parts are ordered by, highest first: potential, or easy first by measured or by declared difficulty."""


@cache
def task_chance(task: str) -> float:
    """Chance level of an installed task."""
    return get_task(task).info.chance
