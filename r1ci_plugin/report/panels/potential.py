"""The curriculum's questions: how pass rates and potential are spread, before and after."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from r1ci_plugin.curriculum.build import grouping_of
from r1ci_plugin.report.panel import Cell, Panel, Section, Table
from r1ci_plugin.report.panels import flow
from r1ci_plugin.report.sources import Placement
from r1ci_plugin.report.theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PARTS = 20
"""Bars stand at 0, 1/20, ... 1: with twenty answers a question, each pass rate has its own."""


FORMS = {"paper": "4p(1-p)"}
"""What a form of potential (`curriculum/potential.py`) is called here, where not by its name."""


def section(placements: Sequence[Placement]) -> Section | None:
    """None without a manifest. The first and the last manifest are compared."""
    ends = [placements[0], placements[-1]] if len(placements) > 1 else list(placements)
    panels = []
    if measured := [placement for placement in ends if placement.is_measured]:
        panels.append(_spread(measured))
    if len(ends) == 2:
        panels.append(flow.panel(*ends))
    return Section("curriculum", "Curriculum", panels) if panels else None


def _spread(placements: Sequence[Placement]) -> Panel:
    forms = list(dict.fromkeys(grouping_of(one.manifest).form for one in placements))
    spreads = {
        "pass rate p": [_histogram([entry.p for entry in one.manifest.entries]) for one in placements],
        f"potential ({', '.join(FORMS.get(form, form) for form in forms)})": [
            _histogram([entry.potential for entry in one.manifest.entries]) for one in placements
        ],
    }

    def draw(figure: Figure, theme: Theme) -> None:
        width = 0.9 / _PARTS / len(placements)
        for axes, (label, columns) in zip(figure.subplots(1, 2, sharey=True), spreads.items(), strict=True):
            for number, (placement, counts) in enumerate(zip(placements, columns, strict=True)):
                left = [place / _PARTS + (number - len(placements) / 2) * width for place in range(_PARTS + 1)]
                axes.bar(left, counts, width, align="edge", color=theme.colour(number), label=placement.name)
            axes.set_xlabel(label)
            axes.grid(visible=False, axis="x")
            axes.set_xlim(-0.03, 1.03)
        figure.axes[0].set_ylabel("questions")
        figure.axes[1].legend(loc="best")

    header = [f"{placement.name}, {label}" for label in spreads for placement in placements]
    columns = [counts for found in spreads.values() for counts in found]
    rows: list[list[Cell]] = [
        [f"{place / _PARTS:.2f}", *(counts[place] for counts in columns)] for place in range(_PARTS + 1)
    ]
    return Panel(
        "potential",
        "Pass rate and improvement potential",
        "4p(1-p) is highest where the policy is right half of the time: there GRPO has the most to compare.",
        Table(("nearest to", *header), rows),
        draw,
        height=2.9,
    )


def _histogram(values: Sequence[float]) -> list[int]:
    """How many lie nearest to each of 0, 1/20, ... 1."""
    counts = Counter(math.floor(value * _PARTS + 0.5) for value in values)  # `round` sends ties to even places alone
    return [counts[place] for place in range(_PARTS + 1)]
