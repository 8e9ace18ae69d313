"""The statistics of one contender, row by row: every task, suite and capability, and overall.

Rows of more than one task are macro: each task weighs the same. Numbers depend on the records alone, not on their order
or on the machine. Left out: formulas (`statistics.py`), how a row looks (`sheet.py`, `layouts.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from r1ci_plugin.evaluation.scores import EFFORT, Scores, TaskScores
from r1ci_plugin.evaluation.statistics import (
    Floats,
    macro,
    macro_interval,
    pass_at_k,
    resampled_accuracies,
    task_interval,
)
from r1ci_plugin.tasks import UnknownTask, get_task

Kind = Literal["task", "suite", "capability", "overall"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    kind: Kind
    name: str
    tasks: int
    questions: int
    answers: int
    """Judged ones."""
    lost: int
    """Trajectories lost to the infrastructure, in none of the rates."""
    accuracy: float
    low: float
    """Ends of the interval of the accuracy, 95 % unless another level was asked for."""
    high: float
    pass_at: dict[int, float]
    """pass@k by k; left out where a task has no question with k answers."""
    chance: float
    """What the best blind guess earns: 0 where that is below 0.05. For several tasks, the mean."""
    effort: dict[str, float]
    """Means of an answer, by the names of EFFORT."""
    total_cost: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, flat, as a line of CSV wants it."""
        names = ("kind", "name", "tasks", "questions", "answers", "lost", "accuracy", "low", "high")
        return {
            **{name: getattr(self, name) for name in names},
            **{f"pass@{k}": value for k, value in self.pass_at.items()},
            "chance": self.chance,
            **self.effort,
            "total_cost": self.total_cost,
        }


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the rows need to know of a task; nothing of it where the task is not one of ours."""

    capabilities: tuple[str, ...] = ()
    chance: float = 0.0

    @classmethod
    def of(cls, name: str) -> TaskFacts:
        try:
            info = get_task(name).info
        except UnknownTask:
            return cls()
        return cls(info.capabilities, info.chance)


def rows_of(scores: Scores, level: float = 0.95) -> list[Row]:
    """Tasks in order, then suites, capabilities, overall; the groups only where there is more than one task."""
    draws = {name: resampled_accuracies(name, one.rates) for name, one in scores.tasks.items()}
    facts = {name: TaskFacts.of(name) for name in scores.tasks}
    ks = powers(max((int(one.answers.max()) for one in scores.tasks.values()), default=1))
    rows = [_row("task", name, [name], scores, draws, facts, ks, level) for name in scores.tasks]
    if len(rows) > 1:
        for kind, name, members in groups(facts):
            rows.append(_row(kind, name, members, scores, draws, facts, ks, level))
    return rows


def groups(facts: Mapping[str, TaskFacts]) -> Iterable[tuple[Kind, str, list[str]]]:
    """Kind, name and tasks of every suite and capability that has tasks, and of all tasks together."""
    for suite in dict.fromkeys(name.partition("/")[0] for name in facts):
        yield "suite", suite, [name for name in facts if name.partition("/")[0] == suite]
    for capability in sorted({capability for fact in facts.values() for capability in fact.capabilities}):
        yield "capability", capability, [name for name, fact in facts.items() if capability in fact.capabilities]
    yield "overall", "overall", list(facts)


def powers(most: int) -> list[int]:
    """The k of pass@k: 2, 4, 8, ... and the largest number of answers a question has. pass@1 is the accuracy."""
    return sorted({*(2**i for i in range(1, 20) if 2**i < most), *([most] if most > 1 else [])})


def _row(
    kind: Kind,
    name: str,
    members: Sequence[str],
    scores: Scores,
    draws: Mapping[str, Floats],
    facts: Mapping[str, TaskFacts],
    ks: Sequence[int],
    level: float,
) -> Row:
    found = {member: scores.tasks[member] for member in members}
    rates = {member: one.rates for member, one in found.items()}
    if len(members) == 1:
        [(only, one)] = found.items()
        low, high = task_interval(draws[only], one.rates, one.answers, level)
    else:
        low, high = macro_interval([draws[member] for member in members], level)
    return Row(
        kind,
        name,
        tasks=len(members),
        questions=sum(len(one.questions) for one in found.values()),
        answers=int(sum(one.answers.sum() for one in found.values())),
        lost=sum(scores.lost.get(member, 0) for member in members),
        accuracy=macro(rates),
        low=low,
        high=high,
        pass_at=_pass_at(found.values(), ks),
        chance=float(np.mean([facts[member].chance for member in members])),
        effort={key: float(np.mean([one.effort[key] / one.answers.sum() for one in found.values()])) for key in EFFORT},
        total_cost=sum(one.effort["cost"] for one in found.values()),
    )


def _pass_at(tasks: Iterable[TaskScores], ks: Sequence[int]) -> dict[int, float]:
    """Macro pass@k; questions with fewer than k answers are left out."""
    tasks = list(tasks)
    found = {}
    for k in ks:
        if all(one.answers.max() >= k for one in tasks):
            found[k] = float(np.mean([np.nanmean(pass_at_k(one.answers, one.right, k)) for one in tasks]))
    return found
