"""A picture of a measurement: how many questions have which potential and which pass rate, by group.

Needs matplotlib (extra `report`). Left out: what is drawn (`manifest.py`).
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from r1ci_plugin.curriculum.manifest import Entry, Manifest

WIDTH, HEIGHT = 9.0, 3.6
"""Inches."""


def draw_histogram(measured: Manifest, path: Path) -> None:
    """Two histograms beside each other, stacked by group, as PNG (or whatever the name ends in)."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    groups = sorted({entry.group for entry in measured.entries})
    parts = [[entry for entry in measured.entries if entry.group == group] for group in groups]
    colours = matplotlib.colormaps["viridis"].resampled(max(2, len(groups))).colors[: len(groups)]  # type: ignore[attr-defined]
    for axes, title, column in ((left, "improvement potential", _potential), (right, "pass rate", _pass_rate)):
        axes.hist(
            [[column(entry) for entry in part] for part in parts],
            bins=21,
            range=(0, 1),
            stacked=True,
            color=colours,
            label=[f"group {group}" for group in groups],
        )
        axes.set_xlabel(title)
    left.set_ylabel("questions")
    left.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _potential(entry: Entry) -> float:
    return entry.potential


def _pass_rate(entry: Entry) -> float:
    return entry.p
