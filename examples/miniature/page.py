"""The results as Markdown for docs/study.md.

Everything between the two marks of that page is written here; what was not run is said to be not run. Left out: the
numbers (`analysis.py`), the figures themselves (`figures.py`).
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from pathlib import Path

import analysis
import figures
from analysis import Gains, Study
from figures import SIDES

from r1ci_plugin.evaluation.seeds import Mean
from r1ci_plugin.evaluation.sheet import Cell, Column, Sheet, interval_text
from r1ci_plugin.report.panel import Panel

BEGIN, END = "<!-- results of {form}: written by run.sh analyse -->", "<!-- end of {form} -->"
NOT_RUN = "not run yet"
GROUPS = ("group_1", "group_2", "group_3", "group_4")
ALL_TASKS = "tasks_21"
"""What the arms of fewer tasks are measured against: as many steps, and no other difference."""
RATIO_BAR, COLD_BAR, ORDERED_BAR = 2.0, 0.25, 4
"""Aim of staged over plain, most of cold over warm, and seeds in which the groups are to be in order."""


def markdown(study: Study) -> str:
    """All tables, and the list of what is missing."""
    first = study.protocol.analysis.sides[0]
    sheets = [_bars(study, first)]
    sheets += [_gains(study, side) for side in study.protocol.analysis.sides]
    sheets += [_differences(study), _probes(study, first), _behaviour(study), _tuning(study)]
    text = "\n".join(sheet.markdown() for sheet in sheets)
    return f"{text}\n{_missing(study)}\n"


def fill(page: Path, study: Study) -> None:
    """Put the results into a page, with figures in `images/` beside it.

    Raises ValueError for a page without the two marks of the protocol, ImportError without matplotlib.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = (mark.format(form=study.protocol.form) for mark in (BEGIN, END))
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{page} lacks the marks {begin} and {end}")
    folder, panels = Path("images") / f"study-{study.protocol.form}", figures.panels(study)
    figures.draw(panels, page.parent / folder)
    filled = f"{begin}\n\n{markdown(study)}\n{_figures(panels, folder)}\n{end}"
    page.write_text(pattern.sub(lambda _: filled, text), encoding="utf-8")


def _figures(panels: Sequence[Panel], folder: Path) -> str:
    """The figures as they stand in the page."""
    lines = ["### Figures"]
    for panel in panels:
        lines += ["", f"**{panel.title}.** {panel.text}", "", f"![{panel.title}]({folder}/{panel.slug}.png)"]
    return "\n".join([*lines, ""])


def _bars(study: Study, side: str) -> Sheet:
    """What was asked for, and whether it is met."""
    gains = study.gains(side)
    staged_plain = analysis.difference(study, gains, "staged", "plain")
    staged_reverse = analysis.difference(study, gains, "staged", "reverse")
    ratio = analysis.ratio(study, gains, "staged", "plain")
    cold = analysis.ratio(study, gains, "cold", "staged")
    falling, seeds = analysis.ordered_seeds(gains, GROUPS)
    wanted = len(study.protocol.seeds.core)
    order = f"in {falling} of {seeds} seeds" if seeds else NOT_RUN
    rows: list[tuple[str, str, str, Cell]] = [
        ("staged less plain GRPO, points", "above 0, interval excludes 0", _points(staged_plain), _above(staged_plain)),
        (
            "staged over plain GRPO",
            f"aim {RATIO_BAR} or more",
            _number(ratio),
            _met(ratio.value >= RATIO_BAR) if ratio else None,
        ),
        (
            "staged less reversed, points",
            "above 0, interval excludes 0",
            _points(staged_reverse),
            _above(staged_reverse),
        ),
        (
            "gain falls from group 1 to 4, each alone",
            f"in {ORDERED_BAR} of {wanted} seeds",
            order,
            _met(falling >= ORDERED_BAR) if seeds == wanted else None,
        ),
        (
            "cold start over warm start",
            f"at most {COLD_BAR}",
            _number(cold),
            _met(cold.value <= COLD_BAR) if cold else None,
        ),
    ]
    sheet = Sheet(f"Bars, on {SIDES[side]}", [Column(name) for name in ("what", "bar", "measured", "met")])
    sheet.rows += [(*row[:3], row[3] or "open") for row in rows]
    sheet.notes.append(
        "Intervals are over seeds. A ratio is given where the interval of its denominator excludes 0. "
        f"Seeds of staged and plain GRPO that are paired: {len(_seeds(gains, 'staged') & _seeds(gains, 'plain'))}."
    )
    compared = analysis.on_questions(study, "staged", "plain", side)
    if compared is not None:
        line = compared.overall
        sheet.notes.append(
            f"The same answers question by question, seeds pooled: {100 * line.difference:+.1f} points "
            f"({interval_text(line.low, line.high, '+.1f') or 'no interval'}), {_chance(line.p)} "
            f"({line.questions} questions); it speaks of these very policies."
        )
    return sheet


