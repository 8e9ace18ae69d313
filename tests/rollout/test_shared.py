"""What the trajectories of a worker process share is made once, and the interpreter is warm before the first code."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from r1ci_plugin.config import ExecutorSettings
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.rollout import shared


class CountingExecutor(Executor):
    def __init__(self, failure: Exception | None = None) -> None:
        self.starts, self.failure = 0, failure

    async def start(self) -> None:
        self.starts += 1
        if self.failure:
            raise self.failure

    async def run(self, code: str, **_: Any) -> ExecResult:
        return ExecResult("ok")


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> CountingExecutor:
    made = CountingExecutor()
    monkeypatch.setattr(shared, "_executors", {})
    monkeypatch.setattr(shared, "make_executor", lambda settings: made)
    return made


async def test_the_executor_starts_once_with_the_first_trajectory_and_not_with_its_first_code(
    executor: CountingExecutor,
) -> None:
    assert shared.executor_for(ExecutorSettings()) is shared.executor_for(ExecutorSettings()) is executor
    await asyncio.sleep(0)
    assert executor.starts == 1


async def test_an_executor_that_cannot_start_is_the_business_of_its_first_call(executor: CountingExecutor) -> None:
    executor.failure = OSError("no")
    shared.executor_for(ExecutorSettings())
    await asyncio.sleep(0)
    assert executor.starts == 1
    assert (await executor.run("1")).status == "ok"


def test_without_an_event_loop_the_executor_waits_for_its_first_use(executor: CountingExecutor) -> None:
    assert shared.executor_for(ExecutorSettings()) is executor
    assert executor.starts == 0
