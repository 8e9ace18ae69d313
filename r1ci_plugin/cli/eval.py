"""`r1ci eval`: let a policy answer questions and say how right it is.

Left out: getting answers (`evaluation/`), the options on who answers (`answering.py`), tables.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typing_extensions import Self

from r1ci_plugin.cli import answering as a
from r1ci_plugin.cli import evaluation_tables, interchange
from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.evaluation.agents import AGENTS, get_agent
from r1ci_plugin.evaluation.answering import Setup, open_runner
from r1ci_plugin.evaluation.questions import NoQuestions, choose_tasks, held_out_questions, read_questions
from r1ci_plugin.evaluation.runner import Job, Tally
from r1ci_plugin.evaluation.scores import contenders, scores_of
from r1ci_plugin.printable import printable
from r1ci_plugin.record import Record
from r1ci_plugin.tasks import Question
from r1ci_plugin.tasks.splits import UnknownSplit, get_split

app = typer.Typer(help="Evaluate a policy: run, show, compare, verify, export.", no_args_is_help=True)
app.command("show")(evaluation_tables.show)
app.command("compare")(evaluation_tables.compare)
app.command("verify")(evaluation_tables.verify)
app.command("export")(interchange.export_command)
app.command("import")(interchange.import_command)


@app.command("run")
@a.with_options()
def run_command(
    options: a.Options,
    tasks: Annotated[str, typer.Option(help="test, train, all, a suite, or patterns separated by commas.")] = "test",
    questions: Annotated[
        Path | None, typer.Option(help="A parquet of `r1ci data build`, or JSON Lines of your own questions.")
    ] = None,
    per_task: Annotated[int, typer.Option(min=1, help="Held-out questions of each task.")] = 10,
    difficulty: Annotated[str, typer.Option(help="Levels such as 2, 1-3 or 1,4; all if not given.")] = "",
    split: Annotated[str, typer.Option(help="Which tasks are test tasks, as for `r1ci data build`.")] = "default",
    seed: Annotated[int, typer.Option(min=0, help="The seed of the data set whose held-out questions are asked.")] = 0,
    exclude: Annotated[Path | None, typer.Option(help="JSON list of question ids to leave out.")] = None,
    agents: Annotated[
        str, typer.Option(help=f"{', '.join(AGENTS)}, or package.module:Class; several separated by commas.")
    ] = "code_agent",
    samples: Annotated[int, typer.Option(min=1, help="Answers of each agent to each question.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder of the run; the same command goes on where it stopped.")] = Path(
        "runs/eval"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and how much, and end.")] = False,
    fail_under: Annotated[
        float | None, typer.Option(help="Exit code 1 if an agent's accuracy (mean over tasks) is below.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask questions, judge answers, write records. Exit code 1: below --fail-under, or answers are missing."""
    setup = options.setup(options.policy_maker())
    names = agent_names(agents)
    chosen = chosen_questions(tasks, questions, per_task, difficulty, split, seed, exclude)
    jobs = [
        Job(question, name, sample, options.temperature)
        for question in chosen
        for name in names
        for sample in range(samples)
    ]
    if dry_run:
        estimate = _Estimate.of(jobs, setup)
        typer.echo(json.dumps(asdict(estimate)) if as_json else str(estimate))
        raise typer.Exit
    settings = {
        "command": "eval run",
        **options.settings(),
        "agents": names,
        "samples": samples,
        "temperature": options.temperature,
        "tasks": sorted({question.task for question in chosen}),
        "questions": _digest(chosen),
    }
    records, tally = a.answered(run_jobs(setup, out, settings, jobs, quiet=as_json))
    _tell(records, tally, out, as_json)
    raise typer.Exit(1 if _falls_short(records, len(jobs), fail_under) else 0)


