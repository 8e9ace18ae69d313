"""Two contenders on the same questions: differences with intervals, and a permutation test.

Only questions that both have answered count, each with the mean of its answers. Left out: formulas (`statistics.py`),
how a comparison looks (`layouts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from r1ci_plugin.evaluation.scores import Scores
from r1ci_plugin.evaluation.statistics import (
    Floats,
    holm,
    macro,
    macro_interval,
    resampled_means,
    sign_flip_p,
)
from r1ci_plugin.evaluation.tables import Kind, TaskFacts, groups


class NothingInCommon(ValueError):
    """Two runs share no judged question."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a comparison: `b` against `a`."""

    kind: Kind
    name: str
    questions: int
    """Answered by both."""
    a: float
    b: float
    """Accuracies on these questions."""
    low: float | None
    """Ends of the interval of b - a; None where all differences of a task agree, so that none can be estimated."""
    high: float | None
    p: float
    """Of the permutation test."""
    p_adjusted: float
    """For a task: adjusted for the number of tasks (Holm); else equal to p."""

    @property
    def difference(self) -> float:
        return self.b - self.a


@dataclass(frozen=True, slots=True)
class Comparison:
    """All lines, and what was left out."""

    differences: list[Difference]
    only_a: int
    """Questions that b has not answered."""
    only_b: int

    @property
    def overall(self) -> Difference:
        return self.differences[-1]

    def to_dict(self) -> dict[str, Any]:
        lines = [{**asdict(line), "difference": line.difference} for line in self.differences]
        return {"differences": lines, "only_a": self.only_a, "only_b": self.only_b}


def compare(a: Scores, b: Scores, level: float = 0.95) -> Comparison:
    """Tasks, suites, capabilities, and last overall. Raises NothingInCommon."""
    pairs = _paired(a, b)
    if not pairs:
        raise NothingInCommon("the two have no judged question in common: compare runs of the same tasks and seeds")
    deltas = {name: rates_b - rates_a for name, (rates_a, rates_b) in pairs.items()}
    means = {name: resampled_means(name, one) for name, one in deltas.items()}
    p_values = {name: sign_flip_p({name: one}) for name, one in deltas.items()}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    lines = [_line("task", name, {name: pairs[name]}, means, level, p_values[name], adjusted[name]) for name in pairs]
    for kind, name, members in groups({name: TaskFacts.of(name) for name in pairs}):
        p = sign_flip_p({member: deltas[member] for member in members})
        lines.append(_line(kind, name, {member: pairs[member] for member in members}, means, level, p, p))
    shared = sum(len(one) for one in deltas.values())
    return Comparison(lines, _questions(a) - shared, _questions(b) - shared)


def _line(
    kind: Kind,
    name: str,
    pairs: Mapping[str, tuple[Floats, Floats]],
    means: Mapping[str, Floats],
    level: float,
    p: float,
    p_adjusted: float,
) -> Difference:
    first = {task: pair[0] for task, pair in pairs.items()}
    second = {task: pair[1] for task, pair in pairs.items()}
    deltas = {task: second[task] - first[task] for task in pairs}
    draws = [means[task] for task in pairs]
    varies = any(np.ptp(one) > 0 for one in draws)
    low, high = macro_interval(draws, level, -1.0, 1.0) if varies else (None, None)
    questions = sum(len(one) for one in deltas.values())
    return Difference(kind, name, questions, macro(first), macro(second), low, high, p, p_adjusted)


def _paired(a: Scores, b: Scores) -> dict[str, tuple[Floats, Floats]]:
    """The rates of the questions both have, in the order of `a`, by task."""
    found = {}
    for name, first in a.tasks.items():
        if (second := b.tasks.get(name)) is None:
            continue
        places = {question: place for place, question in enumerate(second.questions)}
        shared = [(i, places[question]) for i, question in enumerate(first.questions) if question in places]
        if shared:
            mine, theirs = map(list, zip(*shared, strict=True))
            found[name] = (first.rates[mine], second.rates[theirs])
    return found


def _questions(scores: Scores) -> int:
    return sum(len(one.questions) for one in scores.tasks.values())
