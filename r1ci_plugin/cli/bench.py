"""`r1ci bench NAME`: run one benchmark and show its figures against their bars.

A benchmark is a module of `r1ci_plugin.bench` with `measure(quick) -> list[Figure]`, named below. One that rests on
assumptions also has `sensitivity() -> list[dict]`: rows with the same keys, one for each change. Left out: how anything
is measured.
"""

from __future__ import annotations

import importlib
import json
from typing import Annotated, Any

import typer

from r1ci_plugin.bench import figures
from r1ci_plugin.cli.output import JsonOption

BENCHMARKS = {
    "curriculum": "start, memory and batch of the curriculum, to ten million questions",
    "data": "building the questions of all tasks",
    "rollout": "the agent loop against a simulated GPU, and the rollout engine of the CPU back end",
    "sandbox": "the interpreter: speed, evenness, memory",
    "startup": "what the plugin adds to verl's import and to a job",
    "verify": "verdicts: speed, right answers, hostile answers",
}
"""Module of `r1ci_plugin.bench` to its line of help."""


def command(
    name: Annotated[str, typer.Argument(help="; ".join(f"{name}: {line}" for name, line in BENCHMARKS.items()))],
    quick: Annotated[bool, typer.Option(help="Fewer rounds of the same figures, in 45 seconds on two cores.")] = False,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="What changes with the assumptions, instead of figures (rollout).")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure this machine against the project's bars. A missed bar is a figure, not an error: the exit code is 0."""
    if name not in BENCHMARKS:
        raise typer.BadParameter(f"unknown benchmark {name!r}: one of {', '.join(BENCHMARKS)}")
    benchmark = importlib.import_module(f"r1ci_plugin.bench.{name}")
    if sensitivity:
        return _show_sensitivity(name, benchmark, as_json)
    measured: list[figures.Figure] = benchmark.measure(quick=quick)
    if as_json:
        typer.echo(json.dumps({"figures": [figure.to_dict() for figure in measured], "machine": figures.machine()}))
    else:
        _print(measured)


def _show_sensitivity(name: str, benchmark: Any, as_json: bool) -> None:
    if not hasattr(benchmark, "sensitivity"):
        raise typer.BadParameter(f"{name} measures and assumes nothing: `r1ci bench {name}` is all there is")
    rows: list[dict[str, Any]] = benchmark.sensitivity()
    if as_json:
        typer.echo(json.dumps({"sensitivity": rows}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


def _print(measured: list[figures.Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "value", "bar", "met", "behind it")
    for figure in measured:
        value = "not measured" if figure.value is None else f"{figure.value:.4g}"
        behind = ", ".join(f"{key} {entry}" for key, entry in figure.detail.items())
        table.add_row(figure.name, value, figure.bar, "[green]yes[/green]" if figure.met else "[red]no[/red]", behind)
    console = Console()
    console.print(table)
    console.print(", ".join(f"{key} {entry}" for key, entry in figures.machine().items() if key != "packages"))
