"""Who has not read the question cannot tell the right option from the others by what the options look like together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import zip_longest

import pytest

from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.tasks.bbh.lexicon import NUMBER_WORDS

SEEDS = 300
OPTION_TASKS = ["date_understanding", "hyperbaton", "penguins_in_a_table", "reasoning_about_colored_objects"]
OPTION_TASKS += ["temporal_sequences"]
Options = Mapping[str, str]


def drawn(name: str, level: int) -> list[Question]:
    return [get_task(f"bbh/{name}").make(seed, level) for seed in range(SEEDS)]


def share(questions: list[Question], guess: Callable[[Question], str]) -> float:
    return sum(f"({guess(question)})" == question.payload["answer"] for question in questions) / len(questions)


def fair(options: int) -> float:
    """What a guesser of one in so many options reaches at most, but for one time in a thousand."""
    return 1 / options + 3 * ((1 - 1 / options) / options / SEEDS) ** 0.5


def apart(one: str, other: str) -> int:
    return sum(mine != theirs for mine, theirs in zip_longest(re.split(r"[ /]", one), re.split(r"[ /]", other)))


def value(text: str) -> float:
    if re.fullmatch(r"\d\d/\d\d/\d{4}", text):
        return datetime.strptime(text, "%m/%d/%Y").toordinal()
    return float(NUMBER_WORDS.get(text.replace("-", " "), 0) if text.isalpha() else text)


def likest(options: Options) -> str:
    """The option that has most in common with the others."""
    return min(options, key=lambda letter: sum(apart(options[letter], other) for other in options.values()))


@pytest.mark.parametrize("name", OPTION_TASKS)
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_option_that_is_most_like_the_others_is_not_the_right_one(name: str, level: int) -> None:
    questions = drawn(name, level)
    assert share(questions, lambda question: likest(question.payload["options"])) <= fair(
        len(questions[0].payload["options"])
    )


def by_rank(question: Question, rank: int) -> str:
    options = question.payload["options"]
    return str(sorted(options, key=lambda letter: value(options[letter]))[rank])


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("rank", range(6))
def test_no_rank_of_a_date_among_the_others_is_likelier_to_be_right(level: int, rank: int) -> None:
    assert share(drawn("date_understanding", level), lambda question: by_rank(question, rank)) <= fair(6)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("rank", range(5))
def test_no_rank_of_a_number_of_a_table_is_likelier_to_be_right(level: int, rank: int) -> None:
    numbers = [q for q in drawn("penguins_in_a_table", level) if q.payload["options"]["A"].isdigit()]
    assert share(numbers, lambda question: by_rank(question, rank)) <= 0.2 + 3 * (0.16 / len(numbers)) ** 0.5


@pytest.mark.parametrize("level", [1, 3, 4])
def test_a_number_of_the_table_is_as_likely_a_wrong_option_as_the_right_one(level: int) -> None:
    def printed_most(question: Question) -> str:
        options = question.payload["options"]
        return str(max(options, key=lambda letter: question.prompt.partition("Options")[0].count(options[letter])))

    assert share(drawn("penguins_in_a_table", level), printed_most) <= fair(5)


@pytest.mark.parametrize(("level", "most"), [(3, 6), (4, 8), (5, 13)])
def test_no_count_of_coloured_things_is_likelier_than_another(level: int, most: int) -> None:
    """`most` is the greatest count that things suffice for in every kind of question but one."""
    kinds = ("neither", "left", "remaining")
    counts = [q for q in drawn("reasoning_about_colored_objects", level) if q.payload["question"][0] in kinds]
    bound = 1 / most + 3 * (1 / most / len(counts)) ** 0.5
    assert all(share(counts, lambda question, rank=rank: by_rank(question, rank)) <= bound for rank in range(most + 1))  # type: ignore[misc]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_of_the_colours_of_the_things_others_than_the_right_one_are_options_too(level: int) -> None:
    for question in drawn("reasoning_about_colored_objects", level):
        options, things = set(question.payload["options"].values()), question.payload["things"]
        if question.payload["question"][0] in ("colour", "beside", "end"):
            assert {colour for _, colour, _ in things} <= options


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_every_option_runs_between_times_of_the_text_and_none_is_a_sighting(level: int) -> None:
    for question in drawn("temporal_sequences", level):
        text = question.prompt.partition("\nOptions:")[0]
        told = set(re.findall(r"\d+(?::\d+)?[ap]m", text))
        for option in question.payload["options"].values():
            assert set(option.split(" to ")) <= told
            assert f"from {option}." not in text


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_gap_of_a_day_is_as_long_as_other_options(level: int) -> None:
    def minutes(clock: str) -> int:
        hour, minute, half = re.fullmatch(r"(\d+)(?::(\d+))?(am|pm)", clock).groups()  # type: ignore[union-attr]
        return (int(hour) % 12 + 12 * (half == "pm")) * 60 + int(minute or 0)

    def length(option: str) -> int:
        start, end = option.split(" to ")
        return minutes(end) - minutes(start)

    questions = drawn("temporal_sequences", level)
    for extreme in (min, max):

        def guess(question: Question, extreme: Callable[..., str] = extreme) -> str:
            options = question.payload["options"]
            return extreme(options, key=lambda letter: length(options[letter]))

        assert share(questions, guess) <= fair(4)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("words", "size"), [("three", 3), ("five", 5), ("seven", 7)])
def test_after_few_swaps_too_one_person_in_so_many_holds_what_it_began_with(words: str, size: int, level: int) -> None:
    questions = drawn(f"tracking_shuffled_objects_{words}_objects", level)

    def began_with(question: Question) -> str:
        first = dict(question.payload["start"])[question.payload["asked"]]
        return next(letter for letter, thing in question.payload["options"].items() if thing == first)

    assert 2 / size - fair(size) <= share(questions, began_with) <= fair(size)
