"""`r1ci potential`: how much each question can still teach, and how sure that is.

Left out: the formulas (`curriculum/potential.py`), what may be counted (`curriculum/answers.py`), the picture
(`curriculum/picture.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from r1ci_plugin.curriculum.adaptive import TOTAL
from r1ci_plugin.curriculum.answers import counts_at
from r1ci_plugin.curriculum.build import Rule, build_manifest
from r1ci_plugin.curriculum.counts import Count, CountsError
from r1ci_plugin.curriculum.groups import Grouping
from r1ci_plugin.curriculum.manifest import Manifest, ManifestError
from r1ci_plugin.curriculum.potential import POTENTIALS
from r1ci_plugin.curriculum.summary import Summary, bins, summaries

app = typer.Typer(help="Improvement potential of questions: measure, show.", no_args_is_help=True)
app.callback()(lambda: None)  # a group, however few commands it has
console = Console()

BAR = 40
"""Characters of the longest bar of the histogram."""

CountsArgument = Annotated[
    list[Path],
    typer.Argument(help="Counts, folders of runs with trajectories, or verl's rollout dumps; several are pooled."),
]
FormOption = Annotated[str, typer.Option("--potential", help=f"Formula: {', '.join(POTENTIALS)}.")]
TotalOption = Annotated[int, typer.Option("--answers", min=1, help="Answers that are a full measurement.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


@app.command("show")
def show_command(
    counts: CountsArgument,
    form: FormOption = "paper",
    total: TotalOption = TOTAL,
    agents: Annotated[str, typer.Option(help="Only answers of these agents, separated by commas.")] = "",
    png: Annotated[Path | None, typer.Option(help="Also draw a histogram; needs the extra `report`.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show pass rates and potential by task and suite, and how the questions spread over potential."""
    try:
        measured = measured_at(counts, form, total, [name for name in agents.split(",") if name])
    except (CountsError, ManifestError, ValueError) as error:
        fail(str(error))
    found = summaries(measured)
    if as_json:
        typer.echo(json.dumps({"summaries": [one.to_dict() for one in found], "histogram": bins(measured)}))
    else:
        console.print(_table(found))
        _print_histogram(measured)
    if png is not None:
        try:
            from r1ci_plugin.curriculum.picture import draw_histogram

            draw_histogram(measured, png)
        except ModuleNotFoundError:
            fail("a picture needs matplotlib: pip install 'r1ci_plugin[report]'")
        Console(stderr=True).print(f"wrote {png}", markup=False)


def measured_at(paths: list[Path], form: str, total: int, agents: list[str]) -> Manifest:
    """Everything measured at these paths as one manifest, with nothing left out. Raises CountsError, ValueError."""
    found: list[Count] = [count for path in paths for count in counts_at(path)]
    if agents:
        found = [count for count in found if count.agent in agents]
    if not found:
        raise CountsError(f"there is no judged answer in {', '.join(map(str, paths))}")
    return build_manifest(found, Rule(Grouping(form=form), total=total))


def fail(message: str) -> NoReturn:
    """End the command with one line."""
    Console(stderr=True).print(f"[red]error:[/red] {escape(message)}")
    raise typer.Exit(2)


def _table(found: list[Summary]) -> Table:
    groups = sorted({group for one in found for group in one.groups})
    by_group = " ".join(f"{group:>5}" for group in groups)
    headings = ("questions", "each", "right", "potential", by_group)
    table = Table(Column("task", no_wrap=True), *(Column(name, justify="right", no_wrap=True) for name in headings))
    for one, following in zip(found, [*found[1:], None], strict=True):
        table.add_row(
            one.name,
            str(one.questions),
            f"{one.answers / one.questions:.1f}",
            f"{one.pass_rate:.2f}",
            f"{one.potential:.2f} +-{one.half_width:.2f}",
            " ".join(f"{one.groups.get(group, 0):>5}" for group in groups),
            end_section=not one.is_suite and following is not None and following.is_suite,
        )
    table.caption = (
        "each: answers a question; right: mean pass rate; potential: mean, +- half the 95 % interval of a question; "
        f"{groups[0]} to {groups[-1]}: questions by group"
    )
    return table


def _print_histogram(measured: Manifest) -> None:
    found = bins(measured)
    most = max(size for _, _, size in found)
    console.print("questions by potential", style="bold")
    for low, high, size in found:
        console.print(f"{low:.1f} - {high:.1f}  {size:7}  {'#' * round(BAR * size / most)}", highlight=False)