def _chance(p: float) -> str:
    return f"p = {p:.4f}" if p >= 1e-4 else "p < 0.0001"


def _gains(study: Study, side: str) -> Sheet:
    """Every arm that trains on all tasks, whether it was run or not."""
    gains, level = study.gains(side), study.protocol.analysis.level
    means = analysis.over_seeds(study, gains)
    columns = [Column("arm"), Column("seeds", "d"), Column("accuracy", ".1%"), Column("gain", "+.1%")]
    columns += [Column.interval(level), Column("effective share", ".1%"), Column("trajectories", ",d")]
    columns += [Column("learning rate", ".0e")]
    sheet = Sheet(f"Accuracy on {SIDES[side]}", columns)
    tasks = study.protocol.tasks.train if side == "train" else study.protocol.tasks.test
    for one in study.baselines:
        alone = sum(other.arm == one.arm for other in study.baselines) == 1
        name = one.arm if alone else f"{one.arm} {one.start[:8]}"
        sheet.rows.append((f"{name}, not trained", None, analysis.accuracy(one, tasks), None, None, None, None, None))
    for arm, settings in study.protocol.arms.items():
        if settings.is_probe:
            continue
        found = study.of_arm(arm)
        if not found:
            sheet.rows.append((f"{arm}: {NOT_RUN}", *[None] * 7))
            continue
        mean = means.get(arm)
        interval = interval_text(*mean.interval, "+.1f") if mean and mean.interval else None
        accuracy = sum(analysis.accuracy(one, tasks) for one in found) / len(found)
        trajectories = round(sum(one.trajectories for one in found) / len(found))
        rates = {one.learning_rate for one in found}
        cells = (accuracy, mean.value if mean else None, interval, analysis.effective_share(found), trajectories)
        sheet.rows.append((arm, len(found), *cells, rates.pop() if len(rates) == 1 else None))
    sheet.notes.append(
        "gain: over the policy the arm began with. trajectories: sampled in training, filtered ones too."
    )
    return sheet


def _differences(study: Study) -> Sheet:
    """The staged curriculum against every other arm that trains on all tasks, paired by seed."""
    sides = study.protocol.analysis.sides
    columns = [Column("staged less"), Column("seeds", "d")]
    sheet = Sheet("Points that staged gains more", columns + [Column(SIDES[side]) for side in sides])
    gains = [study.gains(side) for side in sides]
    for arm, settings in study.protocol.arms.items():
        if arm == "staged" or settings.is_probe:
            continue
        found = [analysis.difference(study, of_side, "staged", arm) for of_side in gains]
        seeds = len(found[0].values) if found[0] else None
        sheet.rows.append((arm, seeds, *(_points(difference) for difference in found)))
    return sheet


