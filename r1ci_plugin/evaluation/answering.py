"""Opens everything a run of answers needs, in the right order, and closes it again: folder, pool, executor, policy.

    async with open_runner(setup, folder, settings) as runner:
        records = await runner.answer_all(jobs)

Before the first answer the pool proves that it judges right: it solves and judges one of the run's own questions of
every task. Left out: command line options (`cli/answering.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from r1ci_plugin.config import ExecutorSettings, Limits
from r1ci_plugin.evaluation.agents import Context
from r1ci_plugin.evaluation.external import PRELOAD
from r1ci_plugin.evaluation.policies import Policy, Sampling
from r1ci_plugin.evaluation.run_folder import open_run
from r1ci_plugin.evaluation.runner import Budget, Runner
from r1ci_plugin.interpreter.settings import make_executor
from r1ci_plugin.record import Record
from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.tasks import Question


@dataclass(frozen=True, slots=True)
class Setup:
    """How answers are got."""

    make_policy: Callable[[], Policy]
    sampling: Sampling = field(default_factory=Sampling)
    limits: Limits = field(default_factory=Limits)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)
    concurrency: int = 16
    verifier_workers: int = 2
    budget: Budget | None = None


@asynccontextmanager
async def open_runner(
    setup: Setup,
    folder: Path,
    settings: Mapping[str, Any],
    questions: Sequence[Question],
    on_record: Callable[[Record, bool], None] | None = None,
) -> AsyncIterator[Runner]:
    """A runner over the journal of `folder`, which is claimed for `settings`.

    Raises OtherRun, JournalInUse, PolicyError, SelfTestFailed, PoolBroken, and IsolationUnavailable.
    """
    tasks = {question.task: question for question in questions}
    with open_run(folder, settings) as journal:
        async with (
            setup.make_policy() as policy,
            make_executor(setup.executor) as executor,
            VerifierPool(setup.verifier_workers, warm=sorted(tasks), preload=[PRELOAD]) as pool,
        ):
            await pool.self_test(tasks.values())
            context = Context(policy, executor, setup.limits, setup.sampling)
            yield Runner(
                context, pool, journal, concurrency=setup.concurrency, budget=setup.budget, on_record=on_record
            )
