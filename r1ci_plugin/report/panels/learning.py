"""What training reached: reward, accuracy, held-out questions, suites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from r1ci_plugin.report.charts import bands, interval_band, legend_above, rated, share_axis, smoothed, suite_number
from r1ci_plugin.report.panel import Panel, Section, Table
from r1ci_plugin.report.tally import by_suite, total
from r1ci_plugin.report.theme import Theme
from r1ci_plugin.report.timeline import Point, Timeline, step_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INDEPENDENT = (
    "Bands are 95 % Wilson intervals over answers; answers to one question are alike, so they are a little narrow."
)


def section(timeline: Timeline) -> Section | None:
    """None without a training run."""
    if not timeline.runs:
        return None
    panels = [_reward(timeline), _validation(timeline), _suites(timeline), _signal(timeline), _staleness(timeline)]
    return Section("learning", "Learning", [panel for panel in panels if panel is not None])


def _reward(timeline: Timeline) -> Panel:
    names = ("acc", "total", "shaping", "format_ok")
    curves = {name: timeline.curve(f"r1ci/reward/{name}") for name in names}
    rolling = timeline.rolling()

    def draw(figure: Figure, theme: Theme) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for run in range(len(timeline.runs)):
            interval_band(left, [point for point in rolling if point.run == run], theme, 0)
        smoothed(left, timeline, curves["acc"], theme, 0, "mean of the last 10 steps, 95 % interval")
        share_axis(left)
        for number, (name, label) in enumerate((("total", "reward"), ("shaping", "of it shaping")), start=1):
            smoothed(right, timeline, curves[name], theme, number, label)
        for axes in (left, right):
            bands(axes, timeline.bands, theme, names=axes is left)
            axes.set_xlabel("step")
        left.legend(loc="upper left")
        right.margins(y=0.22)  # room for the legend
        right.legend(loc="upper left")
        left.set_title("accuracy on training questions")
        right.set_title("reward")

    return Panel(
        "reward",
        "Accuracy and reward",
        "Accuracy counts right answers alone. Reward adds the shaping terms for format and length, so it may rise "
        f"where accuracy does not. {INDEPENDENT}",
        Table(("step", "accuracy", "reward", "shaping", "format kept"), step_rows(*curves.values())),
        draw,
    )


def _validation(timeline: Timeline) -> Panel | None:
    found = timeline.validations()
    if not found:
        return None
    counted = [entry for entry in found if entry.tasks]
    suites = sorted({suite for entry in counted for suite in by_suite(entry.tasks)})

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for suite in suites:
            points = [Point(e.run, e.step, by_suite(e.tasks)[suite]) for e in counted if suite in by_suite(e.tasks)]
            rated(axes, points, theme, suite_number(suite), suite)
        for run in range(len(timeline.runs)):
            own = [entry for entry in found if entry.run == run]
            label = "_" if run else "mean over tasks"
            axes.plot([e.step for e in own], [e.acc for e in own], "o-", color=theme.colour(0), label=label)
        bands(axes, timeline.bands, theme)
        share_axis(axes, "accuracy")
        axes.set_xlabel("step")
        legend_above(axes)

    rows = []
    for entry in found:
        pooled = total(entry.tasks.values())
        interval = pooled.interval if pooled.n else (None, None)
        found_suites = by_suite(entry.tasks)
        shares = [found_suites[suite].acc if suite in found_suites else None for suite in suites]
        rows.append((entry.step, entry.acc, pooled.n or None, *interval, *shares))
    return Panel(
        "validation",
        "Held-out questions of the training tasks",
        f"Questions the policy is never trained on, answered at the temperature of use. {INDEPENDENT}",
        Table(("step", "mean over tasks", "answers", "low", "high", *suites), rows),
        draw,
    )


def _suites(timeline: Timeline) -> Panel | None:
    windows = timeline.windows()
    if not windows:
        return None
    suites = sorted({suite for window in windows for suite in by_suite(window.tasks)})

    def draw(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for suite in suites:
            points = [Point(w.run, w.middle, by_suite(w.tasks)[suite]) for w in windows if suite in by_suite(w.tasks)]
            rated(axes, points, theme, suite_number(suite), suite)
        bands(axes, timeline.bands, theme)
        share_axis(axes, "accuracy")
        axes.set_xlabel("step")
        legend_above(axes)

    rows = [
        (f"{window.first} to {window.last}", suite, tally.n, tally.acc, *tally.interval)
        for window in windows
        for suite, tally in by_suite(window.tasks).items()
    ]
    return Panel(
        "suites",
        "Training questions by suite",
        f"Each point counts the answers of a few steps together. {INDEPENDENT}",
        Table(("steps", "suite", "answers", "accuracy", "low", "high"), rows),
        draw,
    )


def _signal(timeline: Timeline) -> Panel:
    effective = timeline.curve("r1ci/curriculum/effective_share")
    shaping = timeline.curve("r1ci/reward/shaping_advantage_share")
    others = {
        "entropy, nats a token": timeline.curve("actor/entropy"),
        "KL to the reference": timeline.curve("actor/kl_loss"),
        "gradient norm": timeline.curve("actor/grad_norm"),
    }

    def draw(figure: Figure, theme: Theme) -> None:
        first, *rest = figure.subplots(1, 4, width_ratios=(1.6, 1, 1, 1))
        for number, (curve, label) in enumerate(((effective, "effective groups"), (shaping, "shaping's share"))):
            smoothed(first, timeline, curve, theme, number, label)
        share_axis(first)
        legend = first.legend(
            loc="lower left", bbox_to_anchor=(-0.1, 1.0), ncols=2, borderaxespad=0.1, handlelength=1.6
        )
        legend.set_in_layout(False)  # else it would take the plot's room
        for axes, (label, curve) in zip(rest, others.items(), strict=True):
            smoothed(axes, timeline, curve, theme, 2, label)
            axes.set_title(label)
            axes.set_ylim(bottom=0)
        for axes in (first, *rest):
            bands(axes, timeline.bands, theme, names=False)
            axes.set_xlabel("step")

    return Panel(
        "signal",
        "What the policy can learn from",
        "A group is effective if some of its answers are right and some wrong. The share of advantage that shaping "
        "alone makes should stay small: there the policy learns format, not answers.",
        Table(
            ("step", "effective groups", "advantage by shaping", *others),
            step_rows(effective, shaping, *others.values()),
        ),
        draw,
        height=2.6,
    )


def _staleness(timeline: Timeline) -> Panel | None:
    """None where all training was on policy."""
    mean, oldest = timeline.curve("r1ci/staleness/mean"), timeline.curve("r1ci/staleness/max")
    if not any(oldest[1]):
        return None
    spanning, drift = timeline.curve("r1ci/staleness/spanning_share"), timeline.curve("rollout_corr/k3_kl")

    def draw(figure: Figure, theme: Theme) -> None:
        ages, shares, kl = figure.subplots(1, 3)
        for number, (curve, label) in enumerate(((mean, "mean of tokens"), (oldest, "oldest"))):
            smoothed(ages, timeline, curve, theme, number, label)
        smoothed(shares, timeline, spanning, theme, 0, "trajectories")
        smoothed(kl, timeline, drift, theme, 2, "KL")
        share_axis(shares)
        for axes, title in ((ages, "versions behind"), (shares, "of several versions"), (kl, "KL of old and new")):
            axes.set_title(title)
            axes.set_xlabel("step")
            bands(axes, timeline.bands, theme, names=False)
        ages.set_ylim(bottom=0)
        ages.legend(loc="upper left")

    return Panel(
        "staleness",
        "How old the weights were that sampled",
        "In versions of the weights, one a step; an interrupted turn counts as of its oldest weights. KL is "
        "between the policy that sampled and the one a step begins with, a token.",
        Table(("step", "mean", "oldest", "share of several versions", "KL"), step_rows(mean, oldest, spanning, drift)),
        draw,
        height=2.6,
    )
