"""Tasks on dates and durations."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from r1ci_plugin.tasks.answers import YES_NO, Unparseable, integer, label, text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym
from r1ci_plugin.tasks.reasoning_gym.library import Item, draw

WEEKDAYS = list(calendar.day_name)
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}


def weekday_after(start: date, days: int) -> str:
    return WEEKDAYS[(start + timedelta(days=days)).weekday()]


def slashes_explained(question: str) -> str:
    """A sentence on the order of day and month for a question with a date such as 03/01/2081."""
    return " Dates are MM/DD/YYYY." if re.search(r"[0-9]/[0-9]", question) else ""


def days_between(first: date, last: date) -> list[date]:
    """All days from the first to the last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


_TASKS = [
    "weekday_of_date",
    "weekday_offset",
    "is_leap_year",
    "recurring_event_day",
    "weekday_of_date_from_first_date",
    "count_days",
    "count_business_days",
]


@gym(
    "calendar_arithmetic",
    "Weekdays, counts of days and leap years",
    ("math", "order"),
    "text",
    chance=0.15,
    answer_in_prompt=True,
    knobs="kinds of question 3 to 7, spans up to 30 ... 365 days",
    configs=[
        {"tasks": _TASKS[:kinds], "offset_upper_bound": days, "leap_year_range": 600}
        for kinds, days in [(2, 30), (4, 60), (7, 100), (7, 200), (7, 365)]
    ],
)
class CalendarArithmetic(Gym):
    """The library asks about one year only; here the year is drawn too."""

    def item(self, rng: Random, **config: Any) -> Item:
        return draw("calendar_arithmetic", rng, year=rng.randint(1901, 2099), **config)

    def keep(self, item: Item) -> bool:
        """A question from a given first weekday does not name its year, so a leap year would be ambiguous. A range is
        printed with one year for both of its dates."""
        meta = item.meta
        if "end_date" in meta and meta["start_date"][:4] != meta["end_date"][:4]:
            return False
        return meta["task"] != "weekday_of_date_from_first_date" or not calendar.isleap(meta["year"])

    def prompt(self, item: Item) -> str:
        hint = " The year is not a leap year." if item.meta["task"] == "weekday_of_date_from_first_date" else ""
        return item.question + hint + slashes_explained(item.question)

    def given(self, item: Item) -> Payload:
        keys = ("task", "start_date", "end_date", "offset_days", "year", "month", "ordinal", "weekday", "first_day")
        given = {key: item.meta[key] for key in keys if key in item.meta}
        if item.meta["task"].startswith("weekday_of_date"):
            given["target_date"] = item.meta["target_date"]
        if item.meta["task"] == "count_days":
            asked = re.search(
                r"How many (\w+)s are|occurrences of (\w+) from|how many times does (\w+) occur", item.question
            )
            given["weekday"] = next(name for name in (asked.groups() if asked else ()) if name)
        return given

    def check(self, payload: Payload, answer: str) -> Verdict:
        expected = payload["answer"]
        if expected in WEEKDAYS:
            return Verdict.compare(label(answer, WEEKDAYS), expected)
        if expected in YES_NO.values():
            return Verdict.compare(label(answer, YES_NO), expected)
        return Verdict.compare(integer(answer), int(expected))

    def oracle(self, payload: Payload) -> str:
        solve = getattr(self, "_" + payload["task"])
        return str(
            solve({key: date.fromisoformat(value) if key.endswith("date") else value for key, value in payload.items()})
        )

    def _weekday_offset(self, given: Payload) -> str:
        return weekday_after(given["start_date"], given["offset_days"])

    def _weekday_of_date(self, given: Payload) -> str:
        return weekday_after(given["target_date"], 0)

    def _weekday_of_date_from_first_date(self, given: Payload) -> str:
        passed: int = given["target_date"].timetuple().tm_yday - 1
        return WEEKDAYS[(WEEKDAYS.index(given["first_day"]) + passed) % 7]

    def _recurring_event_day(self, given: Payload) -> int:
        month = calendar.monthrange(given["year"], given["month"])[1]
        days = [
            day
            for day in range(1, month + 1)
            if weekday_after(date(given["year"], given["month"], day), 0) == given["weekday"]
        ]
        place = _ORDINALS[given["ordinal"]]
        return days[place] if place < len(days) else -1

    def _count_days(self, given: Payload) -> int:
        return sum(
            weekday_after(day, 0) == given["weekday"] for day in days_between(given["start_date"], given["end_date"])
        )

    def _count_business_days(self, given: Payload) -> int:
        return sum(day.weekday() < 5 for day in days_between(given["start_date"], given["end_date"]))

    def _is_leap_year(self, given: Payload) -> str:
        return "Yes" if calendar.isleap(given["year"]) else "No"