def _probes(study: Study, side: str) -> Sheet:
    """Each potential group alone, and fewer tasks."""
    gains = study.gains(side)
    means = analysis.over_seeds(study, gains)
    columns = [Column("trained on"), Column("seeds", "d"), Column("gain", "+.1%")]
    columns += [Column.interval(study.protocol.analysis.level), Column("effective share", ".1%")]
    columns += [Column("less that of all tasks, on the same tasks")]
    sheet = Sheet("What groups and numbers of tasks teach by themselves", columns)
    for arm, settings in study.protocol.arms.items():
        if not settings.is_probe:
            continue
        what = f"potential group {settings.group}" if settings.group else _tasks(settings.tasks or 0)
        mean = means.get(arm)
        if mean is None:
            sheet.rows.append((f"{what}: {NOT_RUN}", *[None] * 5))
            continue
        interval = interval_text(*mean.interval, "+.1f") if mean.interval else None
        share = analysis.effective_share(study.of_arm(arm))
        same = analysis.on_own_tasks(study, arm, ALL_TASKS) if settings.tasks and arm != ALL_TASKS else None
        sheet.rows.append((what, len(mean.values), mean.value, interval, share, _points(same) if same else None))
    for base in study.bases_of(*GROUPS):
        text = ", ".join(f"{size} in group {group}" for group, size in (base.groups or {}).items() if group)
        sheet.notes.append(f"Training questions: {text}.")
    sheet.notes.append(
        "The gain of fewer tasks is that on the tasks trained on, of a group that on all training tasks."
    )
    return sheet


def _behaviour(study: Study) -> Sheet:
    """Before and after."""
    columns = {"SFT policy": study.bases_of("plain", "staged")}
    columns |= {arm: study.of_arm(arm) for arm in ("plain", "staged")}
    measures = ("code_use_rate", "self_check_rate", "failed_call_rate", "mean_calls", "mean_turns")
    sheet = Sheet(
        "Behaviour in the evaluation, mean over seeds", [Column(""), *(Column(name, ".3f") for name in columns)]
    )
    for measure in measures:
        cells = [analysis.behaviour(found, measure) if found else NOT_RUN for found in columns.values()]
        sheet.rows.append((measure.replace("_", " "), *cells))
    return sheet


def _tuning(study: Study) -> Sheet:
    """Every run that chose a learning rate."""
    chosen = analysis.tuned(study)
    columns = [
        Column("arm"),
        Column("learning rate", ".0e"),
        Column("seed", "d"),
        Column("accuracy", ".1%"),
        Column(""),
    ]
    sheet = Sheet("Tuning, on questions no comparison uses", columns)
    for one in sorted(study.tuning, key=lambda one: (one.arm, one.learning_rate, one.seed)):
        accuracy = analysis.accuracy(one, study.protocol.tasks.train)
        mark = "chosen" if chosen.get(one.arm) == one.learning_rate else None
        sheet.rows.append((one.arm, one.learning_rate, one.seed, accuracy, mark))
    if not study.tuning:
        sheet.rows.append((f"{NOT_RUN}: all arms have the protocol's rate", None, None, None, None))
    return sheet


def _missing(study: Study) -> str:
    lines = []
    if study.missing:
        lines.append(f"Not run yet ({len(study.missing)} pieces): {', '.join(study.missing)}.")
    else:
        lines.append("Every piece of the protocol was run.")
    found = analysis.policies(study)
    if found > 1:
        lines.append(f"The results began with {found} fine-tuned policies; a gain is over the one it began with.")
    seconds = [sum(one.seconds.values()) for one in study.results.values() if one.seconds]
    if seconds:
        lines.append(f"Half of the pieces took less than {statistics.median(seconds) / 60:.1f} minutes.")
    return "\n".join(lines)


def _points(mean: Mean | None) -> str:
    if mean is None:
        return NOT_RUN
    interval = interval_text(*mean.interval, "+.1f") if mean.interval else "one seed: no interval"
    return f"{100 * mean.value:+.1f} ({interval})"


def _number(mean: Mean | None) -> str:
    if mean is None or mean.interval is None:
        return "not run yet, or no interval"
    return f"{mean.value:.2f} ({mean.interval[0]:.2f} to {mean.interval[1]:.2f})"


def _above(mean: Mean | None) -> str | None:
    return _met(mean.value > 0 and mean.excludes_zero) if mean is not None and mean.interval is not None else None


def _met(met: bool) -> str:
    return "yes" if met else "no"


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"


def _seeds(gains: Gains, arm: str) -> set[int]:
    return set(gains.get(arm, {}))
