"""Judges stored trajectories anew, with today's verifiers.

Whoever changes a verifier sees which verdicts that changes, without a policy or an interpreter. Left out: judging
(`reward/pool.py`), files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from r1ci_plugin.evaluation import external
from r1ci_plugin.record import Record
from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.tasks import UnknownTask, Verdict, get_task


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that is another one today."""

    record: Record
    """With the stored verdict."""
    today: Verdict

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        stored = self.record.verdict
        return {
            "key": self.record.key,
            "task": self.record.question.task,
            "answer": self.record.trajectory.answer,
            "stored": {"outcome": stored.outcome, "reason": stored.reason} if stored else None,
            "today": {"outcome": self.today.outcome, "reason": self.today.reason},
        }


@dataclass(frozen=True, slots=True)
class Reverified:
    """All records with today's verdicts, in the given order, and those that changed."""

    records: list[Record]
    changes: list[Change]
    judged: int
    """The others were lost, hold no answer, or are of a task this installation does not have."""


async def reverify(
    records: Sequence[Record], pool: VerifierPool, on_verdict: Callable[[], None] = lambda: None
) -> Reverified:
    """Judge every answer. A verdict has changed if its outcome or partial credit has; a new wording is none. Raises
    PoolBroken.
    """

    async def judged(record: Record) -> Verdict | None:
        verdict = await pool.verify(record.question, record.trajectory.answer or "") if _has_answer(record) else None
        on_verdict()
        return verdict

    verdicts = await asyncio.gather(*map(judged, records))
    pairs = list(zip(records, verdicts, strict=True))
    changes = [Change(record, today) for record, today in pairs if today and _differ(record.verdict, today)]
    changed = {change.record.key: change.today for change in changes}
    return Reverified(
        records=[replace(record, verdict=changed.get(record.key, record.verdict)) for record in records],
        changes=changes,
        judged=sum(verdict is not None for verdict in verdicts),
    )


PRELOAD = (external.PRELOAD,)
"""For the pool that re-judges; importing the module has made the same tasks known here."""


def _has_answer(record: Record) -> bool:
    if record.is_lost or record.trajectory.answer is None:
        return False
    try:
        get_task(record.question.task)
    except UnknownTask:
        return False
    return True


def _differ(stored: Verdict | None, today: Verdict) -> bool:
    return stored is None or (stored.outcome, stored.graded) != (today.outcome, today.graded)
