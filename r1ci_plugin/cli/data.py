"""`r1ci data`: build questions as parquet for verl, show them, check them, and fetch the public files some tasks need.

Left out: which questions (`data/plan.py`), files (`data/build.py`), what is checked (`data/check.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.cli.tables import FITTING
from r1ci_plugin.curriculum.questions import question_ids_of
from r1ci_plugin.data.build import Built, Measure, TaskFailed, WouldOverwrite, build, characters
from r1ci_plugin.data.check import Checked, check_folder, read_part
from r1ci_plugin.data.plan import PARTS, Plan
from r1ci_plugin.installing import install
from r1ci_plugin.printable import printable
from r1ci_plugin.seed_policy import seed_policy_path
from r1ci_plugin.tasks import task_names
from r1ci_plugin.tasks.splits import SPLITS, Split, UnknownSplit, get_split

app = typer.Typer(help="Questions as files for verl: build, show, check, fetch.", no_args_is_help=True)
console = Console(emoji=False)

FOLDER, SEED_POLICY = Path("data/r1ci"), seed_policy_path()
FolderArgument = Annotated[Path, typer.Argument(help="Folder of a built data set.")]


@app.command("build")
def build_command(
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = FOLDER,
    tasks: Annotated[str, typer.Option(help="Only tasks that match these patterns, separated by commas.")] = "*",
    split: Annotated[str, typer.Option(help=f"{', '.join(SPLITS)}, or a file that names the test tasks.")] = "default",
    questions_per_task: Annotated[
        int, typer.Option(min=1, help="For training, or for the test if it is a test task.")
    ] = 200,
    validation_per_task: Annotated[int, typer.Option(min=0, help="Held-out questions of each training task.")] = 20,
    difficulty: Annotated[str, typer.Option(help="Levels such as 2, 1-3 or 1,4; all levels if not given.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other questions.")] = 0,
    exclude: Annotated[
        Path | None, typer.Option(help="JSON list of question ids to leave out, e.g. a policy's questions_seen.json.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    allow_canary: Annotated[
        bool, typer.Option("--allow-canary", help="Also train on public test files that ask not to be trained on.")
    ] = False,
    policy: Annotated[
        str, typer.Option(help="Folder of a policy, or `seed`: its tokenizer.json counts the table's prompt tokens.")
    ] = "seed",
    force: Annotated[bool, typer.Option("--force", help="Replace a finished data set.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build train.parquet, validation.parquet and test.parquet. A stopped build goes on where it stopped."""
    try:
        plan = Plan.of(
            _split(split),
            [name for pattern in tasks.split(",") for name in _matching(pattern.strip())],
            allow_canary=allow_canary,
            questions_per_task=questions_per_task,
            validation_per_task=validation_per_task,
            levels=parse_levels(difficulty),
            seed=seed,
            excluded=read_question_ids(exclude),
        )
        measure = token_lengths(_policy_folder(policy))
        built = _build_with_progress(plan, out, workers, force, measure or characters, quiet=as_json)
    except (WouldOverwrite, TaskFailed, ValueError) as error:
        fail(str(error))
    except BrokenProcessPool:
        fail("a process that draws questions was killed, for lack of memory perhaps: the same command goes on")
    except OSError as error:
        fail(f"{out} cannot be written ({error.strerror or error}): choose another folder with --out")
    if as_json:
        typer.echo(json.dumps({"folder": str(out), "tasks": {one.task: one.questions for one in built}}))
    else:
        unit = (
            f"tokens (of {_policy_folder(policy).name})"
            if measure
            else "characters (tokens need pip install tokenizers)"
        )
        console.print(_built_table(built, unit))
        for one in built:
            if one.left_out:
                console.print(f"[yellow]left out[/yellow] {escape(one.left_out)}")
        console.print(f"wrote {out}: `r1ci data check {out}` proves it, README.md is its card", markup=False)


