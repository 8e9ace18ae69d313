"""The few kinds of mark that panels are made of. Left out: what they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from r1ci_plugin.report.theme import DASHES, MARKERS, Theme
from r1ci_plugin.report.timeline import Band, Curve, Point, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CHANCE = "A dotted mark is the chance level, where guessing is right at least now and then."
_SUITES = ("bbh", "reasoning_gym", "symbench")


def suite_number(suite: str) -> int:
    """The number of a suite's colour, marker and dash, the same in every figure. 0 is for what is over all suites."""
    return 1 + _SUITES.index(suite) if suite in _SUITES else 1 + len(_SUITES)


def bands(axes: Axes, found: Sequence[Band], theme: Theme, *, names: bool = True) -> None:
    """The stretch of each run on the axis of steps, every second one shaded, named at its foot."""
    for number, band in enumerate(found):
        if number % 2 == 1:
            axes.axvspan(band.start, band.end, color=theme.band, linewidth=0, zorder=0)
        if names and len(found) > 1:
            label, place = f" stage {band.stage}", axes.get_xaxis_transform()
            axes.text(band.start, 0.02, label, transform=place, va="bottom", fontsize=8, color=theme.muted)
    if found:
        axes.set_xlim(0, found[-1].end + 0.02 * found[-1].end)


def smoothed(axes: Axes, timeline: Timeline, curve: Curve, theme: Theme, number: int, label: str) -> None:
    """A metric's values as faint points, and their running mean as a line."""
    colour = theme.colour(number)
    axes.plot(*curve, "o", color=colour, alpha=0.4, markersize=3.2, markeredgewidth=0)
    axes.plot(*timeline.smooth(curve), color=colour, linestyle=DASHES[number % len(DASHES)], label=label)


def interval_band(axes: Axes, points: Sequence[Point], theme: Theme, number: int) -> None:
    """The Wilson intervals of the points of one run, filled."""
    low, high = zip(*(point.tally.interval for point in points), strict=True)
    steps = [point.step for point in points]
    axes.fill_between(steps, low, high, color=theme.colour(number), alpha=0.15, linewidth=0)


def rated(axes: Axes, points: Sequence[Point], theme: Theme, number: int, label: str) -> None:
    """A curve of accuracies with its Wilson band, broken between runs."""
    look = {"color": theme.colour(number), "linestyle": DASHES[number % len(DASHES)]}
    for run in sorted({point.run for point in points}):
        own = [point for point in points if point.run == run]
        interval_band(axes, own, theme, number)
        accs = [point.tally.acc for point in own]
        axes.plot([point.step for point in own], accs, marker=MARKERS[number % len(MARKERS)], label=label, **look)
        label = "_"  # one entry of the legend for all runs


def whiskers(axes: Axes, x: float, y: float, low: float, high: float, theme: Theme, number: int) -> None:
    """A point with its interval along the x axis."""
    colour = theme.colour(number)
    axes.plot([low, high], [y, y], color=colour, linewidth=1.4, solid_capstyle="round", alpha=0.55)
    axes.plot([x], [y], MARKERS[number % len(MARKERS)], color=colour, markersize=5.5, markeredgewidth=0)


def legend_above(axes: Axes) -> None:
    """One row of labels above the plot, right-aligned."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=6, borderaxespad=0.2, handlelength=2.4)


_SHARES = ([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])


def share_axis(axes: Axes, label: str = "") -> None:
    """The y axis as a share of 0 to 100 %."""
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks(*_SHARES)
    axes.set_ylabel(label)


def share_x_axis(axes: Axes, label: str = "", *, room: float = 0.02) -> None:
    """The x axis as a share of 0 to 100 %, with room for labels beyond."""
    axes.set_xlim(-0.02, 1 + room)
    axes.set_xticks(*_SHARES)
    axes.set_xlabel(label)


def chance_mark(axes: Axes, chance: float, place: float, theme: Theme) -> None:
    """The chance level of a task in its row, where it is worth a mark."""
    if chance:
        axes.plot([chance] * 2, [place - 0.4, place + 0.4], color=theme.muted, linewidth=1.2, linestyle=(0, (1.5, 1)))


def names_axis(axes: Axes, names: Sequence[str]) -> None:
    """The y axis as rows with names, the first at the bottom."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False, axis="y")


def key(axes: Axes, labels: Sequence[str], theme: Theme) -> None:
    """The legend of points, above the plot."""
    for number, label in enumerate(labels):
        axes.plot([], [], MARKERS[number % len(MARKERS)], color=theme.colour(number), label=label)
    legend_above(axes)
