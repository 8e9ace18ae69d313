"""Measuring pass rates: rounds of one answer from each agent to each question, no more of them than needed.

Every round asks every agent once, at the next temperature of the list, so that stopping early cannot bias the mixture
(method: N = 20 answers a question, 4 agents by 5 samples). With `adaptive` a question's rounds end as soon as the
answers so far settle its potential group (`curriculum/adaptive.py`). Questions run beside each other. Left out: what
the counts mean (`curriculum/`), asking (`runner.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from r1ci_plugin.curriculum.adaptive import decided
from r1ci_plugin.evaluation.runner import Job, Runner, all_of
from r1ci_plugin.record import Record
from r1ci_plugin.tasks import Question


@dataclass(frozen=True, slots=True)
class Rounds:
    """How a question is measured."""

    agents: tuple[str, ...]
    samples: int
    """Answers of each agent, and so the most rounds."""
    temperatures: tuple[float, ...]
    """Round r asks at the r-th, counted round."""
    adaptive: bool = False

    @property
    def total(self) -> int:
        """Answers of a full measurement."""
        return len(self.agents) * self.samples

    def jobs(self, question: Question, number: int) -> list[Job]:
        """The answers of one round, counted from 0."""
        temperature = self.temperatures[number % len(self.temperatures)]
        return [Job(question, agent, number, temperature) for agent in self.agents]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement came to."""

    records: list[Record]
    saved: int
    """Answers that were not needed."""
    missing: int
    """Answers that were asked for and could not be had."""


async def measure(runner: Runner, questions: Sequence[Question], rounds: Rounds) -> Measured:
    """Measure every question. Raises what `Runner.answer` raises."""
    measured = await all_of(_measure_one(runner, question, rounds) for question in questions)
    return Measured(
        [record for one in measured for record in one.records],
        sum(one.saved for one in measured),
        sum(one.missing for one in measured),
    )


async def _measure_one(runner: Runner, question: Question, rounds: Rounds) -> Measured:
    records: list[Record] = []
    missing = 0
    for number in range(rounds.samples):
        answers = await all_of(runner.answer(job) for job in rounds.jobs(question, number))
        records += [record for record in answers if record is not None]
        missing += answers.count(None)
        if rounds.adaptive and _settled(records, rounds):
            return Measured(records, rounds.total - (number + 1) * len(rounds.agents), missing)
    return Measured(records, 0, missing)


def _settled(records: Sequence[Record], rounds: Rounds) -> bool:
    right = sum(int(record.acc) for record in records)
    return decided(right, len(records), rounds.total, round_size=len(rounds.agents)) is not None
