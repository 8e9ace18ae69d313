"""What holds for every trajectory, whatever an engine samples and code prints, over every vocabulary."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from r1ci_plugin.codec import TextCodec, TokenizerCodec
from r1ci_plugin.config import Limits
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import RESULT_PREFIX, STOP, parse_turn
from r1ci_plugin.trajectory import OUTCOMES, Finish, Generate, Interaction, Run, Trajectory

CODE = "```python\nprint(1)\n```\n"
WORDS = [
    *(
        CODE,
        CODE,
        CODE,
        "```python\n",
        "print('```')\n",
        "```\n",
        "```",
        "\n",
        "\n\n",
        "``",
        "   ```python\n",
        "   ```\n",
        "```json\n{}\n```\n",
    ),
    *(
        "<<<",
        ">>>",
        "<<<4>>>",
        "<<<your answer>>>",
        "It is ",
        RESULT_PREFIX,
        "\r\n",
        "~~~",
        "🐍",
        "é",
        "<|im_end|>",
        "\0",
    ),
]
hostile_text = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=8).map("".join)
results = st.builds(
    ExecResult,
    st.sampled_from(["ok"] * 12 + ["error", "timeout", "killed", "sandbox_error"]),
    stdout=st.one_of(hostile_text, st.just("many words\n" * 200)),
    stderr=hostile_text,
)
budgets = st.one_of(st.integers(1, 100), st.integers(500, 3000), st.just(3000))
limits = st.builds(Limits, max_code_calls=st.sampled_from([8, 3, 3, 1, 0]), result_max_tokens=st.integers(1, 30))
checked = settings(
    max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


@dataclass
class Record:
    """What an engine gave for each turn, next to the trajectory that came of it."""

    trajectory: Trajectory
    given: list[list[tuple[int, float]]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)


def reply(data: st.DataObject, codec: TokenizerCodec | TextCodec, size: int) -> list[int]:
    """A code call or an answer, cut into tokens one way or another, or anything."""
    kind = data.draw(st.sampled_from(["call"] * 6 + ["fence", "answer", "wild", "wild"]))
    if kind == "wild":
        return wild(data, codec, size)
    texts = {"call": f"Let me see <<<3>>>\n{CODE}", "fence": "```json\n{}\n```\n", "answer": "It is <<<4>>>"}
    return tokens(data, codec, texts[kind]) + (
        wild(data, codec, size) if data.draw(st.booleans()) else sorted(codec.eos_ids)
    )


def wild(data: st.DataObject, codec: TokenizerCodec | TextCodec, size: int) -> list[int]:
    """Hostile text and any ids at all: control tokens, halves of characters, ids without a token."""
    ids: list[int] = []
    for kind in data.draw(st.lists(st.sampled_from(["text", "ids", "end"]), max_size=3)):
        if kind == "text":
            ids += tokens(data, codec, data.draw(hostile_text))
        else:
            ids += data.draw(st.lists(st.integers(0, size), max_size=5)) if kind == "ids" else sorted(codec.eos_ids)
    return ids


def tokens(data: st.DataObject, codec: TokenizerCodec | TextCodec, text: str) -> list[int]:
    """As the tokenizer would cut it, or in pieces as only sampling gives them."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    return [
        token
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)
        for token in codec.encode(text[start:end])
    ]


def honest(codec: TokenizerCodec | TextCodec, ids: list[int], budget: int) -> list[int]:
    """Cut as an engine does: behind the token that ends the text or completes the stop string, or at the budget."""
    for count in range(1, min(len(ids), budget) + 1):
        if ids[count - 1] in codec.eos_ids or STOP in codec.decode(ids[:count]):
            return ids[:count]
    return ids[:budget] if len(ids) >= budget else [*ids, *sorted(codec.eos_ids)]


def play(data: st.DataObject, codec: TokenizerCodec | TextCodec, size: int, *, stops: bool) -> Record:
    """One trajectory with an honest engine, or with one that stops anywhere but where it should."""
    response, prompt = data.draw(budgets), data.draw(st.integers(0, 20))
    context = data.draw(st.one_of(st.none(), st.none(), budgets.map(lambda room: prompt + room)))
    room = response if context is None else min(response, context - prompt)
    interaction = Interaction(codec, [3] * prompt, data.draw(limits), response_tokens=response, context_tokens=context)
    record, command = Record(interaction.trajectory), interaction.start()
    sampled = 0
    for _ in range(1000):
        assert len(interaction.trajectory.response_ids) <= room
        if isinstance(command, Finish):
            assert command.outcome == interaction.trajectory.outcome
            return record
        if isinstance(command, Run):
            record.codes.append(command.code)
            command = interaction.executed(data.draw(results))
            continue
        assert isinstance(command, Generate)
        assert interaction.token_ids == [3] * prompt + interaction.trajectory.response_ids
        assert command.max_tokens == room - len(interaction.trajectory.response_ids) > 0
        ids = reply(data, codec, size)
        if stops:
            ids = honest(codec, ids, command.max_tokens)
        log_probs = [-float(place) for place in range(sampled, sampled + len(ids))]
        sampled += len(ids)
        record.given += [[] for _ in range(len(interaction.trajectory.turns) - len(record.given))]
        record.given[-1] += list(zip(ids, log_probs, strict=True))
        command = interaction.sampled(ids, log_probs)
    raise AssertionError("the interaction does not end")


