"""Counts of judged answers, and what is shown of them: rates with Wilson intervals, pooled by suite. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from r1ci_plugin.evaluation.statistics import wilson


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers judged and answers right; of them, those of trajectories that ran code."""

    n: int = 0
    right: int = 0
    coded: int = 0
    coded_right: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.n + other.n,
            self.right + other.right,
            self.coded + other.coded,
            self.coded_right + other.coded_right,
        )

    @classmethod
    def of(cls, right: bool, coded: bool) -> Tally:
        """One answer."""
        return cls(1, int(right), int(coded), int(right and coded))

    @property
    def acc(self) -> float:
        return self.right / self.n if self.n else 0.0

    @property
    def code_rate(self) -> float:
        return self.coded / self.n if self.n else 0.0

    @property
    def acc_with_code(self) -> float | None:
        """Of answers that ran code; None without any."""
        return self.coded_right / self.coded if self.coded else None

    @property
    def acc_without_code(self) -> float | None:
        worded = self.n - self.coded
        return (self.right - self.coded_right) / worded if worded else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, every answer taken as independent."""
        return wilson(self.right, self.n)


ByTask = Mapping[str, Tally]


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())


def by_suite(tallies: ByTask) -> dict[str, Tally]:
    """Pooled by the part of the task's name before the slash, sorted."""
    found: dict[str, Tally] = {}
    for task, tally in tallies.items():
        suite = task.partition("/")[0]
        found[suite] = found.get(suite, Tally()) + tally
    return dict(sorted(found.items()))


def macro(tallies: ByTask) -> float:
    """Mean over tasks of their accuracy, as in the paper; 0.0 without tasks."""
    return sum(tally.acc for tally in tallies.values()) / max(1, len(tallies))
