"""Task by task: where accuracy moved, the curve of each task, and whether code helps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from r1ci_plugin.evaluation.tables import TaskFacts
from r1ci_plugin.report.charts import (
    CHANCE,
    chance_mark,
    key,
    names_axis,
    rated,
    share_axis,
    share_x_axis,
    suite_number,
    whiskers,
)
from r1ci_plugin.report.panel import Panel, Section, Table
from r1ci_plugin.report.tally import ByTask, Tally
from r1ci_plugin.report.theme import MARKERS, Theme
from r1ci_plugin.report.timeline import Point, Timeline, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 5
_TITLE = 27
"""Characters of a task's name above a small plot."""
_NAMED = 24
"""Up to so many points have their names beside them."""


def section(timeline: Timeline) -> Section | None:
    """None without counts by task."""
    windows = timeline.windows()
    if not windows:
        return None
    panels = [_moved(timeline), _code(timeline), _curves(windows)]
    return Section("tasks", "Tasks", [panel for panel in panels if panel is not None])


def _thirds(timeline: Timeline) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """The training answers of the first and the last third of all steps, by task."""
    steps = timeline.tasks_of_steps()
    third = max(1, len(steps) // 3)
    parts: tuple[dict[str, Tally], dict[str, Tally]] = ({}, {})
    for part, chosen in zip(parts, (steps[:third], steps[-third:]), strict=True):
        for _, tasks in chosen:
            for task, tally in tasks.items():
                part[task] = part.get(task, Tally()) + tally
    return parts


def _moved(timeline: Timeline) -> Panel:
    before, after = _thirds(timeline)
    names = sorted(before.keys() | after.keys(), key=lambda task: ((after.get(task) or before[task]).acc, task))

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for place, task in enumerate(names):
            chance_mark(axes, TaskFacts.of(task).chance, place, theme)
            for number, (side, shift) in enumerate(((before, 0.14), (after, -0.14))):
                if task in side:
                    tally = side[task]
                    whiskers(axes, tally.acc, place + shift, *tally.interval, theme, number)
        names_axis(axes, names)
        share_x_axis(axes)
        key(axes, ("first third of the steps", "last third"), theme)

    rows = [
        (task, TaskFacts.of(task).chance, *_numbers(before.get(task, Tally())), *_numbers(after.get(task, Tally())))
        for task in reversed(names)
    ]
    return Panel(
        "moved",
        "Where accuracy moved",
        "Training answers of the first and of the last third of the steps, with 95 % Wilson intervals. Each task's "
        f"questions change from step to step, so single points of few answers mean little. {CHANCE}",
        Table(
            ("task", "chance", "answers first", "accuracy", "low", "high", "answers last", "accuracy", "low", "high"),
            rows,
        ),
        draw,
        height=1.0 + 0.27 * len(names),
    )


def _numbers(tally: Tally) -> tuple[int, float | None, float | None, float | None]:
    return (tally.n, tally.acc, *tally.interval) if tally.n else (0, None, None, None)


def _curves(windows: list[Window]) -> Panel:
    names = sorted({task for window in windows for task in window.tasks})
    tasks = {
        name: [Point(window.run, window.middle, window.tasks[name]) for window in windows if name in window.tasks]
        for name in names
    }
    rows = [
        (name, f"{window.first} to {window.last}", *_numbers(window.tasks[name]))
        for name in names
        for window in windows
        if name in window.tasks
    ]
    return Panel(
        "curves",
        "Every task over the steps",
        "Colour and marker tell the suite. Bands are 95 % Wilson intervals over the answers counted in a point. "
        f"{CHANCE}",
        Table(("task", "steps", "answers", "accuracy", "low", "high"), rows),
        lambda figure, theme: _small_multiples(figure, theme, tasks, windows[-1].last),
        height=0.6 + 1.3 * ceil(len(names) / _COLUMNS),
    )


def _small_multiples(figure: Figure, theme: Theme, tasks: dict[str, list[Point]], end: int) -> None:
    """A small plot a task, all with the same axes. Laid out by hand and without shared axes: for a hundred plots either
    would take most of the report's time.
    """
    figure.set_layout_engine(None)
    width, height = figure.get_size_inches()
    sides = {"left": 0.45 / width, "right": 1 - 0.1 / width, "top": 1 - 0.25 / height, "bottom": 0.3 / height}
    figure.subplots_adjust(**sides, wspace=0.12, hspace=0.4)
    rows = ceil(len(tasks) / _COLUMNS)
    for place, (task, points) in enumerate(tasks.items()):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        suite, _, name = task.partition("/")
        rated(axes, points, theme, suite_number(suite), task)
        share_axis(axes)
        if chance := TaskFacts.of(task).chance:
            axes.axhline(chance, color=theme.muted, linewidth=1.0, linestyle=(0, (1.5, 1)))
        axes.set_xlim(0, end)
        axes.set_title(name if len(name) < _TITLE else f"{name[: _TITLE - 1]}…", fontsize=7.5)
        is_lowest, is_first = place + _COLUMNS >= len(tasks), place % _COLUMNS == 0
        axes.tick_params(labelsize=7, labelbottom=is_lowest, labelleft=is_first)


def _code(timeline: Timeline) -> Panel | None:
    counted = [entry for entry in timeline.validations() if entry.tasks]
    if not counted:
        return None
    before, after = counted[0], counted[-1]
    shown = [before, after] if before is not after else [before]
    both = sorted(before.tasks.keys() & after.tasks.keys())

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for task in both:
            start, end = before.tasks[task], after.tasks[task]
            if before is not after:
                axes.annotate(
                    "",
                    (end.code_rate, end.acc),
                    (start.code_rate, start.acc),
                    arrowprops={"arrowstyle": "-|>", "color": theme.muted, "lw": 0.9, "alpha": 0.7},
                )
        for number, entry in enumerate(shown):
            x, y = _coordinates(entry.tasks, both)
            axes.scatter(x, y, s=38, color=theme.colour(number), marker=MARKERS[number])
        if len(both) <= _NAMED:
            _name_points(axes, after.tasks, both, theme)
        share_axis(axes, "accuracy")
        share_x_axis(axes, "answers that ran code", room=0.25)
        key(axes, [f"step {entry.step}" for entry in shown], theme)

    rows = [
        (task, entry.step, tally.n, tally.code_rate, tally.acc, tally.acc_with_code, tally.acc_without_code)
        for task in both
        for entry in shown
        for tally in (entry.tasks[task],)
    ]
    return Panel(
        "code",
        "Does code go with right answers?",
        "Held-out questions, one arrow a task, from the first to the last validation. The table also splits accuracy "
        "into answers with and without code. That they go together does not say that one causes the other.",
        Table(("task", "step", "answers", "code use", "accuracy", "with code", "without"), rows),
        draw,
        height=4.4,
    )


def _name_points(axes: Axes, tasks: ByTask, names: Sequence[str], theme: Theme) -> None:
    """A label right of each point; tasks at the same place share one."""
    at: dict[tuple[float, float], list[str]] = defaultdict(list)
    for name in names:
        at[tasks[name].code_rate, tasks[name].acc].append(name.partition("/")[2])
    for place, found in at.items():
        label, offset = "\n".join(found), (6, 0)
        axes.annotate(
            label, place, xytext=offset, textcoords="offset points", va="center", fontsize=7.5, color=theme.muted
        )


def _coordinates(tasks: ByTask, names: list[str]) -> tuple[list[float], list[float]]:
    return [tasks[name].code_rate for name in names], [tasks[name].acc for name in names]
