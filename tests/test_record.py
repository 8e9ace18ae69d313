"""A record comes back from its JSON as it was, less what is left out on purpose."""

from __future__ import annotations

import json
from dataclasses import replace

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.record import Note, Record, TrainingFacts, Usage, policy_name
from r1ci_plugin.tasks import Verdict, get_task
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn

QUESTION = get_task("symbench/letters").make(1, 1)


def trajectory(transport: str) -> Trajectory:
    result = ExecResult("ok", stdout="1\n", run_s=0.25, isolation="ns")
    call = CodeCall("print(1)", result, inserted_ids=[7, 8], inserted_text="Code Execution Results:\n1\n\n")
    turns = [Turn([1, 2], [-0.1, -0.2], "```python\nprint(1)\n```\n", call), Turn([3], [-0.3], "<<<1>>>")]
    return Trajectory([9], turns, "answered", "1", transport=transport)


def record(transport: str = "tokens") -> Record:
    return Record(
        key="k",
        question=QUESTION,
        agent="code_agent",
        trajectory=trajectory(transport),
        verdict=Verdict.correct(),
        sample=2,
        policy="p",
        temperature=0.6,
        usage=Usage(2, 10, 3, 0.5),
        wall_s=1.5,
        notes=(Note("guide", "try"),),
        training=TrainingFacts(3, 1, "g", 1.1, {"acc": 1.0}, -0.5),
    )


def test_a_record_round_trips_without_its_log_probs() -> None:
    back = Record.from_dict(json.loads(json.dumps(record().to_dict())))
    for turn in back.trajectory.turns:
        assert turn.log_probs == []
    expected = record()
    for turn in expected.trajectory.turns:
        turn.log_probs = []
    assert back == expected
    assert back.to_dict() == record().to_dict()


def test_ids_that_are_mere_characters_are_left_out() -> None:
    data = record("messages").to_dict()
    assert "ids" not in data["trajectory"]["turns"][0] and data["trajectory"]["prompt_ids"] == []
    assert Record.from_dict(data).trajectory.turns[0].text == trajectory("messages").turns[0].text


def test_a_lost_trajectory_is_no_wrong_answer() -> None:
    lost = replace(record(), verdict=None)
    assert lost.is_lost and not record().is_lost
    assert Record.from_dict(lost.to_dict()).verdict is None


def test_a_policy_is_named_without_the_place_a_machine_keeps_it() -> None:
    assert policy_name("/home/me/runs/r1ci_stage2/global_step_150/actor/huggingface") == "r1ci_stage2/global_step_150"
    assert policy_name("/home/me/runs/r1ci_sft/global_step_9/huggingface") == "r1ci_sft/global_step_9"
    assert policy_name("/home/me/models/mine") == "mine"
    assert policy_name("Qwen/Qwen2.5-3B-Instruct") == "Qwen/Qwen2.5-3B-Instruct"
