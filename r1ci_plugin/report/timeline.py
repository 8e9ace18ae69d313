"""Several training runs on one axis of steps: a stage begins where the stage before it ended. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, nan
from statistics import fmean

from r1ci_plugin.metrics import validation_acc
from r1ci_plugin.report.sources import TrainingRun
from r1ci_plugin.report.tally import Tally, total

_TRAIN_N = re.compile(r"r1ci/train/(.+/.+)/n")
SMOOTHING = 10
"""Steps that a smoothed value looks back over, itself included."""
_WINDOWS = 8
"""Points of a windowed curve for each run, at most."""
_MIN_WINDOW = 5

Curve = tuple[list[float], list[float]]
"""Steps and values, of the same length."""


@dataclass(frozen=True, slots=True)
class Band:
    """One run's stretch of the axis: steps `start` < x <= `end`."""

    name: str
    stage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Point:
    """Answers counted at a place of the axis. Curves are not drawn across runs."""

    run: int
    step: float
    tally: Tally


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive steps of one run, their answers counted together."""

    run: int
    first: int
    last: int
    tasks: dict[str, Tally]

    @property
    def middle(self) -> float:
        return (self.first + self.last) / 2


@dataclass(frozen=True, slots=True)
class Validation:
    """Held-out questions at one step; `tasks` is empty where only verl's mean is known."""

    run: int
    step: int
    acc: float
    """Mean over tasks."""
    tasks: dict[str, Tally]


class Timeline:
    """The runs, in the order given."""

    def __init__(self, runs: Sequence[TrainingRun]) -> None:
        self.runs = list(runs)
        self.bands: list[Band] = []
        for run in runs:
            start = self.bands[-1].end if self.bands else 0
            self.bands.append(Band(run.name, run.stage, start, start + max(run.steps)))

    def curve(self, name: str) -> Curve:
        """A metric over steps, where it was logged."""
        found = [
            (float(band.start + step), float(metrics[name]))
            for band, run in zip(self.bands, self.runs, strict=True)
            for step, metrics in run.steps.items()
            if name in metrics
        ]
        return [step for step, _ in found], [value for _, value in found]

    def names(self, prefix: str) -> list[str]:
        """Metrics that begin so, sorted."""
        found = {name for run in self.runs for metrics in run.steps.values() for name in metrics}
        return sorted(name for name in found if name.startswith(prefix))

    def tasks_of_steps(self) -> list[tuple[int, dict[str, Tally]]]:
        """The training answers of every step, by task. Whether they ran code is not known by task."""
        found = []
        for band, run in zip(self.bands, self.runs, strict=True):
            for step, metrics in run.steps.items():
                tasks = {}
                for name, n in metrics.items():
                    if (match := _TRAIN_N.fullmatch(name)) is not None:
                        right = round(metrics[f"r1ci/train/{match[1]}/acc"] * n)
                        tasks[match[1]] = Tally(int(n), right)
                if tasks:
                    found.append((band.start + step, tasks))
        return found

    def windows(self) -> list[Window]:
        """The training answers, counted together over a few steps each; a window never spans two runs."""
        steps, found = self.tasks_of_steps(), []
        for run, band in enumerate(self.bands):
            own = [(step, tasks) for step, tasks in steps if band.start < step <= band.end]
            size = max(_MIN_WINDOW, ceil(len(own) / _WINDOWS))
            for place in range(0, len(own), size):
                part = own[place : place + size]
                found.append(Window(run, part[0][0], part[-1][0], _pooled([tasks for _, tasks in part])))
        return found

    def rolling(self) -> list[Point]:
        """All training answers of each step and the SMOOTHING - 1 steps before it in its run."""
        steps, found = self.tasks_of_steps(), []
        for run, band in enumerate(self.bands):
            own = [(step, total(tasks.values())) for step, tasks in steps if band.start < step <= band.end]
            for place, (step, _) in enumerate(own):
                found.append(Point(run, step, total(tally for _, tally in own[_behind(place)])))
        return found

    def smooth(self, curve: Curve) -> Curve:
        """The mean of each value and the SMOOTHING - 1 before it in its run; NaN stands between two runs."""
        steps: list[float] = []
        means: list[float] = []
        for band in self.bands:
            own = [(step, value) for step, value in zip(*curve, strict=True) if band.start < step <= band.end]
            values = [value for _, value in own]
            steps += [*(step for step, _ in own), band.end + 0.5]
            means += [*(fmean(values[_behind(place)]) for place in range(len(values))), nan]
        return steps, means

    def validations(self) -> list[Validation]:
        """The held-out questions, step by step."""
        found = []
        for number, (band, run) in enumerate(zip(self.bands, self.runs, strict=True)):
            for step, metrics in run.steps.items():
                if (acc := validation_acc(metrics)) is not None:
                    found.append(Validation(number, band.start + step, acc, run.validation.get(step, {})))
        return found


def step_rows(first: Curve, *others: Curve) -> list[tuple[int | float | None, ...]]:
    """A row for every step of the first curve: the step, and each curve's value at it, None where it has none."""
    columns = [dict(zip(*curve, strict=True)) for curve in (first, *others)]
    return [(int(step), *(column.get(step) for column in columns)) for step in first[0]]


def _behind(place: int) -> slice:
    return slice(max(0, place - SMOOTHING + 1), place + 1)


def _pooled(parts: Sequence[dict[str, Tally]]) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for part in parts:
        for task, tally in part.items():
            found[task] = found.get(task, Tally()) + tally
    return dict(sorted(found.items()))