_ASKED = re.compile(
    r"(?:between|from|started at|departed at|began at) (?P<start>.+?) "
    r"(?:and (?:ended |completed |arrived )at|and|to) (?P<end>.+?)(?:\?|\. ).*? in (?P<form>[^?]+)\."
)
_FORMATS = [
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S.%f",
    "%Y-%m-%d",
    "%B %d, %Y",
    "%m/%d/%Y",
    "%A, %B %d, %Y",
    "%a %b %d %Y",
    "%d %B %Y",
    "%Y-%m-%d (%A)",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M %z",
    "%Y-%m-%d %H:%M:%S %z",
    "%A, %B %d, %Y at %H:%M",
    "%a %b %d %Y %H:%M:%S",
    "%d %B %Y, %H:%M",
    "%d %B %Y, %H:%M %z",
    "%Y-%m-%d (%A) %H:%M:%S %z",
]


def moment(stamp: str) -> datetime:
    """A time or date in one of the library's formats."""
    for form in _FORMATS:
        try:
            return datetime.strptime(stamp, form)
        except ValueError:
            continue
    raise ValueError(f"no known format of {stamp!r}")


def duration(answer: str, form: str) -> tuple[int, ...]:
    """Days and clock parts of an answer in the asked form, e.g. `D days, HH:MM`."""
    pattern = "".join(
        {
            "D days": r"([0-9]+)\s*(?:days?)?",
            "HH": "([0-9]{1,4})",
            "MM": "([0-9]{1,2})",
            "SS": "([0-9]{1,2})",
            "mmm": "([0-9]{3})",
        }.get(part, re.escape(part).replace(r"\ ", r"\s*"))
        for part in re.split(r"(D days|HH|MM|SS|mmm)", form)
    )
    match = re.fullmatch(pattern, text(answer).strip())
    if not match:
        raise Unparseable(f"not of the form {form}")
    return tuple(int(part) for part in match.groups())


@gym(
    "time_intervals",
    "Difference of two times or dates",
    ("math", "order"),
    "text",
    knobs="kinds of question, span up to 1 hour ... 1 day and 7 ... 1825 days",
    configs=[
        {"task_types": kinds, "max_time_difference_seconds": seconds, "max_date_difference_days": days}
        for kinds, seconds, days in [
            (["time", "time_seconds"], 3600, 7),
            (["time", "time_seconds", "date"], 10_800, 30),
            (["time", "time_seconds", "time_ms", "date", "datetime"], 86_400, 100),
            (["time_seconds", "time_ms", "date", "datetime", "datetime_tz"], 86_400, 365),
            (["time_ms", "date", "datetime", "datetime_tz"], 86_400, 1825),
        ]
    ],
    form="Units smaller than the last one asked for are cut off. The answer is the duration in the form asked for, "
    "alone.",
)
class TimeIntervals(Gym):
    """Compared part by part; computed here from the two stamps as written, so the day of the run cannot matter."""

    def given(self, item: Item) -> Payload:
        match = _ASKED.search(item.question)
        return match.groupdict() if match else {}

    def prompt(self, item: Item) -> str:
        return super().prompt(item) + slashes_explained(item.question)

    def keep(self, item: Item) -> bool:
        given = self.given(item)
        return bool(given) and moment(given["end"]) >= moment(given["start"]) and self.oracle(given) == item.answer

    def check(self, payload: Payload, answer: str) -> Verdict:
        form = payload["form"]
        return Verdict.compare(duration(answer, form), duration(payload["answer"], form))

    def oracle(self, payload: Payload) -> str:
        passed = moment(payload["end"]) - moment(payload["start"])
        seconds = passed.seconds if "D days" in payload["form"] else int(passed.total_seconds())
        parts = {
            "D days": f"{passed.days} days",
            "HH": f"{seconds // 3600:02d}",
            "MM": f"{seconds // 60 % 60:02d}",
            "SS": f"{seconds % 60:02d}",
            "mmm": f"{passed.microseconds // 1000:03d}",
        }
        return "".join(parts.get(part, part) for part in re.split(r"(D days|HH|MM|SS|mmm)", payload["form"]))
