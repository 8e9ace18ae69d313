"""The few numbers at the top of the report. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from r1ci_plugin.report.sources import Sources
from r1ci_plugin.report.tally import Tally, macro, total
from r1ci_plugin.report.timeline import Timeline, Validation

WINDOW = 10
"""Steps at either end whose accuracies are averaged; in a shorter run, half of its steps."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with what it is, and what it is to be read with."""

    label: str
    value: str
    note: str = ""


def facts(sources: Sources, timeline: Timeline) -> list[Fact]:
    """In the order of what a reader wants to know first."""
    found = [*_held_out(timeline.validations()), *_training(timeline)]
    for entry in sources.evaluations:
        pooled = total(entry.tasks.values())
        note = f"{entry.name}, mean over {len(entry.tasks)} tasks; all answers {_share(pooled)}"
        found.append(Fact("evaluation", _percent(macro(entry.tasks)), note))
    return found


def _held_out(found: Sequence[Validation]) -> list[Fact]:
    if not found:
        return []
    first, last = found[0], found[-1]
    ends = [first, last] if last.step != first.step else [first]
    value = " → ".join(_percent(entry.acc) for entry in ends)
    counted = [f"step {entry.step}: {_share(total(entry.tasks.values()))}" for entry in ends if entry.tasks]
    return [Fact("held-out questions", value, "; ".join(counted))]


def _training(timeline: Timeline) -> list[Fact]:
    steps, accs = timeline.curve("r1ci/reward/acc")
    if not accs:
        return []
    window = min(WINDOW, max(1, len(accs) // 2))
    first, last = accs[:window], accs[-window:]
    answers = sum(tally.n for _, tasks in timeline.tasks_of_steps() for tally in tasks.values())
    seconds = sum(timeline.curve("timing_s/step")[1])
    lost = sum(timeline.curve("r1ci/agent/lost")[1])
    found = [
        Fact(
            "training questions",
            f"{_percent(sum(first) / len(first))} → {_percent(sum(last) / len(last))}",
            f"accuracy of the first and the last {window} steps",
        ),
        Fact("trajectories", f"{answers:,}", f"{len(steps)} steps; {lost:,.0f} lost to the infrastructure"),
    ]
    if seconds:
        found.append(Fact("time in steps", _duration(seconds), f"{seconds / len(steps):.1f} s a step"))
    return found


def _share(tally: Tally) -> str:
    low, high = tally.interval
    return f"{tally.right} of {tally.n} right, {100 * low:.0f} to {_percent(high)}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
