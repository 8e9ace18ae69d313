"""CodeSteer: a guide chooses between words and code, looks at what a worker brings, and sends it back or is content.

The same policy plays both sides (paper section 5: the measured model alone is used). A round is a worker's answer, in
words or by a script. The guide sees the question, the last answer, its execution result and how much the script
computes; it may run checking scripts of its own, and decides in the marker: `Return Answer`, `Code`, `Text`, or advice.
Source: the description of CodeSteer in public material; wording and prompts are ours. The record keeps the last round
as its trajectory and everything else as notes.
"""

from __future__ import annotations

import re
from dataclasses import replace

from r1ci_plugin.evaluation.agents import CODE_PROMPT, TEXT_PROMPT, Agent, Answered, Context, ask
from r1ci_plugin.evaluation.policies import Message
from r1ci_plugin.protocol import render_result
from r1ci_plugin.record import Note, Usage
from r1ci_plugin.tasks import Question
from r1ci_plugin.trajectory import Trajectory

MAX_FURTHER_ROUNDS = 5
CHECK_CALLS, CHECK_TIMEOUT_S = 3, 10.0
"""Checking scripts of the guide in one decision, and seconds for each."""

CHOOSE_PROMPT = """\
You guide another model that will answer the question below. Decide how it should work: by a Python script, or in words.
A script is better where there is much to compute, to search or to check; words are better where meaning matters.
Write <<<Code>>> or <<<Text>>>.

Question:
"""

REVIEW_PROMPT = """\
You guide another model. Below are a question and the answer that the model gave. Look for mistakes. You may check it by
Python scripts of your own: write one in a block that opens with a line ```python and closes with a line ```, and its
output is shown to you. Then decide, in a marker:
<<<Return Answer>>> if the answer can be given as it is; <<<Code>>> or <<<Text>>> if the model should try that way next;
or <<<advice in your own words>>> for its next try.
"""

_LOOP = re.compile(r"^[ \t]*(?:for|while)\b", re.MULTILINE)
_SEARCH = re.compile(r"\b(?:def|itertools|heapq|deque|permutations|combinations|product|sympy|scipy|networkx|solve)\b")


class CodeSteer(Agent):
    """A guide and a worker, both the policy."""

    name = "codesteer"

    async def answer(self, question: Question, context: Context, key: str) -> Answered:
        usage, notes = Usage(), list[Note]()
        choice = await context.converse(
            ask(CHOOSE_PROMPT + question.prompt), f"{key}/choose", replace(context.limits, max_code_calls=0)
        )
        usage += choice.usage
        notes.append(Note("guide", text_of(choice.trajectory)))
        if choice.trajectory.outcome == "lost":
            return Answered(choice.trajectory, usage, notes)
        by_code = (choice.trajectory.answer or "").strip().lower() != "text"
        conversation: list[Message] = ask((CODE_PROMPT if by_code else TEXT_PROMPT) + question.prompt)
        for round_number in range(1 + MAX_FURTHER_ROUNDS):
            worked = await self._work(context, conversation, by_code, f"{key}/{round_number}")
            usage += worked.usage
            if worked.trajectory.outcome == "lost" or round_number == MAX_FURTHER_ROUNDS:
                break
            review = await self._review(question, context, worked.trajectory, f"{key}/{round_number}/review")
            usage += review.usage
            notes.append(Note("guide", text_of(review.trajectory)))
            if review.trajectory.outcome == "lost":
                return Answered(review.trajectory, usage, notes)
            advice = (review.trajectory.answer or "").strip()
            if advice.lower() in ("", "return answer", "terminate"):
                break
            by_code = advice.lower() == "code" or (by_code and advice.lower() != "text")
            said = text_of(worked.trajectory)
            notes.append(Note("worker", said))
            conversation = [*conversation, {"role": "assistant", "content": said}, *ask(_further(advice, by_code))]
        return Answered(worked.trajectory, usage, notes)

    async def _work(self, context: Context, conversation: list[Message], by_code: bool, key: str) -> Answered:
        if by_code:
            return await context.converse_by_script(conversation, key)
        return await context.converse(conversation, key, replace(context.limits, max_code_calls=0))

    async def _review(self, question: Question, context: Context, work: Trajectory, key: str) -> Answered:
        parts = [
            REVIEW_PROMPT,
            f"Question:\n{question.prompt}",
            f"What the model wrote:\n{text_of(work)}",
            f"Its answer: {work.answer if work.answer is not None else '(none)'}",
        ]
        if work.calls:
            parts.append(complexity(work.calls[-1].code))
        limits = replace(
            context.limits,
            max_code_calls=CHECK_CALLS,
            code_timeout_s=min(CHECK_TIMEOUT_S, context.limits.code_timeout_s),
        )
        return await context.converse(ask("\n\n".join(parts)), key, limits)


def _further(advice: str, by_code: bool) -> str:
    how = CODE_PROMPT if by_code else TEXT_PROMPT
    hint = "" if advice.lower() in ("code", "text") else f"Advice: {advice}\n"
    return f"{hint}Try again.\n{how.partition('Question:')[0]}"


def text_of(trajectory: Trajectory) -> str:
    """What was said and what scripts gave, as a person reads it."""
    parts = []
    for turn in trajectory.turns:
        parts.append(turn.text)
        if turn.call is not None and turn.call.result and not turn.call.result.is_infrastructure_failure:
            parts.append(f"\nCode Execution Results:\n{render_result(turn.call.result)}\n")
    return "".join(parts).strip()


def complexity(code: str) -> str:
    """One sentence for the guide on how much a script computes, read off its words: nothing is compiled."""
    points = len(_LOOP.findall(code)) + len(_SEARCH.findall(code))
    if points <= 2:
        return "The script computes little: it may only print what was already decided in words."
    return "The script loops, searches or calculates."
