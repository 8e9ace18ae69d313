"""How a question is put to a policy and what counts as its answer: the four agents of the paper (section 5, Table 2).

    all_text    in words alone
    all_code    words, then one script: what the script prints is the answer
    code_agent  the trained way: words and code calls as the policy likes (`protocol.py`)
    codesteer   a guide and a worker, in rounds (`codesteer.py`)
    hosted      a provider's own code interpreter (`hosted.py`)

Every agent drives the one state machine. An agent of your own is a class with `name` and `answer`, named on the command
line by `package.module:Class`. Left out: what samples (`policies.py`), judging and keeping (`runner.py`).
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from r1ci_plugin.config import Limits
from r1ci_plugin.drive import drive
from r1ci_plugin.evaluation.policies import Message, Policy, PromptTooLong, Request, Sampling, Session
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.protocol import ANSWER_PLACEHOLDER, markers, render_prompt
from r1ci_plugin.record import Note, Usage
from r1ci_plugin.tasks import Question
from r1ci_plugin.trajectory import Finish, Generate, Run, Trajectory

TEXT_PROMPT = f"""\
Work out the answer to the question below, step by step, in words alone: you cannot run code here.
When you are sure, write the final answer, and nothing but it, in this marker: <<<{ANSWER_PLACEHOLDER}>>>

Question:
"""

CODE_PROMPT = """\
Solve the question below by a Python script. Think first about how, then write one complete script in a block that opens
with a line ```python and closes with a line ```. The script must work out the answer and print it, in the form that the
question asks for, and print nothing else: what it prints is taken as your answer.

Question:
"""


@dataclass(slots=True)
class Answered:
    """What an agent brought back."""

    trajectory: Trajectory
    usage: Usage
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context:
    """What an agent works with."""

    policy: Policy
    executor: Executor
    limits: Limits
    sampling: Sampling
    on_text: Callable[[str], None] | None = None
    on_result: Callable[[ExecResult], None] | None = None
    on_open: Callable[[Session], None] | None = None
    """Is told of every session, so that what a lost answer took is counted."""
    form: str = ""
    """How the question is to be worked on, for agents that know several ways (`Job.form`)."""

    def open(self, messages: Sequence[Message], key: str, limits: Limits | None = None) -> Session:
        """A session of the policy for a conversation. Raises PromptTooLong."""
        session = self.policy.open(Request(messages, key, limits or self.limits, self.sampling, self.on_text))
        if self.on_open:
            self.on_open(session)
        return session

    async def run(self, code: str, key: str, limits: Limits | None = None) -> ExecResult:
        """Run a code call under the limits."""
        limits = limits or self.limits
        result = await self.executor.run(
            code, timeout=limits.code_timeout_s, memory_mb=limits.code_memory_mb, sample_key=key
        )
        if self.on_result:
            self.on_result(result)
        return result

    async def converse(self, messages: Sequence[Message], key: str, limits: Limits | None = None) -> Answered:
        """The trained way: code calls run, results go in, until the state machine ends."""
        try:
            session = self.open(messages, key, limits)
        except PromptTooLong as refusal:
            return _no_room(refusal)
        trajectory = await drive(session.interaction, session.sample, lambda code: self.run(code, key, limits))
        return Answered(trajectory, session.usage)

    async def converse_by_script(self, messages: Sequence[Message], key: str) -> Answered:
        """One turn; if it holds a script, the script runs and what it prints is the answer."""
        try:
            session = self.open(messages, key)
        except PromptTooLong as refusal:
            return _no_room(refusal)
        interaction, trajectory = session.interaction, session.interaction.trajectory
        command = interaction.start()
        while isinstance(command, Generate) and not trajectory.calls:
            command = interaction.sampled(*await session.sample(interaction.token_ids, command))
        if isinstance(command, Run):
            result = await self.run(command.code, key)
            if not isinstance(interaction.executed(result), Finish):
                del trajectory.turns[-1]  # the turn that the machine opened after the result
            if not result.is_infrastructure_failure:
                trajectory.answer = printed_answer(result)
                trajectory.outcome = "no_answer" if trajectory.answer is None else "answered"
        elif trajectory.outcome == "answered":
            trajectory.answer, trajectory.outcome = None, "no_answer"  # words are no script
        return Answered(trajectory, session.usage)


def printed_answer(result: ExecResult) -> str | None:
    """The answer a script printed: its last marker, or all its output. None where it failed or printed nothing."""
    if result.status != "ok":
        return None
    return next(iter(markers(result.stdout)[::-1]), result.stdout.strip()) or None


def _no_room(refusal: PromptTooLong) -> Answered:
    """A prompt that fills the policy's context is an answer that never came, not a failure of the run."""
    return Answered(Trajectory(refusal.prompt_ids, outcome="length", reason=str(refusal)), Usage())


class Agent(ABC):
    """A way to put a question and to take an answer. Stateless: one instance serves all answers of a run."""

    name: ClassVar[str]

    @abstractmethod
    async def answer(self, question: Question, context: Context, key: str) -> Answered:
        """One answer. `key` names it and seeds its draws. Raises PolicyUnavailable, PolicyError."""


class AllText(Agent):
    """Words alone. A script ends the trajectory as `call_limit`, wrong."""

    name = "all_text"

    async def answer(self, question: Question, context: Context, key: str) -> Answered:
        return await context.converse(
            ask(TEXT_PROMPT + question.prompt), key, replace(context.limits, max_code_calls=0)
        )


class AllCode(Agent):
    """Words, then a script whose output is the answer. This agent alone takes printed text for an answer."""

    name = "all_code"

    async def answer(self, question: Question, context: Context, key: str) -> Answered:
        return await context.converse_by_script(ask(CODE_PROMPT + question.prompt), key)


class CodeAgent(Agent):
    """The way of training: same prompt, same limits, same tokens."""

    name = "code_agent"

    async def answer(self, question: Question, context: Context, key: str) -> Answered:
        return await context.converse(ask(render_prompt(question.prompt)), key)


def ask(text: str) -> list[Message]:
    """A conversation that is one user message."""
    return [{"role": "user", "content": text.strip()}]


AGENTS = {
    "all_text": "r1ci_plugin.evaluation.agents:AllText",
    "all_code": "r1ci_plugin.evaluation.agents:AllCode",
    "code_agent": "r1ci_plugin.evaluation.agents:CodeAgent",
    "codesteer": "r1ci_plugin.evaluation.codesteer:CodeSteer",
    "hosted": "r1ci_plugin.evaluation.hosted:Hosted",
    "teacher": "r1ci_plugin.sft.forms:Teacher",
}
"""Name to where the class lies."""

MEASURING = ("all_text", "all_code", "code_agent", "codesteer")
"""The four agents whose answers measure potential (paper section 5)."""


def get_agent(name: str) -> Agent:
    """The agent of a name, or of `package.module:Class`. Raises ValueError with what there is."""
    module, colon, attribute = AGENTS.get(name, name).partition(":")
    if not colon:
        raise ValueError(f"unknown agent {name!r}: one of {', '.join(AGENTS)}, or package.module:Class")
    try:
        agent = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"the agent {name} cannot be loaded: {error}") from None
    if not isinstance(getattr(agent, "name", None), str) or not callable(getattr(agent, "answer", None)):
        raise ValueError(f"the agent {name} has no `name` or no `answer`: see r1ci_plugin/evaluation/agents.py")
    loaded: Agent = agent
    return loaded