@app.command("show")
def show_command(
    folder: FolderArgument = FOLDER,
    part: Annotated[str, typer.Option(help="train, validation or test.")] = "train",
    index: Annotated[int, typer.Option(min=0, help="Which row of the file.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show one row of a file as verl sees it, and what its verifier knows."""
    if not (folder / f"{part}.parquet").exists():
        fail(f"{folder} holds no {part}.parquet: `r1ci data build --out {folder}` makes it")
    try:
        row = next((found for found in read_part(folder, part) if found.row["extra_info"]["index"] == index), None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"{part}.parquet in {folder} cannot be read ({type(error).__name__}: {error})")
    if row is None:
        fail(f"{part}.parquet has no row {index}")
    if as_json:
        typer.echo(json.dumps(row.row))
        return
    info = row.row["extra_info"]
    console.rule(f"{printable(str(row))}  seed {info['seed']}  difficulty {info['difficulty']}  {info['question_id']}")
    console.print(printable(row.prompt), markup=False, highlight=False)
    console.rule("for the verifier alone")
    console.print_json(json.dumps(row.question.payload if row.question else None))


@app.command("check")
def check_command(
    folder: FolderArgument = FOLDER,
    solve_per_task: Annotated[
        int, typer.Option(min=0, help="Solutions judged in the pool, of each task and file.")
    ] = 5,
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder of a policy, or `seed`, to count prompt tokens.")
    ] = None,
    max_prompt_tokens: Annotated[int | None, typer.Option(help="The recipe's data.max_prompt_length.")] = None,
    recipe: Annotated[
        str, typer.Option(help="Take tokenizer and longest prompt from this recipe, e.g. r1ci_stage1.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Check a built data set: rows, hashes, duplicates, leaks, solutions, prompt lengths. Ends with 1 if any fails."""
    if recipe:
        tokenizer, max_prompt_tokens = _limits_of(recipe, tokenizer, max_prompt_tokens)
    if max_prompt_tokens and not tokenizer:
        raise typer.BadParameter("--max-prompt-tokens needs a --tokenizer to count with")
    count = token_counter(_policy_folder(tokenizer)) if tokenizer else None
    work = check_folder(folder, solve_per_task=solve_per_task, count_tokens=count, max_prompt_tokens=max_prompt_tokens)
    try:
        checked = asyncio.run(work)
    except FileNotFoundError as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps({"ok": checked.ok, "findings": checked.findings, "questions": checked.questions}))
    else:
        _print_checked(checked)
    raise typer.Exit(0 if checked.ok else 1)


@app.command("fetch")
def fetch_command(
    what: Annotated[str, typer.Argument(help="bbh: the public files of BIG-Bench Hard.")] = "bbh",
    bbh_dir: Annotated[Path | None, typer.Option(help="Folder for the files; the user's cache if not given.")] = None,
) -> None:
    """Download the public files that some tasks need: the five human-labelled tasks of BIG-Bench Hard."""
    from r1ci_plugin.tasks.bbh.fetch import FetchFailed, fetch

    if what != "bbh":
        raise typer.BadParameter(f"there is nothing called {what!r} to fetch, only bbh")
    try:
        fetch(bbh_dir, say=typer.echo)
    except FetchFailed as error:
        fail(str(error))


@app.command("splits")
def splits_command(
    split: Annotated[
        str, typer.Argument(help=f"{', '.join(SPLITS)}, or a file that names the test tasks.")
    ] = "default",
    as_json: JsonOption = False,
) -> None:
    """Show which tasks a split trains on and which it keeps for the test."""
    chosen = _split(split)
    if as_json:
        typer.echo(json.dumps({"name": chosen.name, "train": chosen.train, "test": chosen.test}))
        return
    table = Table(
        "test", "train", title=f"{split}: {len(chosen.train)} tasks to train on, {len(chosen.test)} for the test"
    )
    table.add_row("\n".join(chosen.test), "\n".join(chosen.train))
    console.print(table)


def parse_levels(text: str) -> tuple[int, ...]:
    """`2`, `1-3` or `1,4-5` as sorted levels; empty for all. A usage error for anything else."""
    levels: set[int] = set()
    for piece in filter(None, text.replace(" ", "").split(",")):
        match = re.fullmatch(r"([1-9][0-9]?)(?:-([1-9][0-9]?))?", piece)
        if not match or int(match[1]) > int(match[2] or match[1]):
            raise typer.BadParameter(
                f"{piece!r} is no level or range of levels such as 2 or 1-3", param_hint="--difficulty"
            )
        levels.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(levels))


def token_counter(folder: Path) -> Callable[[str], int]:
    """Tokens of a user message in the chat format of the policy in a folder. Needs transformers."""
    absent = f"there is no tokenizer at {folder}: give --tokenizer the folder of a policy, or `seed`"
    if not folder.is_dir() and (len(folder.parts) != 2 or folder.parent.is_dir()):
        fail(absent)  # no name on the hub either, which would be asked for a minute
    try:
        from transformers import AutoTokenizer

        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    except ImportError as error:
        fail(f"counting tokens needs transformers ({error}): {install('train')}")
    except (OSError, ValueError):
        fail(absent)

    def count(prompt: str) -> int:
        message = [{"role": "user", "content": prompt}]
        return len(tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=True, return_dict=False))

    return count


def _limits_of(recipe: str, tokenizer: str | None, most: int | None) -> tuple[str, int]:
    """Tokenizer and longest prompt of a recipe, where they are not given."""
    from r1ci_plugin.doctor import compose, composing_fault

    try:
        with contextlib.redirect_stdout(sys.stderr):  # verl and its friends print
            config = compose(recipe)
    except ImportError as error:
        fail(f"--recipe needs verl ({error}): {install('train')}")
    except Exception as error:  # Hydra's errors are many; all of them are about the name
        fail(f"the recipe {recipe} does not compose: {composing_fault(error)}")
    model = config.actor_rollout_ref.model
    folder = tokenizer or os.path.expanduser(model.get("tokenizer_path") or model.path)
    return folder, most or int(config.data.max_prompt_length)


def _policy_folder(name: str) -> Path:
    return SEED_POLICY if name == "seed" else Path(name)


def token_lengths(folder: Path) -> Measure | None:
    """Tokens of texts by a policy's tokenizer.json, without the few of the chat format; None where the package
    tokenizers is not installed. Raises ValueError if the folder has no such file."""
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return None
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ValueError(f"{folder} has no tokenizer.json: give --policy a folder that has one")
    tokenizer = Tokenizer.from_file(str(file))

    def lengths(texts: Sequence[str]) -> list[int]:
        return [len(encoded.ids) for encoded in tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    return lengths


def _build_with_progress(
    plan: Plan, out: Path, workers: int, force: bool, measure: Measure, quiet: bool
) -> list[Built]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task("drawing questions", total=len(plan.tasks))

        def on_task(name: str) -> None:
            progress.update(bar, advance=1, description=f"drew {name}")

        return build(plan, out, workers=workers, force=force, on_task=on_task, measure=measure)


def _matching(pattern: str) -> list[str]:
    """The tasks of a pattern; one without a suite matches in all suites."""
    names = task_names(pattern) or task_names(f"*/{pattern}")
    if not names:
        raise typer.BadParameter(
            f"no task matches {pattern!r}: `r1ci tasks list` shows all of them", param_hint="--tasks"
        )
    return names


def read_question_ids(file: Path | None) -> frozenset[str]:
    """The ids a file names. Raises ValueError if it cannot be read or is not a JSON list of texts."""
    try:
        return frozenset(question_ids_of(file)) if file is not None else frozenset()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror or error}") from error


def _split(name: str) -> Split:
    try:
        return get_split(name)
    except (UnknownSplit, UnicodeDecodeError) as error:
        raise typer.BadParameter(str(error), param_hint="--split") from None


def _built_table(built: list[Built], unit: str) -> Table:
    """Whole in 80 columns: what is said of few tasks stands below their names."""
    table = Table(
        Column("task", min_width=max(len(one.task) for one in built)),
        *(Column(name, no_wrap=True, justify="right") for name in ("levels", "train", "val", "test", "p50", "p95")),
        title=f"Questions, and lengths of their prompts in {unit}",
        **FITTING,
    )
    for one in built:
        counts = (str(one.questions.get(part, "")) for part in PARTS)
        levels = _levels_text(one.levels)
        labels = f"labels: {escape(one.labels)}" if one.labels else ""
        notes = "; ".join(filter(None, (f"{one.missing} missing" if one.missing else "", labels)))
        name = f"{one.task}\n  {notes}" if notes else one.task
        table.add_row(name, levels, *counts, *map(str, one.prompt_lengths))
    sums = (str(sum(one.questions.get(part, 0) for one in built)) for part in PARTS)
    table.add_section()
    table.add_row(f"{len(built)} tasks, {sum(one.missing for one in built)} questions missing", "", *sums, "", "")
    return table


def _levels_text(levels: Sequence[int]) -> str:
    """A range, or the levels where some between are missing."""
    if levels and tuple(levels) == tuple(range(levels[0], levels[-1] + 1)):
        return f"{levels[0]}-{levels[-1]}"
    return ",".join(map(str, levels))


def _print_checked(checked: Checked) -> None:
    counts = ", ".join(f"{count} in {part}" for part, count in checked.questions.items())
    console.print(f"{counts}; {checked.solved} solutions judged")
    if checked.prompt_tokens:
        console.print("prompt tokens: median {}, 95th percentile {}, longest {}".format(*checked.prompt_tokens))
    for finding in checked.findings:
        console.print(f"[red]wrong[/red] {escape(printable(finding))}")
    if checked.ok:
        console.print("[green]ok[/green]: hashes, rows, no question twice, no test task in training, solutions correct")
