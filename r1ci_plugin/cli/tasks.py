"""`r1ci tasks`: list, show, check, and the gallery of one question of every task.

Left out: what a check is (`tasks/check.py`), what a gallery page looks like (`tasks/gallery.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.cli.tables import FITTING
from r1ci_plugin.tasks import Task, UnknownTask, get_task, task_names
from r1ci_plugin.tasks.check import checks, class_balance
from r1ci_plugin.tasks.gallery import write_gallery
from r1ci_plugin.tasks.registry import SUITES
from r1ci_plugin.tasks.splits import kin

app = typer.Typer(
    help="The 144 tasks: what they are, their questions, and whether they are sound.", no_args_is_help=True
)
console = Console(emoji=False)

SuiteOption = Annotated[str | None, typer.Option(help=f"Only this suite: {', '.join(SUITES)}.")]
TasksOption = Annotated[str | None, typer.Option(help="Only tasks that match these patterns, separated by commas.")]


@app.command("list")
def list_command(suite: SuiteOption = None, tasks: TasksOption = None, as_json: JsonOption = False) -> None:
    """List the tasks with what each asks for."""
    infos = [get_task(name).info for name in selected(suite, tasks)]
    if as_json:
        facts = (
            "name",
            "suite",
            "summary",
            "capabilities",
            "answer_kind",
            "levels",
            "default_level",
            "knobs",
            "chance",
            "membership",
            "source",
            "licence",
            "human_label",
        )
        twins = kin()
        listed = [{fact: getattr(info, fact) for fact in facts} | {"twins": twins[info.name]} for info in infos]
        typer.echo(json.dumps({"tasks": listed}))
        return
    width = max((len(info.name) for info in infos), default=0)
    narrow = ("answer", "levels", "listed")
    columns = (Column("task", min_width=width), *(Column(name, no_wrap=True) for name in narrow))
    table = Table(*columns, title=f"{len(infos)} of {len(task_names())} tasks", **FITTING)
    for info in infos:
        chance = f"; chance {info.chance:.0%}" if info.chance else ""
        about = f"{info.name}\n  {escape(info.summary)} ({', '.join(info.capabilities)}{chance})"
        table.add_row(about, info.answer_kind, str(info.levels), info.membership)
    console.print(table)
    console.print(
        "listed: the paper's list of 144 tasks is not public. Public sources name the stated ones as part of it; the "
        "inferred ones are our choice."
    )


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="Suite and task, such as symbench/reversi.")],
    seed: Annotated[int, typer.Option(help="Which question.")] = 0,
    difficulty: Annotated[int | None, typer.Option(help="Which level; the task's default level if not given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one question: prompt, drawing, the oracle's answer and the verdict on it."""
    task = found(name)
    try:
        question = task.make(seed, difficulty)
    except FileNotFoundError as error:
        fail(str(error))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    answer = task.solve(question)
    verdict = task.verify(question, answer)
    if as_json:
        facts = {"question": question.to_dict(), "answer": answer, "verdict": verdict.outcome, "reason": verdict.reason}
        typer.echo(json.dumps(facts))
        return
    console.rule(f"{task.name}  seed {seed}  difficulty {question.difficulty} of {task.info.levels}")
    parts = {"prompt": question.prompt, "drawing": task.drawing(question.payload), "oracle": answer}
    for title, text in parts.items():
        if text:
            console.print(f"[bold]{title}[/bold]")
            console.print(text, markup=False, highlight=False, soft_wrap=True)
            console.print()
    console.print(f"[bold]verdict[/bold] {verdict.outcome}: {escape(verdict.reason)}")


@app.command("check")
def check_command(
    suite: SuiteOption = None,
    tasks: TasksOption = None,
    full: Annotated[
        bool, typer.Option(help="200 questions a level and 1,000 for distinctness: minutes, not seconds.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check tasks: seeds, oracle, leaks, trivial and hostile answers, distinctness, levels. Ends with 1 if any
    fails."""
    reports = []
    for name in selected(suite, tasks):
        report = check_one(get_task(name), full)
        reports.append(report)
        if not as_json:
            print_report(report)
    if as_json:
        typer.echo(json.dumps({"tasks": reports}))
    else:
        checked = [report for report in reports if report["checks"]]
        console.print(f"{sum(report['ok'] for report in checked)} of {len(checked)} tasks pass all checks")
    if not all(report["ok"] for report in reports):
        raise typer.Exit(1)


@app.command("gallery")
def gallery_command(out: Annotated[Path, typer.Option(help="Folder for the pages.")] = Path("docs/gallery")) -> None:
    """Write a page for each suite with one question of every task, its drawing and the oracle's answer."""
    try:
        for page in write_gallery(out):
            console.print(f"wrote {page}")
    except OSError as error:
        fail(f"{out} cannot be written: {error}")


def check_one(task: Task, full: bool) -> dict[str, Any]:
    """The report of one task, as `--json` prints it. A task whose questions must be fetched first is left out, not
    failed."""
    try:
        task.make(0)
    except FileNotFoundError as error:
        return {"name": task.name, "ok": True, "checks": {}, "left_out": str(error)}
    findings = checks(task, quick=not full)
    answer, share = class_balance(task) if findings["oracle_is_right"] is True else ("", 0.0)
    return {
        "name": task.name,
        "ok": all(finding is True for finding in findings.values()),
        "checks": findings,
        "most_frequent_answer": {"answer": answer[:80], "share": share},
    }


def print_report(report: dict[str, Any]) -> None:
    """One line for a sound task, one more for every finding."""
    if "left_out" in report:
        console.print(f"[yellow]left out[/yellow] {escape(report['left_out'])}")
        return
    findings = report["checks"]
    mark = "[green]ok[/green]  " if report["ok"] else "[red]FAIL[/red]"
    passed = sum(finding is True for finding in findings.values())
    share = report["most_frequent_answer"]["share"]
    console.print(f"{mark} {report['name']}  {passed}/{len(findings)}  most frequent answer {share:.0%}")
    for check, finding in findings.items():
        if finding is not True:
            console.print(f"       {check}: {finding}", markup=False)


def selected(suite: str | None, patterns: str | None) -> list[str]:
    """The names a command is about. Ends with a usage error if there is none."""
    if suite is not None and suite not in SUITES:
        raise typer.BadParameter(f"unknown suite {suite!r}: one of {', '.join(SUITES)}")
    wanted = [pattern.strip() for pattern in patterns.split(",")] if patterns else ["*"]
    of_pattern = {pattern: task_names(pattern) or task_names(f"*/{pattern}") for pattern in wanted}
    if unknown := [pattern for pattern, names in of_pattern.items() if not names]:
        raise typer.BadParameter(f"no task matches {unknown[0]!r}: `r1ci tasks list` shows all of them")
    matching = {name for names in of_pattern.values() for name in names}
    names = [name for name in task_names(f"{suite}/*" if suite else "*") if name in matching]
    if not names:
        raise typer.BadParameter(f"no task matches {patterns or suite!r}: `r1ci tasks list` shows all of them")
    return names


def found(name: str) -> Task:
    """The task, or a usage error that offers the nearest names."""
    try:
        return get_task(name)
    except UnknownTask as error:
        raise typer.BadParameter(str(error)) from None