def check(record: Record, codec: TokenizerCodec | TextCodec) -> None:
    """All that must hold."""
    event(f"outcome {record.trajectory.outcome}")
    event(f"turns {len(record.trajectory.turns)}")
    trajectory = record.trajectory
    assert trajectory.outcome in OUTCOMES
    assert (trajectory.answer is not None) == (trajectory.outcome == "answered")
    assert [call.code for call in trajectory.calls] == record.codes
    assert all(parse_turn(turn.text).code == turn.call.code for turn in trajectory.turns if turn.call is not None)

    ids, mask, log_probs = [], [], []
    for turn, shown in zip(trajectory.turns, record.given, strict=True):
        assert list(zip(turn.ids, turn.log_probs, strict=True)) == shown[: len(turn.ids)], (
            "sampled tokens are kept as sampled"
        )
        inserted = turn.call.inserted_ids if turn.call is not None else []
        ids += [*turn.ids, *inserted]
        mask += [*[1] * len(turn.ids), *[0] * len(inserted)]
        log_probs += [*turn.log_probs, *[0.0] * len(inserted)]
    assert (trajectory.response_ids, trajectory.response_mask, trajectory.response_log_probs) == (ids, mask, log_probs)

    *inner, last = trajectory.turns
    assert not any(token in codec.eos_ids for turn in inner for token in turn.ids)
    assert not any(token in codec.eos_ids for token in last.ids[:-1])
    assert all(turn.call is not None and turn.call.inserted_ids for turn in inner)
    for turn in trajectory.turns:
        ended = turn.ids and turn.ids[-1] in codec.eos_ids
        assert turn.text == codec.decode(turn.ids[:-1] if ended else turn.ids)
    assert Trajectory.from_dict(json.loads(json.dumps(trajectory.to_dict()))) == trajectory


@checked
@given(data=st.data())
def test_an_engine_that_stops_anywhere_breaks_nothing(
    tokenizer: Any, vocabulary_size: int, codec: TokenizerCodec, data: st.DataObject
) -> None:
    record = play(data, codec, vocabulary_size + 10, stops=False)
    check(record, codec)
    added = set(tokenizer.get_added_vocab().values())
    assert not any(set(call.inserted_ids) & added for call in record.trajectory.calls)


@checked
@given(data=st.data())
def test_nothing_that_an_honest_engine_sampled_is_lost_but_an_end_of_text_behind_a_fence(
    vocabulary_size: int, codec: TokenizerCodec, data: st.DataObject
) -> None:
    record = play(data, codec, vocabulary_size + 10, stops=True)
    check(record, codec)
    for turn, shown in zip(record.trajectory.turns, record.given, strict=True):
        behind = [token for token, _ in shown[len(turn.ids) :]]
        assert behind == [] or (behind == sorted(codec.eos_ids) and parse_turn(turn.text).code is not None)


@checked
@given(data=st.data())
def test_text_alone_keeps_the_same_rules(data: st.DataObject) -> None:
    check(play(data, TextCodec(), 0x300, stops=data.draw(st.booleans())), TextCodec())


@checked
@given(data=st.data())
def test_a_trajectory_played_again_is_the_same_to_the_token(
    vocabulary_size: int, codec: TokenizerCodec, data: st.DataObject
) -> None:
    """So training data rendered from a trajectory equals the rollout it came from."""
    first = play(data, codec, vocabulary_size + 10, stops=True).trajectory
    if first.outcome not in ("answered", "no_answer"):
        return
    interaction = Interaction(
        codec, first.prompt_ids, Limits(max_code_calls=100, result_max_tokens=10**6), response_tokens=10**9
    )
    command = interaction.start()
    for turn in first.turns:
        command = interaction.sampled(turn.ids, turn.log_probs)
        if turn.call is not None and turn.call.result is not None:
            assert command == Run(turn.call.code)
            command = interaction.executed(turn.call.result)
    assert isinstance(command, Finish)
    again = interaction.trajectory
    assert [turn.ids for turn in again.turns] == [turn.ids for turn in first.turns]
    assert (again.outcome, again.answer, again.is_well_formed()) == (
        first.outcome,
        first.answer,
        first.is_well_formed(),
    )
