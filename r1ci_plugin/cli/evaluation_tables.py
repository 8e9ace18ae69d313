"""What `r1ci eval show`, `compare` and `verify` do, and the tables at the end of `r1ci eval run`.

Left out: the numbers (`r1ci_plugin/evaluation`), the group of commands (`eval.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.evaluation.behaviour import behaviour_of
from r1ci_plugin.evaluation.comparison import NothingInCommon
from r1ci_plugin.evaluation.comparison import compare as compare_scores
from r1ci_plugin.evaluation.layouts import behaviour_sheet, comparison_sheet, table_sheet
from r1ci_plugin.evaluation.reading import read_contender, read_contenders
from r1ci_plugin.evaluation.reverify import PRELOAD, Reverified, reverify
from r1ci_plugin.evaluation.scores import scores_of
from r1ci_plugin.evaluation.sheet import Sheet, csv_of
from r1ci_plugin.evaluation.tables import rows_of
from r1ci_plugin.journal import Journal
from r1ci_plugin.printable import printable
from r1ci_plugin.record import Record
from r1ci_plugin.record_files import NoRecords, read_records
from r1ci_plugin.reward.pool import PoolBroken, VerifierPool

console = Console()
WHOLE = 400
"""Characters a line may have in a file."""


class Form(str, Enum):
    """How a table leaves the program."""

    terminal = "terminal"
    markdown = "markdown"
    csv = "csv"
    json = "json"


RunArgument = Annotated[Path, typer.Argument(help="Folder of a run, or a file of its trajectories.")]
FormOption = Annotated[Form, typer.Option("--format", help="How to print the tables.")]
LevelOption = Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the intervals.")]


def show(
    run: RunArgument, form: FormOption = Form.terminal, as_json: JsonOption = False, level: LevelOption = 0.95
) -> None:
    """Accuracy with intervals, pass@k, chance and effort: by task, suite, capability, overall."""
    try:
        found = read_contenders(run)
    except NoRecords as error:
        fail(str(error))
    print_tables(found, Form.json if as_json else form, level)


def compare(
    a: Annotated[str, typer.Argument(help="A run, as FOLDER or FOLDER:CONTENDER, e.g. runs/x:all_text.")],
    b: Annotated[str, typer.Argument(help="Another run, or another contender of the same run.")],
    form: FormOption = Form.terminal,
    as_json: JsonOption = False,
    level: LevelOption = 0.95,
) -> None:
    """Compare two runs on the questions both answered: differences, intervals, permutation test."""
    try:
        (name_a, records_a), (name_b, records_b) = read_contender(a), read_contender(b)
        compared = compare_scores(scores_of(records_a), scores_of(records_b), level)
    except (NoRecords, NothingInCommon) as error:
        fail(str(error))
    lines = compared.to_dict()["differences"]
    if as_json or form is Form.json:
        typer.echo(json.dumps({"a": name_a, "b": name_b, **compared.to_dict()}))
    elif form is Form.csv:
        typer.echo(csv_of(lines), nl=False)
    else:
        print_sheet(comparison_sheet(name_a, name_b, compared, level), form)


def verify(
    run: RunArgument,
    write: Annotated[
        Path | None, typer.Option(help="New file for all trajectories with today's verdicts; never in place.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Verifier processes.")] = 2,
    deadline_s: Annotated[float, typer.Option(min=0.1, help="Seconds of processor time for one verdict.")] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Judge stored answers anew with today's verifiers and list the verdicts that changed. Ends with 1 if any did."""
    if write is not None and write.exists():
        fail(f"{write} is there already: name a new file")
    try:
        records = list(read_records(run))
        done = asyncio.run(_reverified(records, workers, deadline_s, quiet=as_json))
    except (NoRecords, PoolBroken) as error:
        fail(str(error))
    if write is not None:
        try:
            with Journal(write) as journal:
                for record in done.records:
                    journal.append(record.to_dict())
        except (OSError, ValueError) as error:
            fail(f"{write} cannot be written: {error}")
    if as_json:
        typer.echo(json.dumps({"judged": done.judged, "changes": [change.to_dict() for change in done.changes]}))
    else:
        for change in done.changes:
            console.print(printable(_change_line(change.to_dict())), markup=False, highlight=False, soft_wrap=True)
        console.print(f"{done.judged} of {len(records)} trajectories judged, {len(done.changes)} verdicts changed")
    raise typer.Exit(1 if done.changes else 0)


def print_tables(found: Mapping[str, Sequence[Record]], form: Form = Form.terminal, level: float = 0.95) -> None:
    """Print the statistics and the behaviour of every contender, by its name. CSV holds the statistics alone."""
    rows = {name: rows_of(scores_of(records), level) for name, records in found.items()}
    if form is Form.csv:
        lines = [{"contender": name, **row.to_dict()} for name, some in rows.items() for row in some]
        typer.echo(csv_of(lines), nl=False)
        return
    behaviours = {name: one for name, records in found.items() if (one := behaviour_of(records)) is not None}
    if form is Form.json:
        typer.echo(
            json.dumps(
                {
                    "contenders": {name: [row.to_dict() for row in some] for name, some in rows.items()},
                    "behaviour": {name: one.to_dict() for name, one in behaviours.items()},
                }
            )
        )
        return
    for name, some in rows.items():
        print_sheet(table_sheet(name, some, level), form)
    print_sheet(behaviour_sheet(behaviours), form)


def print_sheet(sheet: Sheet, form: Form) -> None:
    """For a person: on the terminal, or as Markdown. A file or pipe gets the whole width."""
    if form is Form.markdown:
        typer.echo(sheet.markdown())
        return
    table = sheet.rich()
    (console if console.is_terminal else Console(width=WHOLE)).print(table)


async def _reverified(records: Sequence[Record], workers: int, deadline_s: float, quiet: bool) -> Reverified:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks = sorted({record.question.task for record in records})
    async with VerifierPool(workers, deadline_s, warm=tasks, preload=PRELOAD) as pool:
        with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
            bar = progress.add_task("judging", total=len(records))
            return await reverify(records, pool, lambda: progress.advance(bar))


def _change_line(change: Mapping[str, Any]) -> str:
    stored = change["stored"]["outcome"] if change["stored"] else "no verdict"
    return f"{change['key']}: {stored} -> {change['today']['outcome']}: {change['today']['reason']}"
