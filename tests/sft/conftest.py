"""Trajectories of the scripted teacher, got as `r1ci sft synthesize` gets them: every task in every form it has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from r1ci_plugin.config import ExecutorSettings
from r1ci_plugin.evaluation.answering import Setup, open_runner
from r1ci_plugin.record import Record
from r1ci_plugin.sft.scripts import SCRIPTS
from r1ci_plugin.sft.synthesize import ScriptedPolicy, jobs_for, scripted_forms


async def _synthesize(folder: Path) -> list[Record]:
    tasks = sorted(SCRIPTS)
    jobs = jobs_for(tasks, 4, scripted_forms(tasks), levels=(1, 2))
    setup = Setup(lambda: ScriptedPolicy(jobs), executor=ExecutorSettings(slots=2), concurrency=8)
    async with open_runner(setup, folder, {}, [jobs[0].question]) as runner:
        records = await runner.answer_all(jobs)
    assert len(records) == len(jobs), runner.tally
    return records


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    return asyncio.run(_synthesize(tmp_path_factory.mktemp("synthesis") / "run"))
