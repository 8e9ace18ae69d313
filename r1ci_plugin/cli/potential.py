"""`r1ci potential`: how much each question can still teach, and how sure that is.

Left out: the formulas (`curriculum/potential.py`), what may be counted (`curriculum/answers.py`), the picture
(`curriculum/picture.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from r1ci_plugin.cli import answering as a
from r1ci_plugin.cli.eval import agent_names
from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.curriculum.adaptive import TOTAL
from r1ci_plugin.curriculum.answers import counts_at
from r1ci_plugin.curriculum.build import Rule, build_manifest
from r1ci_plugin.curriculum.counts import Count, CountsError, write_counts
from r1ci_plugin.curriculum.groups import Grouping
from r1ci_plugin.curriculum.manifest import Manifest, ManifestError
from r1ci_plugin.curriculum.potential import POTENTIALS
from r1ci_plugin.curriculum.summary import Summary, bins, summaries
from r1ci_plugin.evaluation.agents import MEASURING
from r1ci_plugin.evaluation.answering import Setup, open_runner
from r1ci_plugin.evaluation.measuring import Measured, Rounds, measure
from r1ci_plugin.evaluation.questions import read_questions
from r1ci_plugin.installing import install
from r1ci_plugin.tasks import Question

app = typer.Typer(help="Improvement potential of questions: measure, show.", no_args_is_help=True)
console = Console()

BAR = 40
"""Characters of the longest bar of the histogram."""

CountsArgument = Annotated[
    list[Path],
    typer.Argument(help="Counts, folders of runs with trajectories, or verl's rollout dumps; several are pooled."),
]
FormOption = Annotated[str, typer.Option("--potential", help=f"Formula: {', '.join(POTENTIALS)}.")]
TotalOption = Annotated[int, typer.Option("--answers", min=1, help="Answers that are a full measurement.")]
AgentsOption = Annotated[str, typer.Option(help="Only answers of these agents, separated by commas.")]


@app.command("measure")
@a.with_options("temperature")
def measure_command(
    options: a.Options,
    data: Annotated[
        Path, typer.Option(help="Data folder, a parquet of `r1ci data build`, or JSON Lines: what is measured.")
    ] = Path("data/r1ci"),
    agents: Annotated[str, typer.Option(help="Separated by commas.")] = ",".join(MEASURING),
    samples: Annotated[int, typer.Option(min=1, help="Answers of each agent to each question.")] = 5,
    temperatures: Annotated[str, typer.Option(help="One for each sample, counted round.")] = "0.6,0.7,0.8,0.9,1.0",
    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Stop asking about a question once its group is settled.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder; the same command goes on where it stopped.")] = Path(
        "runs/potential"
    ),
    as_json: JsonOption = False,
) -> None:
    """Let a policy answer each training question some 20 times. Exit code 1 if answers are missing."""
    setup = options.setup(options.policy_maker())
    try:
        rounds = Rounds(tuple(agent_names(agents)), samples, _temperatures(temperatures), adaptive)
        questions = read_questions(data / "train.parquet" if data.is_dir() else data)
    except ValueError as error:
        fail(str(error))
    settings = {
        "command": "potential measure",
        **options.settings(),
        "agents": rounds.agents,
        "temperatures": rounds.temperatures,
    }
    measured = a.answered(_measure(setup, out, settings, questions, rounds, as_json))
    write_counts(out / "counts.parquet", counts_at(out))
    facts = {"answers": len(measured.records), "saved": measured.saved, "missing": measured.missing}
    if as_json:
        typer.echo(json.dumps({"folder": str(out), "questions": len(questions), **facts}))
    else:
        asked = len(measured.records) + measured.missing
        saved = f", {measured.saved} of {asked + measured.saved} not needed" if adaptive else ""
        console.print(f"{len(measured.records)} answers to {len(questions)} questions in {out}{saved}", markup=False)
        console.print(f"next: r1ci potential show {out}; r1ci stages build --counts {out} --data {data}", markup=False)
        if measured.missing:
            console.print(f"[yellow]{measured.missing} answers are missing: the same command asks for them again")
    raise typer.Exit(1 if measured.missing else 0)


async def _measure(
    setup: Setup, out: Path, settings: dict[str, Any], questions: list[Question], rounds: Rounds, quiet: bool
) -> Measured:
    from r1ci_plugin.cli.live import Live

    with Live(len(questions) * rounds.total, quiet) as live:
        async with open_runner(setup, out, settings, questions, live.on_record) as runner:
            return await measure(runner, questions, rounds)


def _temperatures(text: str) -> tuple[float, ...]:
    found = tuple(float(part) for part in text.split(",") if part.strip())
    if not found or min(found) < 0:
        raise ValueError(f"--temperatures takes numbers such as 0.6,1.0, not {text!r}")
    return found


@app.command("show")
def show_command(
    counts: CountsArgument,
    form: FormOption = "paper",
    total: TotalOption = TOTAL,
    agents: AgentsOption = "",
    png: Annotated[Path | None, typer.Option(help="Also draw a histogram; needs the extra `report`.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show pass rates and potential by task and suite, and how the questions spread over potential."""
    try:
        measured = build_manifest(counted(counts, agents), Rule(Grouping(form=form), total=total))
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
            fail(f"a picture needs matplotlib: {install('report')}")
        except OSError as error:
            fail(f"{png} cannot be written: {error}")
        Console(stderr=True).print(f"wrote {png}", markup=False)


def counted(paths: list[Path], agents: str) -> list[Count]:
    """The counts of all paths, only of some agents if they are named. Raises CountsError where nothing is left."""
    wanted = {name.strip() for name in agents.split(",") if name.strip()}
    with Console(stderr=True).status("counting answers"):
        found = [count for path in paths for count in counts_at(path) if not wanted or count.agent in wanted]
    if not found:
        raise CountsError(f"there is no judged answer in {', '.join(map(str, paths))}")
    return found


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
