"""The reward manager judges the agent loop's answer, never the decoded response, and gives every sample the same keys.
"""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf
from verl.trainer.ppo.metric_utils import process_validation_metrics

from r1ci_plugin.codec import TextCodec
from r1ci_plugin.config import Limits, RewardWeights
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.reward.manager import EXTRA_KEYS, TEXT_KEYS, R1CIRewardManager, reward_of
from r1ci_plugin.tasks import Verdict, get_task
from r1ci_plugin.trajectory import Interaction, Trajectory

QUESTION = get_task("symbench/number_multiply").make(3, 1)
RIGHT = get_task("symbench/number_multiply").solve(QUESTION)


def trajectory_of(*turns: str, printed: str = "") -> Trajectory:
    codec = TextCodec()
    interaction = Interaction(codec, codec.encode("?"), Limits(), response_tokens=5000)
    interaction.start()
    for text in turns:
        ids = codec.encode(text)
        interaction.sampled(ids, [0.0] * len(ids))
        if interaction.trajectory.turns[-1].call is not None:
            interaction.executed(ExecResult("ok", stdout=printed))
    return interaction.trajectory


def row_of(trajectory: Trajectory) -> Any:
    """What verl's DataProto looks like to `run_single`: indexing gives an item with `non_tensor_batch`."""
    row = {
        "reward_model": {"style": "rule", "ground_truth": json.dumps(QUESTION.to_dict())},
        "tool_extra_fields": {"r1ci_answer": trajectory.answer, "r1ci_facts": trajectory.facts()},
        "responses_as_text": np.array(["<<<0>>>"]),
    }
    return {-1: SimpleNamespace(non_tensor_batch=row)}


async def judged(trajectory: Trajectory) -> dict[str, Any]:
    config = OmegaConf.create({"r1ci": {"verifier": {"workers": 1}}})
    manager = R1CIRewardManager(config, tokenizer=None)
    try:
        return await manager.run_single(row_of(trajectory))
    finally:
        await manager.close()


async def test_a_right_answer_earns_correctness_and_format() -> None:
    reward = await judged(trajectory_of("```python\nprint(1)\n```\n", f"<<<{RIGHT}>>>"))
    assert reward["reward_score"] == pytest.approx(1.1)
    assert reward["reward_extra_info"]["acc"] == 1.0


async def test_an_answer_printed_by_code_earns_nothing() -> None:
    printed = trajectory_of("```python\nprint('...')\n```\n", "I am done.", printed=f"<<<{RIGHT}>>>\n")
    reward = await judged(printed)
    assert reward["reward_score"] == pytest.approx(-0.1)
    assert reward["reward_extra_info"]["acc"] == 0.0


async def test_a_trajectory_of_another_agent_loop_is_refused_with_the_remedy() -> None:
    row = row_of(trajectory_of("<<<1>>>"))
    row[-1].non_tensor_batch["tool_extra_fields"] = {}
    manager = R1CIRewardManager(OmegaConf.create({}), tokenizer=None)
    with pytest.raises(ValueError, match="agent_name"):
        await manager.run_single(row)


@pytest.mark.parametrize("outcome", ["correct", "wrong", "unparseable", "timeout", "error"])
def test_every_verdict_gives_the_same_numbers_and_its_words(outcome: Any) -> None:
    info = reward_of(Verdict(outcome, "because"), trajectory_of("<<<1>>>").facts(), RewardWeights())[
        "reward_extra_info"
    ]
    assert tuple(info) == EXTRA_KEYS + TEXT_KEYS and len(EXTRA_KEYS) <= 12
    assert all(type(info[key]) is float for key in EXTRA_KEYS)
    assert (info["outcome"], info["reason"]) == (outcome, "because")


def test_verls_validation_statistics_leave_the_words_out() -> None:
    infos = [
        reward_of(Verdict(outcome, "because"), trajectory_of("<<<1>>>").facts(), RewardWeights())["reward_extra_info"]
        for outcome in ("correct", "wrong")
    ]
    columns = {key: [info[key] for info in infos] for key in infos[0]}
    found = process_validation_metrics(["bbh/navigate"] * 2, ["a", "b"], columns)["bbh/navigate"]
    assert set(found) == set(EXTRA_KEYS) and found["acc"]["mean@1"] == 0.5