async def run_jobs(
    setup: Setup, folder: Path, settings: dict[str, Any], jobs: Sequence[Job], quiet: bool
) -> tuple[list[Record], Tally]:
    """Answer jobs with a live view."""
    from r1ci_plugin.cli.live import Live

    with Live(len(jobs), quiet) as live:
        questions = [job.question for job in jobs]
        async with open_runner(setup, folder, settings, questions, live.on_record) as runner:
            return await runner.answer_all(jobs), runner.tally


def chosen_questions(
    tasks: str,
    file: Path | None,
    per_task: int,
    difficulty: str,
    split: str,
    seed: int,
    exclude: Path | None,
) -> list[Question]:
    """The questions of the options; ends the command where there are none."""
    from r1ci_plugin.cli.data import parse_levels, read_question_ids

    try:
        excluded = read_question_ids(exclude)
        if file is not None:
            return read_questions(file, excluded)
        return held_out_questions(
            choose_tasks(tasks, get_split(split)),
            per_task,
            split=split,
            levels=parse_levels(difficulty),
            seed=seed,
            excluded=excluded,
            on_missing=lambda words: typer.echo(f"note: {words}", err=True),
        )
    except (NoQuestions, UnknownSplit, ValueError, OSError) as error:
        fail(str(error))


def agent_names(agents: str) -> list[str]:
    """The agents of the option, each once and loaded to see that it is there. Ends the command where there is none."""
    names = list(dict.fromkeys(part.strip() for part in agents.split(",") if part.strip()))
    if not names:
        fail(f"--agents names no agent: {', '.join(AGENTS)}, or package.module:Class")
    try:
        for name in names:
            get_agent(name)
    except ValueError as error:
        fail(str(error))
    return names


def _digest(questions: Sequence[Question]) -> str:
    from r1ci_plugin.curriculum.manifest import digest

    return digest(sorted(question.question_id for question in questions))


CHARACTERS_A_TOKEN = 4
"""For estimates only."""


@dataclass(frozen=True)
class _Estimate:
    """What a run would take at most: prompts are sent again with every turn, so this counts one turn."""

    answers: int
    questions: int
    tasks: int
    prompt_tokens: int
    response_tokens: int

    @classmethod
    def of(cls, jobs: Sequence[Job], setup: Setup) -> Self:
        return cls(
            len(jobs),
            len({job.question.question_id for job in jobs}),
            len({job.question.task for job in jobs}),
            sum(len(job.question.prompt) for job in jobs) // CHARACTERS_A_TOKEN,
            len(jobs) * setup.sampling.response_tokens,
        )

    def __str__(self) -> str:
        return (
            f"{self.answers} answers to {self.questions} questions of {self.tasks} tasks: about "
            f"{self.prompt_tokens:,} prompt tokens a turn, at most {self.response_tokens:,} tokens of responses"
        )


def _tell(records: Sequence[Record], tally: Tally, out: Path, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "folder": str(out),
                    "answers": tally.done,
                    "lost": tally.lost,
                    "not_started": tally.not_started,
                    "accuracy": macro_accuracies(records),
                    "tokens": tally.usage.prompt_tokens + tally.usage.sampled_tokens,
                    "cost": tally.usage.cost,
                }
            )
        )
        return
    if records:
        evaluation_tables.print_tables(contenders(records))
    typer.echo(f"{tally.done} answers in {out}: `r1ci view {out}`, `r1ci eval show {out}`")
    if tally.lost:
        typer.echo(
            f"{tally.lost} answers were lost, e.g.: {printable(tally.reasons[0])}. Run the same command again for them."
        )
    if tally.not_started:
        typer.echo(f"the budget had no room for {tally.not_started} answers")


def macro_accuracies(records: Sequence[Record]) -> dict[str, float]:
    """The accuracy of each contender that has a judged answer, macro over tasks."""
    scores = {name: scores_of(some) for name, some in contenders(records).items()}
    return {name: one.accuracy for name, one in scores.items() if one.tasks}


def _falls_short(records: Sequence[Record], wanted: int, fail_under: float | None) -> bool:
    below = fail_under is not None and any(value < fail_under for value in macro_accuracies(records).values())
    return below or len(records) < wanted
