"""The judged answers of one contender as arrays: for every task, how many answers each question has and how many right.

A *contender* is what answered in one way: one policy, agent, form and temperature. A run may hold several; nothing is
ever pooled over them. Lost trajectories are counted and are in no rate. Left out: files (`journal.py`), the statistics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import fsum

import numpy as np

from r1ci_plugin.evaluation.statistics import Floats, macro
from r1ci_plugin.record import Record
from r1ci_plugin.tasks import Question

EFFORT = ("turns", "calls", "sampled_tokens", "prompt_tokens", "wall_s", "cost")
"""What an answer took: turns, code calls, tokens, seconds, and cost in the currency of the prices given."""


@dataclass(frozen=True, slots=True)
class TaskScores:
    """One task. Arrays are by question, Q long."""

    questions: tuple[str, ...]
    """Question ids, sorted, so that nothing depends on the order of the records."""
    answers: Floats
    """Judged answers of a question, at least 1."""
    right: Floats
    effort: dict[str, float]
    """Sums over the judged answers, by the names of EFFORT."""

    @property
    def rates(self) -> Floats:
        """Share of right answers of every question."""
        found: Floats = self.right / self.answers
        return found


@dataclass(slots=True)
class Scores:
    """All tasks of one contender, by name, and the trajectories that were lost, by task."""

    tasks: dict[str, TaskScores] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """Macro over tasks; NaN without any."""
        return macro({name: one.rates for name, one in self.tasks.items()})


def scores_of(records: Iterable[Record]) -> Scores:
    """The scores of one contender's records; tasks in alphabetical order."""
    counts: dict[str, dict[str, list[float]]] = {}
    effort: dict[str, dict[str, list[float]]] = {}
    lost: dict[str, int] = {}
    for record in records:
        task = task_name(record.question)
        if record.is_lost:
            lost[task] = lost.get(task, 0) + 1
            continue
        question = counts.setdefault(task, {}).setdefault(record.question.question_id, [0.0, 0.0])
        question[0] += 1
        question[1] += record.acc
        spent = effort.setdefault(task, {name: [] for name in EFFORT})
        for name, value in _effort(record).items():
            spent[name].append(value)
    tasks = {task: _task_scores(counts[task], effort[task]) for task in sorted(counts)}
    return Scores(tasks, dict(sorted(lost.items())))


def contenders(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of every contender, under the shortest name that tells them apart: the agent, and where these differ
    for one run the policy, form and temperature.
    """
    varies = [len({part[place] for part in map(_parts, records)}) > 1 for place in range(4)]
    found: dict[str, list[Record]] = {}
    for record in records:
        parts = [part for part, differs in zip(_parts(record), (True, *varies[1:]), strict=True) if differs]
        found.setdefault(" ".join(filter(None, parts)), []).append(record)
    return found


def task_name(question: Question) -> str:
    """The task in tables: for a question from a user's file the set it comes from, not the kind of its answer."""
    if question.task.startswith("external/"):
        return f"external/{question.payload.get('set', 'external')}"
    return question.task


def _parts(record: Record) -> tuple[str, str, str, str]:
    temperature = "" if record.temperature is None else f"t={record.temperature:g}"
    return record.agent, record.policy, record.form, temperature


def _task_scores(counts: dict[str, list[float]], effort: dict[str, list[float]]) -> TaskScores:
    questions = tuple(sorted(counts))
    table = np.array([counts[question] for question in questions])
    # fsum: the same sum in any order
    return TaskScores(questions, table[:, 0], table[:, 1], {name: fsum(values) for name, values in effort.items()})


def _effort(record: Record) -> dict[str, float]:
    trajectory, usage = record.trajectory, record.usage
    ids = sum(len(turn.ids) for turn in trajectory.turns) if trajectory.transport == "tokens" else 0
    return {
        "turns": len(trajectory.turns),
        "calls": len(trajectory.calls),
        "sampled_tokens": usage.sampled_tokens or ids,  # records of training carry no usage, but ids
        "prompt_tokens": usage.prompt_tokens,
        "wall_s": record.wall_s,
        "cost": usage.cost,
    }
