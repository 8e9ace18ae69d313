"""`r1ci stages`: which question is in which stage: build the manifest, show it, compare two.

Left out: what a manifest is (`curriculum/manifest.py`), how counts become groups (`curriculum/build.py`),
training (`stages_run.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from r1ci_plugin.cli import stages_run
from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.cli.potential import AgentsOption, FormOption, TotalOption, counted
from r1ci_plugin.curriculum.adaptive import TOTAL
from r1ci_plugin.curriculum.build import ORDERS, Rule, build_manifest
from r1ci_plugin.curriculum.counts import CountsError
from r1ci_plugin.curriculum.flow import Flow, flow, labels, stayed
from r1ci_plugin.curriculum.groups import THRESHOLDS, Grouping
from r1ci_plugin.curriculum.interval import INTERVALS
from r1ci_plugin.curriculum.manifest import Manifest, ManifestError, load_manifest, write_manifest
from r1ci_plugin.curriculum.questions import counts_of_data, held_out_of, question_ids_of
from r1ci_plugin.tasks.splits import SPLITS, UnknownSplit, get_split

app = typer.Typer(help="The stages of a training: build the manifest, show it, run them.", no_args_is_help=True)
app.command("run")(stages_run.run_command)
console = Console()

MANIFEST = Path("data/r1ci/manifest.parquet")


@app.command("build")
def build_command(
    counts: Annotated[
        list[Path], typer.Option(help="Counts, runs with trajectories, or verl's rollout dumps; may be given again.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Data folder or train.parquet: its questions only, all measured.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help=f"Parquet file; the text file lies beside it. {MANIFEST.name} beside --data if not given."),
    ] = None,
    thresholds: Annotated[str, typer.Option(help="Lower ends of all groups but the last.")] = ",".join(
        map(str, THRESHOLDS)
    ),
    quantiles: Annotated[int | None, typer.Option(min=1, help="So many groups of equal size instead.")] = None,
    by: Annotated[str, typer.Option(help=f"What orders groups of equal size: {', '.join(ORDERS)}.")] = "potential",
    seed: Annotated[int, typer.Option(help="Breaks ties between groups of equal size.")] = 0,
    form: FormOption = "paper",
    interval: Annotated[str, typer.Option(help=f"Interval of pass rates: {', '.join(INTERVALS)}.")] = "jeffreys",
    total: TotalOption = TOTAL,
    agents: AgentsOption = "",
    split: Annotated[
        str,
        typer.Option(help=f"Whose test tasks are held out: {', '.join(SPLITS)}, or a file; as in --data if not given."),
    ] = "",
    exclude: Annotated[
        list[Path] | None, typer.Option(help="JSON list of question ids seen in fine-tuning; may be given again.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put every measured question into a potential group; held-out tasks and seen questions are left out, with why."""
    try:
        rule = Rule(Grouping(_numbers(thresholds), form), quantiles, by, seed, total, interval)
        measured = counted(counts, agents)
        manifest = build_manifest(
            measured if data is None else counts_of_data(measured, data),
            rule,
            held_out=_held_out(split, data),
            seen=frozenset(name for file in exclude or () for name in question_ids_of(file)),
        )
        files = write_manifest(manifest, out or _beside(data))
    except (CountsError, ManifestError, UnknownSplit, ValueError, OSError) as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps({"files": [str(file) for file in files], **_facts(manifest)}))
    else:
        _print_manifest(manifest)
        console.print(f"wrote {files[0]} and {files[1]}", markup=False)


def _held_out(split: str, data: Path | None) -> Sequence[str]:
    of_data = held_out_of(data) if data is not None and not split else None
    return get_split(split or "default").test if of_data is None else of_data


def _beside(data: Path | None) -> Path:
    """Where training on this data looks for its manifest."""
    if data is None:
        return MANIFEST
    return (data if data.is_dir() else data.parent) / MANIFEST.name


@app.command("show")
def show_command(
    manifest: Annotated[Path, typer.Argument(help="The manifest, or the older one of two.")] = MANIFEST,
    newer: Annotated[Path | None, typer.Argument(help="Another one: how the questions moved.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the groups of a manifest, or the flow of questions between two."""
    try:
        old = load_manifest(manifest)
        new = None if newer is None else load_manifest(newer)
    except ManifestError as error:
        fail(f"{error}: `r1ci stages build` makes one")
    if new is None:
        if as_json:
            typer.echo(json.dumps(_facts(old)))
        else:
            _print_manifest(old)
        return
    moved = flow(old, new)
    if as_json:
        pairs = [{"from": pair[0], "to": pair[1], "questions": count} for pair, count in sorted(moved.items())]
        typer.echo(json.dumps({"old": old.digest, "new": new.digest, "stayed": stayed(moved), "flow": pairs}))
    else:
        console.print(_flow_table(moved, old, new))
        console.print(f"{stayed(moved):.1%} of the questions of both stayed in their group")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text!r} is no list of numbers such as 0.64,0.48,0.32") from None


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {"digest": manifest.digest, "rule": manifest.rule, "sizes": manifest.sizes}


def _print_manifest(manifest: Manifest) -> None:
    rule = ", ".join(f"{key} {value}" for key, value in manifest.rule.items())
    table = Table("group", *(Column(name, justify="right") for name in ("questions", "stage trains on", "pass rates")))
    table.title = f"manifest {manifest.digest}"
    table.caption = rule or None
    total = 0
    for group, size in manifest.sizes.items():
        rates = sorted(entry.p for entry in manifest.entries if entry.group == group)
        spread = f"{rates[0]:.2f} .. {rates[-1]:.2f}"
        if group == 0:
            reasons = sorted({entry.left_out for entry in manifest.entries if entry.group == group})
            table.add_row(f"left out: {', '.join(filter(None, reasons))}", str(size), "", spread)
            continue
        total += size
        table.add_row(str(group), str(size), str(total), spread)
    console.print(table)


def _flow_table(moved: Flow, old: Manifest, new: Manifest) -> Table:
    rows, columns = labels(moved)
    table = Table(f"{old.digest} \\ {new.digest}", *(Column(f"to {name}", justify="right") for name in columns))
    table.title = "questions by old group (rows) and new group (columns); group 0 is left out"
    for row in rows:
        table.add_row(f"from {row}", *(str(moved.get((row, column), "")) for column in columns))
    return table
