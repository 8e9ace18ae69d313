"""Policies in token ids: the same tokens as in training, by both doors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import r1ci_plugin
from r1ci_plugin.config import Limits
from r1ci_plugin.evaluation.agents import Context, get_agent
from r1ci_plugin.evaluation.endpoint import Endpoint
from r1ci_plugin.evaluation.endpoint_policies import ChatPolicy, CompletionsPolicy
from r1ci_plugin.evaluation.policies import EmbeddedPolicy, PolicyError, PolicyUnavailable, Sampling
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.tasks import Question

SEED_POLICY = Path(r1ci_plugin.__file__).parent / "assets" / "seed_policy"


class Says42(Executor):
    async def run(self, code: str, **_: Any) -> ExecResult:
        return ExecResult("ok", stdout="42\n")


@pytest.fixture(scope="module")
def embedded() -> EmbeddedPolicy:
    pytest.importorskip("torch")
    return EmbeddedPolicy(SEED_POLICY, max_num_seqs=8)


def context(policy: Any, on_text: Callable[[str], None] | None = None, temperature: float = 0.6) -> Context:
    return Context(policy, Says42(), Limits(result_max_tokens=64), Sampling(temperature, 120), on_text)


async def test_the_same_key_gives_the_same_tokens_and_another_key_others(
    embedded: EmbeddedPolicy, questions: list[Question]
) -> None:
    agent = get_agent("code_agent")
    keys = ("one", "one", *(f"other {number}" for number in range(3)))
    got = [await agent.answer(questions[0], context(embedded, temperature=1.0), key) for key in keys]
    responses = [tuple(answer.trajectory.response_ids) for answer in got]
    assert responses[0] == responses[1]
    assert len(set(responses)) > 1
    assert got[0].usage.sampled_tokens == sum(got[0].trajectory.response_mask)


async def test_watching_changes_nothing_and_shows_every_sampled_character(
    embedded: EmbeddedPolicy, questions: list[Question]
) -> None:
    agent = get_agent("code_agent")
    for question in questions[:2]:
        shown: list[str] = []
        plain = await agent.answer(question, context(embedded), "key")
        watched = await agent.answer(question, context(embedded, shown.append), "key")
        assert watched.trajectory.response_ids == plain.trajectory.response_ids
        assert "".join(shown) == "".join(turn.text for turn in plain.trajectory.turns)


async def test_a_prompt_that_fills_the_context_is_a_wrong_answer_not_a_crash(
    embedded: EmbeddedPolicy, questions: list[Question]
) -> None:
    long = Question(questions[0].task, 0, 1, "x " * 4000, {})
    got = await get_agent("code_agent").answer(long, context(embedded), "key")
    assert (got.trajectory.outcome, got.trajectory.turns) == ("length", [])
    assert got.trajectory.facts()["outcome_length"] == 1.0


async def test_a_server_of_token_ids_gets_the_ids_of_training(
    embedded: EmbeddedPolicy, provider: Callable[..., Any], questions: list[Question]
) -> None:
    replies = iter(["I compute it.\n```python\nprint(6*7)\n```\n", "So <<<42>>>"])
    async with (
        provider(brain=lambda messages: next(replies), codec=embedded.codec) as server,
        CompletionsPolicy(Endpoint(server.url), "fake", embedded.codec, context_tokens=1024) as policy,
    ):
        got = await get_agent("code_agent").answer(questions[0], context(policy), "key")
    first, second = (body for _, body in server.seen)
    trajectory = got.trajectory
    assert first["prompt"] == trajectory.prompt_ids
    assert second["prompt"] == trajectory.prompt_ids + trajectory.response_ids[: -len(trajectory.turns[-1].ids)]
    assert (trajectory.answer, trajectory.transport) == ("42", "tokens")
    assert first["include_stop_str_in_output"] and first["return_token_ids"]


async def test_a_streamed_reply_is_the_same_reply(
    embedded: EmbeddedPolicy, provider: Callable[..., Any], questions: list[Question]
) -> None:
    agent = get_agent("code_agent")
    trajectories, shown = [], list[str]()
    for on_text in (None, shown.append):
        async with provider() as server:
            async with ChatPolicy(Endpoint(server.url), "fake") as chat:
                trajectories.append((await agent.answer(questions[0], context(chat, on_text), "key")).trajectory)
            replies = iter(["```python\nprint(6*7)\n```\n", "So <<<42>>>"])
            server.brain, server.codec = (lambda messages, left=replies: next(left)), embedded.codec
            async with CompletionsPolicy(Endpoint(server.url), "fake", embedded.codec) as tokens:
                trajectories.append((await agent.answer(questions[0], context(tokens, on_text), "key")).trajectory)
    assert trajectories[0] == trajectories[2] and trajectories[1] == trajectories[3]
    assert "I compute it." in "".join(shown)


async def test_a_person_who_watches_waits_out_a_busy_server(
    provider: Callable[..., Any], questions: list[Question]
) -> None:
    shown = list[str]()
    async with provider("429", "500") as server, ChatPolicy(Endpoint(server.url, pause_s=0.01), "fake") as chat:
        got = await get_agent("all_text").answer(questions[0], context(chat, shown.append), "key")
    assert got.trajectory.outcome == "answered" and "I know it." in "".join(shown)


@pytest.mark.parametrize(
    "reply", [[], {}, {"choices": [None]}, {"choices": [{"message": None}]}, {"choices": [{"delta": 3}]}]
)
@pytest.mark.parametrize("watched", [True, False])
async def test_a_reply_of_another_shape_is_a_lost_answer_not_a_traceback(
    reply: Any, watched: bool, questions: list[Question]
) -> None:
    text = f"data: {json.dumps(reply)}\n\n" if watched else json.dumps(reply)
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=text))
    async with ChatPolicy(Endpoint("http://a/v1", attempts=2, pause_s=0.01, transport=transport), "fake") as chat:
        asked = get_agent("all_text").answer(questions[0], context(chat, print if watched else None), "key")
        if watched and reply in ({}, {"choices": [{"message": None}]}):  # events without text are none to speak of
            assert (await asked).trajectory.outcome != "answered"
        else:
            with pytest.raises(PolicyUnavailable):
                await asked


@pytest.mark.parametrize("address", ["http://host:port/v1", "localhost:8000/v1", "http://", "ftp://host/v1"])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(address: str) -> None:
    with pytest.raises(PolicyError, match="is no address: name one such as http://localhost:8000/v1"):
        Endpoint(address)


CROWDED = "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens."


async def test_a_conversation_that_outgrows_the_server_ends_as_cut_off(questions: list[Question]) -> None:
    replies = iter(
        [
            httpx.Response(200, json={"choices": [{"message": {"content": "```python\nprint(1)\n```\n"}}]}),
            httpx.Response(400, json={"error": {"message": CROWDED}}),
        ]
    )
    transport = httpx.MockTransport(lambda request: next(replies))
    async with ChatPolicy(Endpoint("http://a/v1", transport=transport), "fake") as chat:
        answered = await get_agent("code_agent").answer(questions[0], context(chat), "key")
    assert answered.trajectory.outcome == "length" and len(answered.trajectory.calls) == 1


async def test_a_server_without_room_for_a_first_answer_ends_the_run(questions: list[Question]) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(400, text=CROWDED))
    async with ChatPolicy(Endpoint("http://a/v1", transport=transport), "fake") as chat:
        with pytest.raises(PolicyError, match="ask for less with --response-tokens"):
            await get_agent("code_agent").answer(questions[0], context(chat), "key")


async def test_a_server_without_token_ids_is_refused_with_the_way_out(
    embedded: EmbeddedPolicy, provider: Callable[..., Any], questions: list[Question]
) -> None:
    async with provider(brain=lambda messages: "x", codec=embedded.codec) as server:
        server.reply = lambda path, body: {"choices": [{"text": "x"}]}
        async with CompletionsPolicy(Endpoint(server.url), "fake", embedded.codec) as policy:
            with pytest.raises(PolicyError, match="--tokenizer"):
                await get_agent("code_agent").answer(questions[0], context(policy), "key")


def test_a_folder_without_a_policy_is_one_clear_line(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(PolicyError, match="no policy"):
        EmbeddedPolicy(tmp_path)
