"""What the trajectories of a worker process share is made once, and the interpreter is warm before the first code."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.config import ExecutorSettings
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.rollout import shared
from r1ci_plugin.seed_policy import seed_policy_path


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


@pytest.mark.parametrize("files", ["config.json", "generation_config.json", "both", "neither"])
def test_engine_and_codec_end_a_response_at_the_same_tokens(files: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine

    policy = shutil.copytree(seed_policy_path(), tmp_path / "policy")
    tokenizer = transformers.AutoTokenizer.from_pretrained(policy)
    own, other, third = tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|endoftext|>"), 7
    _set_eos(policy / "config.json", [own, other] if files in ("config.json", "both") else own)
    if files in ("config.json", "neither"):
        (policy / "generation_config.json").unlink()
    else:
        _set_eos(policy / "generation_config.json", [own, third])
    engine = EmbeddedEngine(policy, max_model_len=64, max_num_seqs=1, threads=1)
    engine.close()
    ends = shared.codec_for(tokenizer, lambda: str(policy)).eos_ids
    more = {"config.json": {other}, "generation_config.json": {third}, "both": {other, third}, "neither": set()}
    assert engine._batcher._eos == ends == {own, *more[files]}


def _set_eos(file: Path, eos: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), "eos_token_id": eos}))
