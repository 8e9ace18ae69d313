"""The command `r1ci`: which command groups there are, each imported only when it is used.

`r1ci --help` shows one line of help for each group and imports none of them, so it answers at once. A group is a
module of this package that offers `app` (a Typer application) or `command` (a function). Left out: what the commands
do.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from r1ci_plugin import __version__
from r1ci_plugin.garbage import collect_seldom

GROUPS = {
    "doctor": "Is everything there that a training run needs?",
    "tasks": "The tasks: list them, look at one, check them.",
    "data": "Question files for training: build, look, check.",
    "sandbox": "The interpreter: run code in it, serve it, test it.",
    "sft": "Trajectories for fine-tuning: synthesize, check.",
    "potential": "How much each question can still teach: measure, show.",
    "plan": "Does a training run fit into the GPUs' memory, and why?",
    "stages": "The stages of a training: build the manifest, show it, run them.",
    "eval": "Evaluate a policy: run, show, compare, verify, export.",
    "ask": "Put one question to a policy and watch it answer.",
    "view": "Look at trajectories: one page to open in a browser.",
    "report": "What runs came to: one page of figures and tables.",
    "export": "A trained policy with its card, ready to publish.",
    "bench": "Measure this machine against the project's bars.",
}
"""Module of this package, also the command's name, to its line of help."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """The application for these command line arguments: only the group they name is imported."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
    app.callback()(_root)
    wanted = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, text in GROUPS.items():
        if not find_spec(f"r1ci_plugin.cli.{name}"):
            continue
        if name != wanted:
            app.command(name, help=text)(_not_imported)
            continue
        module: Any = importlib.import_module(f"r1ci_plugin.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, short_help=text)
        else:
            app.command(name, short_help=text)(module.command)
    return app


def main() -> None:
    """The entry point of the console script and of `python -m r1ci_plugin`."""
    collect_seldom()
    build(sys.argv[1:])(prog_name="r1ci")


def _not_imported() -> None:
    """Stands for a group in the overview; a group that is called is imported instead."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit()


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """R1-Code-Interpreter for verl: models that learn when to think in words and when to write code."""
