"""`r1ci ask`: put one question to a policy the way it was trained, and watch it think, run code and answer.

Left out: judging (there is no verifier for a question of one's own).
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console

from r1ci_plugin.cli import answering as a
from r1ci_plugin.cli.output import fail
from r1ci_plugin.evaluation.agents import AGENTS, Answered, Context, get_agent
from r1ci_plugin.evaluation.answering import Setup
from r1ci_plugin.evaluation.policies import PolicyUnavailable
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.interpreter.settings import make_executor
from r1ci_plugin.printable import printable
from r1ci_plugin.protocol import render_result
from r1ci_plugin.tasks import Question

console = Console(highlight=False, emoji=False)


@a.with_options("prices", "concurrency", "slots", "max_tokens", "max_cost")
def command(
    options: a.Options,
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    agent: Annotated[str, typer.Option(help=f"{', '.join(AGENTS)}, or package.module:Class.")] = "code_agent",
) -> None:
    """Ask a policy one question, and see every word, script and result as it comes. Exit code 1 without an answer."""
    text = sys.stdin.read() if question == "-" else question
    options = replace(options, concurrency=1, slots=1)
    setup = options.setup(options.policy_maker())
    answered = a.answered(_ask(text, agent, setup))
    trajectory = answered.trajectory
    console.print()
    if trajectory.answer is None:
        ending = trajectory.reason or trajectory.outcome or "lost"
        typer.echo(f"no answer ({printable(ending)})", err=True)
        raise typer.Exit(1)
    console.print("answer:", style="bold", end=" ")
    console.print(printable(trajectory.answer), markup=False)


async def _ask(text: str, agent: str, setup: Setup) -> Answered:
    async with setup.make_policy() as policy, make_executor(setup.executor) as executor:
        context = Context(policy, executor, setup.limits, setup.sampling, on_text=_show_text, on_result=_show_result)
        # a seed of the moment: the same question asked twice may be answered in two ways
        key = f"ask|{time.time_ns()}"
        try:
            return await get_agent(agent).answer(Question("external/text", 0, 1, text.strip(), {}), context, key)
        except (PolicyUnavailable, ValueError) as error:  # ValueError: an agent that is not there
            fail(str(error))


def _show_text(text: str) -> None:
    console.print(printable(text), end="", markup=False, soft_wrap=True)


def _show_result(result: ExecResult) -> None:
    if result.is_infrastructure_failure:
        console.print(f"\n[the script was not run: {printable(result.reason)}]", style="red", markup=False)
        return
    console.print(f"\n[{result.status}, {result.run_s:.2f} s, isolation {result.isolation}]", style="dim", markup=False)
    console.print(printable(render_result(result)), style="cyan", markup=False)
