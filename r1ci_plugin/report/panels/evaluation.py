"""Runs of evaluation side by side: accuracy by suite and by task, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from r1ci_plugin.evaluation.tables import TaskFacts
from r1ci_plugin.report.charts import CHANCE, chance_mark, key, names_axis, share_axis, share_x_axis, whiskers
from r1ci_plugin.report.panel import Panel, Section, Table
from r1ci_plugin.report.sources import Evaluation
from r1ci_plugin.report.tally import Tally, by_suite, macro, total
from r1ci_plugin.report.theme import MARKERS, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def section(found: Sequence[Evaluation]) -> Section | None:
    """None without a run of evaluation."""
    if not found:
        return None
    return Section("evaluation", "Evaluation", [_suites(found), _tasks(found), _code(found)])


def _suites(found: Sequence[Evaluation]) -> Panel:
    suites = sorted({suite for entry in found for suite in by_suite(entry.tasks)})
    pooled = [{**by_suite(entry.tasks), "all answers": total(entry.tasks.values())} for entry in found]
    names = ["all answers", *reversed(suites)]
    rows = [
        (entry.name, name, tally.n, tally.acc, *tally.interval, macro(entry.tasks) if name == "all answers" else None)
        for entry, parts in zip(found, pooled, strict=True)
        for name in reversed(names)
        if (tally := parts.get(name)) is not None
    ]
    return Panel(
        "evaluation-suites",
        "Accuracy by suite",
        "95 % Wilson intervals over answers. The table has the mean over tasks beside it, which the paper reports.",
        Table(("run and agent", "suite", "answers", "accuracy", "low", "high", "mean over tasks"), rows),
        lambda figure, theme: _dots(figure, theme, names, [entry.name for entry in found], pooled),
        height=1.1 + len(names) * (0.2 + 0.16 * len(found)),
    )


def _tasks(found: Sequence[Evaluation]) -> Panel:
    names = sorted({task for entry in found for task in entry.tasks}, reverse=True)
    parts = [entry.tasks for entry in found]
    rows = [
        (task, entry.name, tally.n, tally.acc, *tally.interval, TaskFacts.of(task).chance, tally.code_rate)
        for task in reversed(names)
        for entry in found
        if (tally := entry.tasks.get(task)) is not None
    ]
    return Panel(
        "evaluation-tasks",
        "Accuracy by task",
        f"95 % Wilson intervals over answers. {CHANCE}",
        Table(("task", "run and agent", "answers", "accuracy", "low", "high", "chance", "code use"), rows),
        lambda figure, theme: _dots(figure, theme, names, [entry.name for entry in found], parts),
        height=1.0 + len(names) * (0.12 + 0.13 * len(found)),
    )


def _dots(
    figure: Figure, theme: Theme, names: Sequence[str], labels: Sequence[str], parts: Sequence[dict[str, Tally]]
) -> None:
    """A row a name, in it a point a run."""
    axes: Axes = figure.subplots()
    for place, name in enumerate(names):
        chance_mark(axes, TaskFacts.of(name).chance, place, theme)
        for number, tallies in enumerate(parts):
            if name in tallies:
                tally = tallies[name]
                shift = 0.6 * ((len(parts) - 1) / 2 - number) / max(1, len(parts))
                whiskers(axes, tally.acc, place + shift, *tally.interval, theme, number)
    names_axis(axes, names)
    share_x_axis(axes)
    key(axes, labels, theme)


def _code(found: Sequence[Evaluation]) -> Panel:
    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for number, entry in enumerate(found):
            x = [tally.code_rate for tally in entry.tasks.values()]
            y = [tally.acc for tally in entry.tasks.values()]
            marker = MARKERS[number % len(MARKERS)]
            axes.scatter(x, y, s=34, color=theme.colour(number), marker=marker, alpha=0.8, linewidth=0)
        share_axis(axes, "accuracy")
        share_x_axis(axes, "answers that ran code")
        key(axes, [entry.name for entry in found], theme)

    pooled = [(entry.name, total(entry.tasks.values())) for entry in found]
    rows = [(name, tally.n, tally.code_rate, tally.acc_with_code, tally.acc_without_code) for name, tally in pooled]
    return Panel(
        "evaluation-code",
        "Code use and accuracy",
        "One point a task. That they go together does not say that one causes the other.",
        Table(("run and agent", "answers", "code use", "accuracy with code", "accuracy without"), rows),
        draw,
        height=3.6,
    )
