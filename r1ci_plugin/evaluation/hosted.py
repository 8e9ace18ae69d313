"""A provider's own code interpreter as an agent: the Responses API with the tool `code_interpreter`.

The paper's strongest baseline (GPT-4o with its code interpreter, 70.9 % stated) is of this kind. Model and interpreter
are both the provider's, so the record says what it was told: the calls, their printed logs, the words. Left out: all
other providers; their tools differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r1ci_plugin.evaluation.agents import Agent, Answered, Context
from r1ci_plugin.evaluation.endpoint_policies import EndpointPolicy
from r1ci_plugin.evaluation.policies import PolicyError
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import ANSWER_PLACEHOLDER, frame_result, parse_turn, render_result
from r1ci_plugin.tasks import Question
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn

HOSTED_PROMPT = f"""\
Work out the answer to the question below, step by step. You may use your code interpreter.
When you are sure, write the final answer, and nothing but it, in this marker: <<<{ANSWER_PLACEHOLDER}>>>

Question:
"""


class Hosted(Agent):
    """One request an answer; the provider runs as many scripts as it likes."""

    name = "hosted"

    async def answer(self, question: Question, context: Context, key: str) -> Answered:
        policy = context.policy
        if not isinstance(policy, EndpointPolicy):
            raise PolicyError("the agent `hosted` needs a provider: name its address with --base-url")
        body = {
            "model": policy.name,
            "input": HOSTED_PROMPT + question.prompt,
            "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
            "include": ["code_interpreter_call.outputs"],
            "temperature": context.sampling.temperature,
            "max_output_tokens": context.sampling.response_tokens,
        }
        trajectory, tokens = await policy.endpoint.ask("/responses", body, read_response)
        return Answered(trajectory, policy.prices.usage(*tokens))


def read_response(reply: Mapping[str, Any]) -> tuple[Trajectory, tuple[int, int]]:
    """The trajectory of a reply, and its (prompt, sampled) tokens. Raises KeyError, TypeError or ValueError for what
    is no finished reply."""
    if reply["status"] not in ("completed", "incomplete"):
        raise ValueError(f"the reply ended as {reply['status']}: {reply.get('error')}")
    turns, words = list[Turn](), ""
    for item in reply["output"]:
        if item["type"] == "code_interpreter_call":
            turns.append(_call_turn(words, item))
            words = ""
        elif item["type"] == "message":
            words += "".join(part.get("text", "") for part in item["content"] if part["type"] == "output_text")
    turns.append(Turn(text=words))
    answer = parse_turn(words).answer
    truncated = reply["status"] == "incomplete"
    trajectory = Trajectory(
        prompt_ids=[],
        turns=turns,
        outcome="length" if truncated else "no_answer" if answer is None else "answered",
        answer=None if truncated else answer,
        transport="messages",
    )
    usage = reply.get("usage") or {}
    return trajectory, (int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0)))


def _call_turn(words: str, item: Mapping[str, Any]) -> Turn:
    code = item.get("code") or ""
    logs = "".join(entry.get("logs", "") for entry in item.get("outputs") or [] if entry["type"] == "logs")
    failed = item.get("status") == "failed"
    result = ExecResult("error" if failed else "ok", stdout=logs, backend="hosted", isolation="hosted")
    text = f"{words}\n```python\n{code.rstrip()}\n```\n".lstrip()
    return Turn(text=text, call=CodeCall(code, result, inserted_text=frame_result(render_result(result), after=text)))
