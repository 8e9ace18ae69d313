"""The curriculum's questions: how their potential is spread, and how they move between groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from r1ci_plugin.report.panel import Panel, Section, Table
from r1ci_plugin.report.sources import Placement
from r1ci_plugin.report.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PARTS = 20
"""Bars stand at 0, 1/20, ... 1: with twenty answers a question, each pass rate has its own."""
_GAP = 0.03
"""Between the bars of a flow, as a share of its height."""
_ABSENT = "not there"


def section(placements: Sequence[Placement]) -> Section | None:
    """None without a manifest. The first and the last manifest are compared."""
    if not placements:
        return None
    panels = [_spread([placements[0], placements[-1]] if len(placements) > 1 else [placements[0]])]
    if len(placements) > 1:
        panels.append(_flow(placements[0], placements[-1]))
    return Section("curriculum", "Curriculum", [panel for panel in panels if panel is not None])


def _spread(placements: Sequence[Placement]) -> Panel | None:
    measured = [placement for placement in placements if placement.pass_rates and placement.potentials]
    if not measured:
        return None
    kinds = (("pass rate p", lambda entry: entry.pass_rates), ("potential 4p(1-p)", lambda entry: entry.potentials))

    def draw(figure: Figure, theme: Theme) -> None:
        for axes, (label, values) in zip(figure.subplots(1, 2, sharey=True), kinds, strict=True):
            for number, placement in enumerate(measured):
                counts = _histogram(values(placement))
                width = 0.9 / _PARTS / len(measured)
                left = [place / _PARTS + (number - len(measured) / 2) * width for place in range(_PARTS + 1)]
                axes.bar(left, counts, width, align="edge", color=theme.colour(number), label=placement.name)
            axes.set_xlabel(label)
            axes.grid(visible=False, axis="x")
            axes.set_xlim(-0.03, 1.03)
        figure.axes[0].set_ylabel("questions")
        figure.axes[1].legend(loc="upper left" if len(measured) == 1 else "best")

    header = [f"{placement.name}, {label}" for label, _ in kinds for placement in measured]
    columns = [_histogram(values(placement)) for _, values in kinds for placement in measured]
    rows = [(f"{place / _PARTS:.2f}", *counts) for place, counts in enumerate(zip(*columns, strict=True))]
    return Panel(
        "potential",
        "Pass rate and improvement potential",
        "Potential is highest where the policy is right half of the time: there GRPO has the most to compare.",
        Table(("nearest to", *header), rows),
        draw,
        height=2.9,
    )


def _histogram(values: Sequence[float]) -> list[int]:
    counts = Counter(round(value * _PARTS) for value in values)
    return [counts[place] for place in range(_PARTS + 1)]


def _label(placement: Placement, question_id: str) -> str:
    group = placement.groups.get(question_id)
    return _ABSENT if group is None else "left out" if group == 0 else f"group {group}"


def _flow(old: Placement, new: Placement) -> Panel:
    moved = Counter((_label(old, name), _label(new, name)) for name in sorted(old.groups.keys() | new.groups.keys()))
    left, right = (sorted({pair[side] for pair in moved}) for side in (0, 1))

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.axis("off")
        axes.set_xlim(-0.18, 1.18)
        axes.set_ylim(1.02 + _GAP * max(len(left), len(right)), -0.08)
        sides = [_bars(moved, names, side) for side, names in enumerate((left, right))]
        colours = {name: theme.colour(place) for place, name in enumerate(sorted({*left, *right}))}
        heads = [dict(bars) for bars in sides]
        scale = sum(moved.values())
        for source in left:
            for target in right:
                if share := moved[source, target] / scale:
                    _ribbon(axes, heads[0][source][0], heads[1][target][0], share, colours[source])
                    heads[0][source] = (heads[0][source][0] + share, heads[0][source][1])
                    heads[1][target] = (heads[1][target][0] + share, heads[1][target][1])
        for side, bars in enumerate(sides):
            for name, (top, bottom) in bars.items():
                axes.fill_between([side - 0.012, side + 0.012], top, bottom, color=colours[name], linewidth=0)
                count = round((bottom - top) * scale)
                place = {"x": -0.025, "ha": "right"} if side == 0 else {"x": 1.025, "ha": "left"}
                axes.text(y=(top + bottom) / 2, s=f"{name} · {count}", va="center", fontsize=8.5, **place)
        axes.text(0, -0.05, old.name, ha="center", color=theme.muted, fontsize=8.5)
        axes.text(1, -0.05, new.name, ha="center", color=theme.muted, fontsize=8.5)

    rows = [(source, *(moved[source, target] for target in right)) for source in left]
    return Panel(
        "flow",
        "How questions move between groups",
        "Each ribbon holds the questions that went from a group of the first manifest to one of the last. Training "
        "should move questions out of the groups it worked on.",
        Table((f"{old.name}, down; {new.name}, across", *right), rows),
        draw,
        height=3.8,
    )


def _bars(moved: Counter[tuple[str, str]], names: Sequence[str], side: int) -> dict[str, tuple[float, float]]:
    """Top and bottom of each bar of one side, in questions' shares; gaps come on top of 1."""
    scale, place, bars = sum(moved.values()), 0.0, {}
    for name in names:
        share = sum(count for pair, count in moved.items() if pair[side] == name) / scale
        bars[name] = (place, place + share)
        place += share + _GAP
    return bars


def _ribbon(axes: Axes, start: float, end: float, share: float, colour: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    points = [
        (0.012, start),
        (0.5, start),
        (0.5, end),
        (0.988, end),
        (0.988, end + share),
        (0.5, end + share),
        (0.5, start + share),
        (0.012, start + share),
        (0.012, start),
    ]
    curve, edge = [Outline.CURVE4] * 3, [Outline.LINETO]
    axes.add_patch(
        PathPatch(Outline(points, [Outline.MOVETO, *curve, *edge, *curve, *edge]), color=colour, alpha=0.4, lw=0)
    )
