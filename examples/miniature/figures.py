"""The results as figures: gains by arm, and curves of training.

Left out: tables (`page.py`), the numbers themselves (`analysis.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import analysis
from analysis import Study

from r1ci_plugin.report.panel import Panel
from r1ci_plugin.report.panel import Table as Numbers
from r1ci_plugin.report.theme import DASHES, MARKERS, Theme, png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = {"train": "held-out questions of the training tasks", "test": "questions of the test tasks"}
CURVES = {
    "effective_share": "Effective share: questions of a step whose answers differ in correctness",
    "acc": "Accuracy on the questions of the step",
    "code_rate": "Share of training answers that run code",
}
POINTS = 8
"""Of a curve over the whole budget, two a stage: single steps are of a few questions and jump."""


def panels(study: Study) -> list[Panel]:
    """What there is to draw."""
    found = [_gains(study, side) for side in study.protocol.analysis.sides]
    found += [_curve(study, name, title) for name, title in CURVES.items()]
    return [panel for panel in found if panel is not None]


def draw(shown: Sequence[Panel], folder: Path) -> list[Path]:
    """A PNG of each panel, by its slug. Raises ImportError without matplotlib."""
    files = []
    for panel in shown:
        folder.mkdir(parents=True, exist_ok=True)
        files.append(folder / f"{panel.slug}.png")
        png(panel, files[-1])
    return files


def _gains(study: Study, side: str) -> Panel | None:
    """Every arm on the training tasks; on the test tasks those that trained on all others."""
    means = analysis.over_seeds(study, study.gains(side))
    arms = [arm for arm, one in study.protocol.arms.items() if arm in means and not (side == "test" and one.is_probe)]
    if not arms:
        return None

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for place, arm in enumerate(arms):
            mean = means[arm]
            low, high = mean.interval or (mean.value, mean.value)
            axes.plot([100 * low, 100 * high], [place, place], color=theme.colour(0))
            axes.plot(100 * mean.value, place, "o", color=theme.colour(0))
            axes.plot([100 * value for value in mean.values], [place] * len(mean.values), "|", color=theme.muted)
        axes.axvline(0, color=theme.muted, linewidth=0.8)
        axes.set_yticks(range(len(arms)), arms)
        axes.invert_yaxis()
        axes.set_xlabel(f"gain in points, {SIDES[side]}")

    rows = [(arm, means[arm].value) for arm in arms]
    text = "Mean and interval over seeds; a stroke is a seed."
    title = f"Gain by arm, {SIDES[side]}"
    return Panel(f"gains_{side}", title, text, Numbers(("arm", "gain"), rows), draw, 0.8 + 0.28 * len(arms))


def _curve(study: Study, name: str, title: str) -> Panel | None:
    """The arms that began with the fine-tuned policy and trained on all tasks, over the trajectories they sampled."""
    budget = study.protocol.budget
    arms = [arm for arm, one in study.protocol.arms.items() if not one.is_probe and one.start == "sft"]
    found = {arm: analysis.curve(study.of_arm(arm), name, budget, POINTS) for arm in arms}
    curves = {arm: points for arm, points in found.items() if points}
    if not curves:
        return None

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for begin in (0.25, 0.75):
            axes.axvspan(begin * budget, (begin + 0.25) * budget, color=theme.band, linewidth=0, zorder=0)
        for number, (arm, points) in enumerate(curves.items()):
            look = {"marker": MARKERS[number % len(MARKERS)], "linestyle": DASHES[number % len(DASHES)]}
            axes.plot(*zip(*points, strict=True), color=theme.colour(number), label=arm, **look)
        axes.set_xlim(0, budget)
        axes.set_xlabel("trajectories sampled; the four stages are shaded in turn")
        axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))

    rows = [(arm, points[0][1], points[-1][1]) for arm, points in curves.items()]
    text = f"Mean over seeds and over an eighth of the trajectories ({budget // POINTS})."
    return Panel(name, title, text, Numbers(("arm", "first point", "last point"), rows), draw, 3.6)
