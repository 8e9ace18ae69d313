"""How the policy behaves while it trains: turns, calls, stops; and what its code calls and steps take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from r1ci_plugin.report.charts import bands, legend_above, share_axis, smoothed
from r1ci_plugin.report.panel import Panel, Section, Table
from r1ci_plugin.report.theme import Theme
from r1ci_plugin.report.timeline import Curve, Timeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AGENT = {
    "turns": "turns",
    "calls": "code calls",
    "sampled_tokens": "sampled tokens",
    "code_rate": "ran code",
    "repeat_call_rate": "calls repeated word for word",
    "imitated_result_rate": "wrote a result itself",
}
_STOPS = {"answered": "answered", "no_answer": "no answer", "length": "out of tokens", "call_limit": "call limit"}
_STATUSES = {"ok": "ran", "error": "error", "timeout": "time-out", "memory": "out of memory"}
_TIMES = {
    "gen": "rollout",
    "old_log_prob": "log-probs",
    "ref": "reference",
    "update_actor": "update",
    "testing": "validation",
}
_SMALL = 0.25
"""Shares that stay below get an axis of their own height."""


def section(timeline: Timeline) -> Section | None:
    """None without a training run."""
    if not timeline.runs:
        return None
    return Section("behaviour", "Behaviour", [_agent(timeline), _stops(timeline)])


def machinery(timeline: Timeline) -> Section | None:
    """None without a training run."""
    if not timeline.runs:
        return None
    return Section("machinery", "Interpreter and time", [_latency(timeline), _statuses(timeline), _time(timeline)])


def _agent(timeline: Timeline) -> Panel:
    curves = {label: timeline.curve(f"r1ci/agent/{name}") for name, label in _AGENT.items()}

    def draw(figure: Figure, theme: Theme) -> None:
        for place, (axes, (label, curve)) in enumerate(zip(figure.subplots(2, 3).flat, curves.items(), strict=True)):
            smoothed(axes, timeline, curve, theme, 0, label)
            bands(axes, timeline.bands, theme, names=False)
            axes.set_title(label)
            if place < 3:
                axes.set_ylim(bottom=0)
                continue
            axes.set_xlabel("step")
            if (most := max(curve[1], default=0.0)) >= _SMALL:
                share_axis(axes)
            else:
                axes.set_ylim(0, max(0.01, 1.1 * most))
                axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")

    return Panel(
        "habits",
        "Turns, calls and habits",
        "Means over the trajectories of a step; the curve is the mean of the last 10 steps. Above: numbers a "
        "trajectory. Below: shares, of trajectories or of calls.",
        _table(curves),
        draw,
        height=3.9,
    )


def _stops(timeline: Timeline) -> Panel:
    curves = {label: timeline.curve(f"r1ci/agent/stop/{name}") for name, label in _STOPS.items()}
    return Panel(
        "stops",
        "How trajectories end",
        "An answer counts as such whether it is right or not. Out of tokens and at the call limit there is no answer, "
        "and the trajectory counts as wrong.",
        _table(curves),
        lambda figure, theme: _stack(figure, theme, timeline, curves, shares=True),
        height=2.8,
    )


def _statuses(timeline: Timeline) -> Panel:
    curves = {label: timeline.curve(f"r1ci/sandbox/{name}_rate") for name, label in _STATUSES.items()}
    return Panel(
        "statuses",
        "How code calls end",
        "Shares of a step's code calls. Errors are shown to the policy, which may mend them in its next turn.",
        _table(curves),
        lambda figure, theme: _stack(figure, theme, timeline, curves, shares=True),
        height=2.8,
    )


def _time(timeline: Timeline) -> Panel:
    curves = {label: timeline.curve(f"timing_s/{name}") for name, label in _TIMES.items()}
    return Panel(
        "time",
        "Where a step's time goes",
        "Seconds, as verl measures them. What is not listed (saving, waiting) is left out.",
        _table({name: curve for name, curve in curves.items() if curve[0]}),
        lambda figure, theme: _stack(figure, theme, timeline, curves, shares=False),
        height=2.8,
    )


def _latency(timeline: Timeline) -> Panel:
    kinds = (("run_s", "running"), ("queue_s", "waiting for a slot"))
    curves = {
        f"{label}, {name}": timeline.curve(f"r1ci/sandbox/{kind}/{name}")
        for kind, label in kinds
        for name in ("p50", "p95")
    }

    def draw(figure: Figure, theme: Theme) -> None:
        for side, (axes, (_, label)) in enumerate(zip(figure.subplots(1, 2, sharey=True), kinds, strict=True)):
            for number, name in enumerate(("p50", "p95")):
                title = {"p50": "median", "p95": "95th percentile"}[name]
                smoothed(axes, timeline, curves[f"{label}, {name}"], theme, number, title)
            if any(value > 0 for curve in curves.values() for value in curve[1]):
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter(_seconds)
            bands(axes, timeline.bands, theme, names=False)
            axes.set_title(label)
            axes.set_xlabel("step")
            if side == 0:
                axes.legend(loc="best")

    return Panel(
        "latency",
        "Latency of code calls",
        "Of the trajectories of a step that ran code, mean seconds a call: median and 95th percentile, logarithmic. "
        "Waiting far above running means too few slots (r1ci.executor.slots).",
        _table(curves),
        draw,
        height=2.8,
    )


def _seconds(value: float, _: object) -> str:
    return f"{value:g} s" if value >= 1 else f"{1000 * value:g} ms"


def _stack(figure: Figure, theme: Theme, timeline: Timeline, curves: dict[str, Curve], *, shares: bool) -> None:
    """Curves on top of each other, filled."""
    axes = figure.subplots()
    steps = sorted({step for x, _ in curves.values() for step in x})
    floor = [0.0] * len(steps)
    for number, (label, curve) in enumerate(curves.items()):
        values = dict(zip(*curve, strict=True))
        if not any(values.values()):
            continue
        top = [low + values.get(step, 0.0) for low, step in zip(floor, steps, strict=True)]
        axes.fill_between(steps, floor, top, color=theme.colour(number), alpha=0.75, linewidth=0, label=label)
        axes.plot(steps, top, color=theme.paper, linewidth=0.8)
        floor = top
    bands(axes, timeline.bands, theme, names=False)
    if shares:
        share_axis(axes)
    else:
        axes.set_ylim(bottom=0)
        axes.set_ylabel("seconds")
    axes.set_xlabel("step")
    legend_above(axes)


def _table(curves: dict[str, Curve]) -> Table:
    by_step = {label: dict(zip(*curve, strict=True)) for label, curve in curves.items()}
    steps = sorted({step for values in by_step.values() for step in values})
    rows = [(int(step), *(values.get(step) for values in by_step.values())) for step in steps]
    return Table(("step", *curves), rows)
