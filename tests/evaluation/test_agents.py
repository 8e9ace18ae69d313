"""Each agent's own rules: what it asks, what it runs, and what counts as its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from r1ci_plugin.config import Limits
from r1ci_plugin.evaluation.agents import AGENTS, Answered, Context, get_agent, printed_answer
from r1ci_plugin.evaluation.codesteer import MAX_FURTHER_ROUNDS
from r1ci_plugin.evaluation.endpoint import Endpoint
from r1ci_plugin.evaluation.endpoint_policies import ChatPolicy
from r1ci_plugin.evaluation.policies import Sampling
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.tasks import Question

Make = Callable[..., Any]
Brain = Callable[[Sequence[dict[str, str]]], str]


class Echo(Executor):
    """Gives back the text between the brackets of print(...), or fails as told."""

    def __init__(self, **result: Any) -> None:
        self.result, self.ran = result, list[str]()

    async def run(self, code: str, **_: Any) -> ExecResult:
        self.ran.append(code)
        printed = code.partition("print(")[2].rpartition(")")[0]
        return ExecResult(**{"status": "ok", "stdout": printed + "\n", **self.result})


async def answer(
    provider: Make, question: Question, agent: str, brain: Brain, executor: Executor | None = None, tokens: int = 500
) -> tuple[Answered, Any]:
    async with provider(brain=brain) as server, ChatPolicy(Endpoint(server.url), "fake") as policy:
        context = Context(policy, executor or Echo(), Limits(), Sampling(0.6, tokens))
        return await get_agent(agent).answer(question, context, "key"), server


def says(*replies: str) -> Brain:
    left = iter(replies)
    return lambda messages: next(left)


async def test_all_text_counts_a_marker_in_words_and_runs_nothing(provider: Make, questions: list[Question]) -> None:
    executor = Echo()
    got, _ = await answer(provider, questions[0], "all_text", says("So <<<7>>>"), executor)
    assert (got.trajectory.outcome, got.trajectory.answer, executor.ran) == ("answered", "7", [])
    got, _ = await answer(provider, questions[0], "all_text", says("```python\nprint(7)\n```\n<<<7>>>"), executor)
    assert (got.trajectory.outcome, got.trajectory.answer, executor.ran) == ("call_limit", None, [])


async def test_all_code_takes_what_its_script_prints(provider: Make, questions: list[Question]) -> None:
    got, server = await answer(provider, questions[0], "all_code", says("Plan.\n```python\nprint(7)\n```\n<<<8>>>"))
    assert (got.trajectory.outcome, got.trajectory.answer, len(server.seen)) == ("answered", "7", 1)
    assert [turn.call is not None for turn in got.trajectory.turns] == [True]


async def test_all_code_without_a_script_has_no_answer(provider: Make, questions: list[Question]) -> None:
    got, _ = await answer(provider, questions[0], "all_code", says("It is <<<7>>>"))
    assert (got.trajectory.outcome, got.trajectory.answer) == ("no_answer", None)


async def test_a_failed_script_prints_no_answer() -> None:
    assert printed_answer(ExecResult("error", stdout="7\n")) is None
    assert printed_answer(ExecResult("ok", stdout=" \n")) is None
    assert printed_answer(ExecResult("ok", stdout="work\n<<<7>>>\n")) == "7"


async def test_a_failed_sandbox_loses_the_answer_of_every_agent(provider: Make, questions: list[Question]) -> None:
    for agent in ("all_code", "code_agent"):
        script = says("```python\nprint(7)\n```\n")
        got, _ = await answer(provider, questions[0], agent, script, Echo(status="sandbox_error", reason="gone"))
        assert (got.trajectory.outcome, got.trajectory.answer) == ("lost", None)


async def test_a_reply_cut_by_the_servers_budget_ends_as_length(provider: Make, questions: list[Question]) -> None:
    got, _ = await answer(provider, questions[0], "code_agent", says("long " * 100 + "<<<7>>>"), tokens=30)
    assert (got.trajectory.outcome, got.trajectory.answer) == ("length", None)


async def test_the_budget_is_of_the_whole_trajectory(provider: Make, questions: list[Question]) -> None:
    turns = says(*["```python\nprint(1)\n```\n"] * 9)
    got, server = await answer(provider, questions[0], "code_agent", turns, tokens=60)
    assert got.trajectory.outcome == "length"
    assert [body["max_tokens"] for _, body in server.seen] == [60, 40, 20]


async def test_codesteer_goes_on_until_the_guide_is_content(provider: Make, questions: list[Question]) -> None:
    conversation = says(
        "<<<Code>>>",
        "```python\nprint(6)\n```\n",
        "I check.\n```python\nprint(0)\n```\n",
        "Wrong. <<<look at the sign>>>",
        "```python\nprint(7)\n```\n",
        "<<<Text>>>",
        "Now in words: <<<8>>>",
        "Good. <<<Return Answer>>>",
    )
    got, server = await answer(provider, questions[0], "codesteer", conversation)
    assert (got.trajectory.outcome, got.trajectory.answer) == ("answered", "8")
    assert [note.role for note in got.notes] == ["guide", "guide", "worker", "guide", "worker", "guide"]
    assert got.usage.requests == len(server.seen) == 8
    assert "look at the sign" in server.seen[4][1]["messages"][-1]["content"]


async def test_codesteer_ends_after_five_further_rounds(provider: Make, questions: list[Question]) -> None:
    replies = ["<<<Text>>>", *["<<<7>>>", "<<<again>>>"] * (MAX_FURTHER_ROUNDS + 1)]
    got, server = await answer(provider, questions[0], "codesteer", says(*replies))
    assert len(server.seen) == 1 + 2 * MAX_FURTHER_ROUNDS + 1
    assert got.trajectory.answer == "7"


async def test_a_hosted_interpreter_is_recorded_with_its_calls(provider: Make, questions: list[Question]) -> None:
    reply = {
        "status": "completed",
        "output": [
            {"type": "reasoning", "summary": []},
            {
                "type": "code_interpreter_call",
                "code": "print(7)",
                "status": "completed",
                "outputs": [{"type": "logs", "logs": "7\n"}],
            },
            {"type": "message", "content": [{"type": "output_text", "text": "So <<<7>>>"}]},
        ],
        "usage": {"input_tokens": 50, "output_tokens": 9},
    }
    got, server = await answer(provider, questions[0], "hosted", says(json.dumps(reply)))
    assert (got.trajectory.outcome, got.trajectory.answer) == ("answered", "7")
    (call,) = got.trajectory.calls
    assert call.result is not None and (call.code, call.result.stdout) == ("print(7)", "7\n")
    assert (got.usage.prompt_tokens, got.usage.sampled_tokens) == (50, 9)
    assert server.seen[0][1]["tools"][0]["type"] == "code_interpreter"


async def test_a_hosted_reply_that_ran_out_of_tokens_has_no_answer(provider: Make, questions: list[Question]) -> None:
    text = {"type": "message", "content": [{"type": "output_text", "text": "<<<7>>> but"}]}
    got, _ = await answer(
        provider, questions[0], "hosted", says(json.dumps({"status": "incomplete", "output": [text]}))
    )
    assert (got.trajectory.outcome, got.trajectory.answer) == ("length", None)


def test_every_named_agent_is_there_and_knows_its_name() -> None:
    assert {name: get_agent(name).name for name in AGENTS} == {name: name for name in AGENTS}


@pytest.mark.parametrize(
    "name", ["nobody", "r1ci_plugin.evaluation.agents:Nobody", "nowhere:Agent", "json:JSONDecoder"]
)
def test_an_agent_that_is_not_there_is_one_clear_line(name: str) -> None:
    with pytest.raises(ValueError, match=r"agent|package\.module"):
        get_agent(name)


def test_an_agent_of_ones_own_is_named_by_where_it_lies() -> None:
    assert get_agent("r1ci_plugin.evaluation.agents:AllText").name == "all_text"
