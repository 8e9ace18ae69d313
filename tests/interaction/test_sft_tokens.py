"""Fine-tuning and RL agree to the token: a trajectory that a rollout left has the same ids and mask in the SFT set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.config import Limits
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import render_prompt
from r1ci_plugin.record import Record
from r1ci_plugin.sft.replay import replay_trajectory
from r1ci_plugin.sft.training_set import make_row, read_row
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import Finish, Generate, Interaction, Trajectory

words = st.one_of(
    st.sampled_from(
        ["It is 7. ", "Let me see:\n", "<|im_end|>", "<|eot_id|>", "é🐍 ", "\n```json\n{}\n```\n", "\n\n", "~ "]
    ),
    st.text(st.characters(blacklist_characters="`<>\r", blacklist_categories=["Cs"]), max_size=6),
)
prose = st.lists(words, max_size=4).map("".join)
calls = st.tuples(
    prose,
    st.sampled_from(["print(1)", "x = '''\n  ```\n'''\nprint(x)", "for i in range(3):\n    print('é', i)"]),
    st.builds(
        ExecResult,
        st.sampled_from(["ok", "ok", "error", "timeout"]),
        stdout=st.one_of(prose, st.just("many words\n" * 80)),
        stderr=prose,
        run_s=st.just(60.0),
    ),
)
checked = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
LIMITS = Limits(result_max_tokens=40)
QUESTION = Question("symbench/number_multiply", 0, 1, "What is 6 * 7? <|im_end|>", {})


def rolled_out(
    codec: TokenizerCodec, said: list[tuple[str, str, ExecResult]], final: str, room: int = 1 << 20
) -> Trajectory:
    """What a rollout leaves whose engine samples these texts as the tokenizer spells them, in a context of `room`."""
    prompt = codec.encode_prompt([{"role": "user", "content": render_prompt(QUESTION.prompt)}])
    texts = [f"{text}\n```python\n{code}\n```\n" for text, code, _ in said]
    eos = max(codec.eos_ids)
    sampled = iter([*map(codec.encode, texts), [*codec.encode(f"{final}\n<<<42>>>"), eos]])
    results = iter([result for *_, result in said])
    interaction = Interaction(codec, prompt, LIMITS, response_tokens=1 << 20, context_tokens=room)
    command = interaction.start()
    while not isinstance(command, Finish):
        if isinstance(command, Generate):
            command = interaction.sampled(next(sampled)[: command.max_tokens], None)
        else:
            command = interaction.executed(next(results))
    return interaction.trajectory


def as_row(trajectory: Trajectory) -> dict[str, Any]:
    """The trajectory's row in a set, through the record and JSON."""
    record = Record("k", QUESTION, "code_agent", trajectory, Verdict.correct())
    return json.loads(json.dumps(make_row(Record.from_dict(json.loads(json.dumps(record.to_dict()))))))


@pytest.fixture(scope="session")
def in_a_set(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ids and mask of rows, as verl's trainer gets them from the data set."""
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("torch")
    import pyarrow.parquet as parquet

    from r1ci_plugin.sft.dataset import SFTDataset
    from r1ci_plugin.sft.training_set import SCHEMA

    file: Path = tmp_path_factory.mktemp("set") / "sft.parquet"

    def read(rows: list[dict[str, Any]], **data: Any) -> list[tuple[list[int], list[int]]]:
        parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), file)
        config = {"max_length": 1 << 20, "r1ci": {"interaction": {"result_max_tokens": 40}}, **data}
        dataset = SFTDataset(str(file), tokenizer, config)
        return [
            (item["input_ids"].tolist(), item["loss_mask"].tolist())
            for item in map(dataset.__getitem__, range(len(rows)))
        ]

    return read


@checked
@given(st.lists(calls, max_size=4), prose)
def test_the_set_has_the_ids_and_the_mask_of_the_rollout(
    codec: TokenizerCodec, in_a_set: Any, said: list[tuple[str, str, ExecResult]], final: str
) -> None:
    rollout = rolled_out(codec, said, final)
    assert rollout.outcome == "answered"
    [(ids, mask)] = in_a_set([as_row(rollout)])
    assert ids == rollout.prompt_ids + rollout.response_ids
    assert mask == [0] * len(rollout.prompt_ids) + rollout.response_mask


@checked
@given(st.lists(calls, max_size=3), prose, st.data())
def test_a_set_cut_at_a_length_has_what_a_rollout_of_that_context_has(
    codec: TokenizerCodec, in_a_set: Any, said: list[tuple[str, str, ExecResult]], final: str, data: st.DataObject
) -> None:
    whole = rolled_out(codec, said, final)
    length = len(whole.prompt_ids) + data.draw(st.integers(1, len(whole.response_ids) + 3))
    cut = rolled_out(codec, said, final, room=length)
    [(ids, mask)] = in_a_set([as_row(whole)], max_length=length, truncation="right")
    assert ids == cut.prompt_ids + cut.response_ids
    assert mask == [0] * len(cut.prompt_ids) + cut.response_mask


@checked
@given(st.lists(calls, max_size=3), prose)
def test_the_loss_lies_on_what_was_said_and_on_the_end(
    codec: TokenizerCodec, said: list[tuple[str, str, ExecResult]], final: str
) -> None:
    rollout = rolled_out(codec, said, final)
    learned = [token for token, bit in zip(rollout.response_ids, rollout.response_mask, strict=True) if bit]
    assert codec.decode(learned[:-1]) == "".join(turn.text for turn in rollout.turns)
    assert learned[-1] in codec.eos_ids


def test_a_trajectory_of_a_chat_server_gets_the_policys_tokens(codec: TokenizerCodec) -> None:
    rollout = rolled_out(codec, [("I compute.", "print(1)", ExecResult("ok", stdout="1"))], "So")
    foreign = Trajectory.from_dict(rollout.to_dict())
    foreign.transport = "messages"
    for turn in foreign.turns:
        turn.ids = []
        if turn.call:
            turn.call.inserted_ids = []
    again = replay_trajectory(foreign, codec, rollout.prompt_ids, LIMITS, eos_id=max(codec.eos_ids))
    assert again.response_ids == rollout.response_ids and again.response_mask == rollout.response_mask


@pytest.mark.parametrize("outcome", ["lost", "length", None])
def test_what_was_cut_off_is_refused(small_codec: TokenizerCodec, outcome: Any) -> None:
    trajectory = Trajectory([1], outcome=outcome)
    with pytest.raises(ValueError, match="no end to learn"):
        replay_trajectory(trajectory, small_codec, [1], LIMITS, eos_id=0)


def test_a_set_that_is_too_long_or_of_another_protocol_is_refused(small_codec: TokenizerCodec, in_a_set: Any) -> None:
    row = as_row(rolled_out(small_codec, [], "So"))
    with pytest.raises(ValueError, match=r"1 of 1 trajectories .* have more than data.max_length=8 .*r1ci sft check"):
        in_a_set([row], max_length=8)
    with pytest.raises(ValueError, match="installed is"):
        read_row({**row, "protocol": "r1ci/0"})
    with pytest.raises(ValueError, match="not a row"):
        read_row({**row, "trajectory": "{}"})
    with pytest.raises(ValueError, match="no_padding"):
        in_a_set([row], pad_mode="right")
