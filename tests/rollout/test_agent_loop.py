"""The agent loop: what reaches the engine, what comes back to verl, and that no failure of the infrastructure raises.
"""

from dataclasses import replace
from typing import Any

import pytest
from omegaconf import OmegaConf
from verl.experimental.agent_loop.agent_loop import DictConfigWrap
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl.workers.rollout.replica import TokenOutput

from r1ci_plugin.config import R1CISettings, RecordSettings
from r1ci_plugin.curriculum.records import RECORD_FIELD
from r1ci_plugin.data.row import make_row
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.protocol import STOP, render_prompt
from r1ci_plugin.record import Record
from r1ci_plugin.rollout import CodeInterpreterAgentLoop
from r1ci_plugin.seed_policy.tokenizer import build_tokenizer
from r1ci_plugin.tasks import get_task

TOKENIZER = build_tokenizer([["```python\nprint(1)\n```\n"] * 3, ["Code Execution Results:\n"]])
EOS = TOKENIZER.eos_token_id


class ScriptedEngine:
    """Stands for verl's server client: says the given texts one after the other and keeps what it was asked."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.requests: list[dict[str, Any]] = []

    async def generate(self, **request: Any) -> TokenOutput:
        self.requests.append(request)
        text = self._texts.pop(0)
        ids = TOKENIZER.encode(text) + ([] if text.endswith(STOP) else [EOS])
        step = len(self.requests)
        return TokenOutput(
            token_ids=ids,
            log_probs=[-0.5] * len(ids),
            stop_reason="completed",
            extra_fields={"min_global_steps": step, "max_global_steps": step},
        )


class FixedExecutor(Executor):
    def __init__(self, result: ExecResult) -> None:
        self.codes: list[str] = []
        self._result = result

    async def run(
        self, code: str, *, timeout: float = 10.0, memory_mb: int = 512, sample_key: str | None = None
    ) -> ExecResult:
        self.codes.append(code)
        return self._result


def loop_of(engine: ScriptedEngine, executor: Executor | None = None, **lengths: int) -> CodeInterpreterAgentLoop:
    rollout = {"prompt_length": 2000, "response_length": 1000, "max_model_len": None, **lengths}
    config = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout, "model": {"path": "/nowhere"}}})
    loop = CodeInterpreterAgentLoop(
        trainer_config=DictConfigWrap(config),
        server_manager=engine,
        tokenizer=TOKENIZER,
        processor=None,
        dataset_cls=RLHFDataset,
        data_config=DictConfigWrap(OmegaConf.create({})),
    )
    if executor is not None:
        loop.executor = executor
    return loop


async def run(loop: CodeInterpreterAgentLoop, question: str = "1+1?", **row: Any) -> list[Any]:
    messages = [{"role": "user", "content": render_prompt(question)}]
    return await loop.run({"temperature": 1.0}, raw_prompt=messages, uid="u", **row)


async def test_code_runs_and_its_result_is_masked() -> None:
    executor = FixedExecutor(ExecResult("ok", stdout="2\n", isolation="ns"))
    (output,) = await run(loop_of(ScriptedEngine("```python\nprint(1+1)\n```\n", "It is <<<2>>>"), executor))
    assert executor.codes == ["print(1+1)\n"]
    masked = [token for token, bit in zip(output.response_ids, output.response_mask, strict=True) if not bit]
    assert TOKENIZER.decode(masked) == "Code Execution Results:\n2\n\n"
    assert len(output.response_logprobs) == len(output.response_ids)
    assert all(
        (value == 0.0) == (bit == 0) for value, bit in zip(output.response_logprobs, output.response_mask, strict=True)
    )
    assert output.response_ids[-1] == EOS
    assert output.extra_fields["r1ci_answer"] == "2"
    assert output.extra_fields["r1ci_facts"]["well_formed"] == 1.0
    assert output.extra_fields["r1ci_isolation"] == "ns"


async def test_every_turn_continues_the_same_tokens_under_one_request_id() -> None:
    engine = ScriptedEngine("```python\nprint(1)\n```\n", "<<<1>>>")
    (output,) = await run(loop_of(engine, FixedExecutor(ExecResult("ok", stdout="1\n"))))
    first, second = engine.requests
    sampled = TOKENIZER.encode("```python\nprint(1)\n```\n")
    assert first["prompt_ids"] == output.prompt_ids
    assert second["prompt_ids"][: len(first["prompt_ids"]) + len(sampled)] == [*first["prompt_ids"], *sampled]
    assert first["request_id"] == second["request_id"]


async def test_the_engine_is_told_where_a_turn_ends() -> None:
    engine = ScriptedEngine("<<<1>>>")
    await run(loop_of(engine, response_length=77))
    parameters = engine.requests[0]["sampling_params"]
    assert parameters["stop"] == [STOP] and parameters["include_stop_str_in_output"] is True
    assert parameters["stop_token_ids"] == [EOS] and parameters["max_tokens"] == 77 and parameters["temperature"] == 1.0


async def test_a_failed_executor_drops_the_trajectory_and_does_not_raise() -> None:
    executor = FixedExecutor(ExecResult("sandbox_error", reason="the host died"))
    assert await run(loop_of(ScriptedEngine("```python\nprint(1)\n```\n"), executor)) == []


async def test_the_staleness_of_all_turns_is_reported() -> None:
    engine = ScriptedEngine("```python\nprint(1)\n```\n", "<<<1>>>")
    (output,) = await run(loop_of(engine, FixedExecutor(ExecResult("ok"))))
    assert (output.extra_fields["min_global_steps"], output.extra_fields["max_global_steps"]) == (1, 2)


async def test_a_control_token_spelled_in_the_question_stays_text() -> None:
    (output,) = await run(loop_of(ScriptedEngine("<<<1>>>")), question="What does <|im_end|> mean?")
    assert output.prompt_ids.count(EOS) == 1  # the template's own


@pytest.mark.parametrize("share", [0.0, 1.0])
async def test_the_record_of_a_kept_question_travels_beside_the_output(share: float) -> None:
    question = get_task("symbench/number_multiply").make(3, 1)
    loop = loop_of(ScriptedEngine("It is <<<2>>>"))
    loop.settings = R1CISettings(records=RecordSettings(share=share))
    (output,) = await run(loop, question.prompt, session_id=4, **make_row(question, "train", 0))
    assert (RECORD_FIELD in output.extra_fields) == (share == 1.0)
    if share:
        record = Record.from_dict({"key": "k", **output.extra_fields[RECORD_FIELD]})
        assert record.question == question and record.sample == 4 and record.temperature == 1.0
        assert record.trajectory.response_ids == output.response_ids
        assert record.usage.sampled_tokens == len(output.response_ids) and record.is_lost  # not judged yet


@pytest.mark.parametrize("row", [{}, {"reward_model": None}, {"reward_model": {"ground_truth": "42"}}])
async def test_a_row_with_a_ground_truth_of_its_own_has_no_record(row: dict[str, Any]) -> None:
    loop = loop_of(ScriptedEngine("It is <<<2>>>"))
    loop.settings = R1CISettings(records=RecordSettings(share=1.0))
    (output,) = await run(loop, extra_info={"question_id": "mine"}, **row)
    assert RECORD_FIELD not in output.extra_fields


async def test_an_overlong_prompt_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(ValueError, match="filter_overlong_prompts"):
        await run(loop_of(ScriptedEngine("<<<1>>>"), prompt_length=8))


async def test_results_are_trained_on_only_where_an_ablation_asks_for_it() -> None:
    engine = ScriptedEngine("```python\nprint(1)\n```\n", "<<<1>>>")
    loop = loop_of(engine, FixedExecutor(ExecResult("ok", stdout="1\n")))
    loop.settings = replace(loop.settings, interaction=replace(loop.settings.interaction, train_on_results=True))
    (output,) = await run(loop)
    assert output.response_mask == [1] * len(output.response_ids)
    assert 0.0 in output.response_logprobs  # the engine never sampled the result
