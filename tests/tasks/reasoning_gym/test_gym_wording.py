"""Questions have one reading, and say what is needed to answer them."""

from datetime import date

import pytest

from r1ci_plugin.tasks import get_task
from r1ci_plugin.tasks.reasoning_gym.dates import moment


def questions(name, level, seeds):
    task = get_task(f"reasoning_gym/{name}")
    return [task.make(seed, level) for seed in seeds]


def test_ranges_of_days_lie_in_the_year_they_are_printed_with():
    for level in (3, 4, 5):
        ranges = [q.payload for q in questions("calendar_arithmetic", level, range(150)) if "end_date" in q.payload]
        assert ranges
        for given in ranges:
            start, end = (date.fromisoformat(given[key]) for key in ("start_date", "end_date"))
            assert start.year == end.year and start <= end


@pytest.mark.parametrize(("name", "level"), [("calendar_arithmetic", 1), ("time_intervals", 3)])
def test_dates_with_slashes_say_the_order_of_day_and_month(name, level):
    made = questions(name, level, range(200))
    slashed = [question.prompt for question in made if "/20" in question.prompt or "/19" in question.prompt]
    assert slashed and all("MM/DD/YYYY" in prompt for prompt in slashed)
    assert any("MM/DD/YYYY" not in question.prompt for question in made)
    assert moment("03/01/2081") == moment("March 01, 2081")


@pytest.mark.parametrize("level", [1, 2, 3])
def test_examples_of_a_list_function_show_a_rule(level):
    for question in questions("list_functions", level, range(100)):
        shown = question.payload["examples"]
        assert len({tuple(result) for _, result in shown}) > 1
        assert any(given != result for given, result in shown)


def test_mazes_say_which_steps_there_are():
    assert all("up, down, left or right" in question.prompt for question in questions("maze", 2, range(3)))
