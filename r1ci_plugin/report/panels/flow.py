"""How questions move between the potential groups of two manifests, as bars joined by ribbons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from r1ci_plugin.curriculum.flow import ABSENT, flow, labels
from r1ci_plugin.curriculum.manifest import LEFT_OUT
from r1ci_plugin.report.panel import Cell, Panel, Table
from r1ci_plugin.report.sources import Placement
from r1ci_plugin.report.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Moved = Counter[tuple[str, str]]
"""Questions by their group in the old and in the new manifest, as `curriculum.flow` labels them."""

_GAP = 0.03
"""Between the bars of a side; all bars together are 1 high."""
_HALF = 0.012
"""Of a bar's width; the sides stand at 0 and 1."""


def panel(old: Placement, new: Placement) -> Panel:
    """The flow from the first manifest to the last."""
    moved = Counter(flow(old.manifest, new.manifest))
    left, right = labels(moved)
    rows: list[list[Cell]] = [[_name(source), *(moved[source, target] for target in right)] for source in left]

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.axis("off")
        axes.set_xlim(-0.18, 1.18)
        axes.set_ylim(1.02 + _GAP * max(len(left), len(right)), -0.08)
        colours = {name: theme.colour(place) for place, name in enumerate(sorted({*left, *right}))}
        tops = _tops(moved, left, 0), _tops(moved, right, 1)
        _ribbons(axes, moved, tops, colours)
        _bars(axes, moved, tops, colours)
        for side, placement in enumerate((old, new)):
            axes.text(side, -0.05, placement.name, ha="center", color=theme.muted, fontsize=8.5)

    return Panel(
        "flow",
        "How questions move between groups",
        "Each ribbon holds the questions that went from a group of the first manifest to one of the last. Training "
        "should move questions out of the groups it worked on.",
        Table((f"{old.name}, down; {new.name}, across", *map(_name, right)), rows),
        draw,
        height=3.8,
    )


def _name(label: str) -> str:
    return {ABSENT: ABSENT, str(LEFT_OUT): "left out"}.get(label, f"group {label}")


def _size(moved: Moved, name: str, side: int) -> int:
    return sum(count for pair, count in moved.items() if pair[side] == name)


def _tops(moved: Moved, names: Sequence[str], side: int) -> dict[str, float]:
    """The upper end of each bar of a side."""
    place, found = 0.0, {}
    for name in names:
        found[name] = place
        place += _size(moved, name, side) / moved.total() + _GAP
    return found


def _bars(axes: Axes, moved: Moved, tops: Sequence[dict[str, float]], colours: dict[str, str]) -> None:
    for side, found in enumerate(tops):
        for name, top in found.items():
            count = _size(moved, name, side)
            bottom = top + count / moved.total()
            axes.fill_between([side - _HALF, side + _HALF], top, bottom, color=colours[name], linewidth=0)
            x, aligned = ((-2 * _HALF, "right"), (1 + 2 * _HALF, "left"))[side]
            axes.text(x, (top + bottom) / 2, f"{_name(name)} · {count}", ha=aligned, va="center", fontsize=8.5)


def _ribbons(axes: Axes, moved: Moved, tops: Sequence[dict[str, float]], colours: dict[str, str]) -> None:
    """From top to bottom on either side, so that ribbons of a bar lie side by side."""
    starts, ends = dict(tops[0]), dict(tops[1])
    for source, target in sorted(moved):
        share = moved[source, target] / moved.total()
        _ribbon(axes, starts[source], ends[target], share, colours[source])
        starts[source] += share
        ends[target] += share


def _ribbon(axes: Axes, start: float, end: float, share: float, colour: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    left, right = _HALF, 1 - _HALF
    there = [(left, start), (0.5, start), (0.5, end), (right, end)]
    back = [(right, end + share), (0.5, end + share), (0.5, start + share), (left, start + share)]
    curve, edge = [Outline.CURVE4] * 3, Outline.LINETO
    outline = Outline([*there, *back], [Outline.MOVETO, *curve, edge, *curve])
    axes.add_patch(PathPatch(outline, facecolor=colour, edgecolor="none", alpha=0.4))
