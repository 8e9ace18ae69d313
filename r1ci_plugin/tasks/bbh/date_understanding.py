"""Date understanding: what date is so many days, weeks, months or years from a date given in words. Six dates to
choose from.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import OptionTask, chained, letter_of, shuffled
from r1ci_plugin.tasks.bbh.dates import Step, after, american
from r1ci_plugin.tasks.bbh.lexicon import NAMES, listed

_MONTHS = listed("January February March April May June July August September October November December")
_EVENTS = (
    "moved house",
    "started a new job",
    "planted a tree",
    "bought a bicycle",
    "opened a shop",
    "adopted a cat",
    "finished a novel",
    "began to learn the cello",
    "returned from a long voyage",
    "broke an arm",
)
_OPTIONS = 6
_ASKED = {1: (("day",), 1), 2: (("day", "week"), 3), 3: (("day", "week", "month", "year"), 12)}
_ASKED |= {4: (("day", "week", "month", "year"), 60), 5: (("day", "week", "month", "year"), 200)}
"""Level to (units a step may have, greatest count)."""
_SLIPS = (("day", 1), ("day", 2), ("day", 7), ("day", 10), ("month", 1), ("year", 1), ("swap", 0))
"""Steps to a date that is easily taken for another one, to either side; swap: the day is taken for the month."""
_PASSED = {4: (1, 400), 5: (400, 9_000)}
"""Level to the least and greatest number of days that passed since the event the question begins with."""


@task(
    "bbh/date_understanding",
    summary="Find a date some days, weeks, months or years away",
    capabilities=("math", "order"),
    answer_kind="option",
    levels=5,
    knobs="tomorrow or yesterday; up to 3 days or weeks; up to 12 months or years; first some days "
    "pass (up to 400, up to 9,000) and two steps are asked; the day first in some dates from level 3",
    source="BIG-Bench Hard date_understanding, rules written anew",
    default_level=3,
    chance=1 / _OPTIONS,
    answer_in_prompt=True,
    family="date_understanding",
)
class DateUnderstanding(OptionTask):
    def generate(self, rng: Random, level: int) -> Draft:
        while True:
            start = date(1700, 1, 1) + timedelta(days=rng.randrange(365 * 400))
            steps = _steps(rng, level)
            try:
                reached = after(start, steps)
            except ValueError:  # a month from day 29, 30 or 31: draw again
                continue
            break
        options = [american(day) for day in shuffled(rng, chained(reached, _OPTIONS, lambda day: _slip(rng, day), rng))]
        return self.choice(_prompt(rng, start, steps, level), options, start=start.isoformat(), steps=steps)

    def oracle(self, payload: Payload) -> str:
        return letter_of(payload["options"], american(after(date.fromisoformat(payload["start"]), payload["steps"])))


def _steps(rng: Random, level: int) -> list[Step]:
    units, greatest = _ASKED[level]
    asked: list[Step] = []
    for _ in range(2 if level > 3 else 1):
        unit = rng.choice(units)
        asked.append([unit, rng.choice((-1, 1)) * rng.randint(1, min(greatest, 30) if unit == "year" else greatest)])
    return [["day", rng.randint(*_PASSED[level])], *asked] if level > 3 else asked


def _slip(rng: Random, day: date) -> date:
    """A date easily taken for this one, from which the way back is as likely; the date itself where there is none."""
    unit, count = rng.choice(_SLIPS)
    try:
        if unit == "swap":
            return day.replace(month=day.day, day=day.month)
        return after(day, [[unit, rng.choice((-1, 1)) * count]])
    except ValueError:
        return day


def _prompt(rng: Random, start: date, steps: list[Step], level: int) -> str:
    if level > 3:
        name = rng.choice(NAMES)
        passed, first, second = steps
        return (
            f"{name} {rng.choice(_EVENTS)} on {_in_words(start)}. {passed[1]} days have passed since. Take "
            f"the day that lies {_offset(first)} today. What is the date {_offset(second)} that day, as MM/DD/YYYY?"
        )
    if level == 3 and rng.random() < 0.3:
        today = f"Today is {start.day:02}/{start.month:02}/{start.year}, written with the day first."
    else:
        today = f"Today is {_in_words(start)}."
    (step,) = steps
    named = {("day", 1): "tomorrow", ("day", -1): "yesterday"}.get(
        (str(step[0]), int(step[1])), f"{_offset(step)} today"
    )
    return f"{today} What is the date {named}, as MM/DD/YYYY?"


def _in_words(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _offset(step: Step) -> str:
    """`3 weeks after`, `1 month before`."""
    unit, count = str(step[0]), int(step[1])
    return f"{abs(count)} {unit}{'s' if abs(count) > 1 else ''} {'after' if count > 0 else 'before'}"
