"""No question can be read in two ways: ties, words with two meanings, and "not" before "or" are left out."""

from __future__ import annotations

import re

import pytest

from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.tasks.bbh.disambiguation_qa import OPEN_ENDS, ROLES

SEEDS = 300


def drawn(name: str, level: int) -> list[Question]:
    return [get_task(f"bbh/{name}").make(seed, level) for seed in range(SEEDS)]


@pytest.mark.parametrize("level", [4, 5])
def test_a_penguin_is_asked_for_by_its_place_only_if_no_value_above_stands_twice(level: int) -> None:
    asked = 0
    for question in drawn("penguins_in_a_table", level):
        kind, *about = question.payload["question"]
        if kind == "nth":
            asked += 1
            column, place = about
            values = sorted(_column(question, column), reverse=True)
            assert len(set(values[: place + 1])) == place + 1
            assert values.count(values[place]) == 1
    assert asked


def _column(question: Question, column: str) -> list[int]:
    """The values after all changes."""
    place = 1 + ("age", "height", "weight").index(column)
    rows = {row[0]: list(row) for row in question.payload["rows"]}
    for kind, what, *how in question.payload["changes"]:
        if kind == "add":
            rows[what[0]] = list(what)
        elif kind == "delete":
            del rows[what]
        elif how[0] == column:
            rows[what][place] = how[1]
    return [row[place] for row in rows.values()]


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_of_two_consequences_the_one_with_not_stands_last(level: int) -> None:
    """`is not a fan of X or a cousin of Y` could mean neither of both."""
    for question in drawn("formal_fallacies", level):
        assert not re.search(r"\bnot an? \w+ of \w+ or (?!not )", question.prompt)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_kiwis_are_not_listed_where_animals_are_counted(level: int) -> None:
    task = get_task("bbh/object_counting")
    for seed in range(2000):
        question = task.make(seed, level)
        assert not ("kiwi" in question.prompt and question.payload["kind"] == "animals")


def test_an_open_end_fits_both_roles() -> None:
    assert all(set(roles.leaning) < set(OPEN_ENDS) for roles in ROLES)
    open_ends = {end for roles in ROLES for end in roles.of_both}
    assert "had a question" not in open_ends
    for question in (get_task("bbh/disambiguation_qa").make(seed, 2) for seed in range(600)):
        givens = question.payload
        for roles in ROLES:
            if givens["first"] in (f"the {roles.first}", f"the {roles.second}"):
                assert givens["end"] in (*roles.of_first, *roles.of_second, *roles.of_both)
                assert givens["end"] not in roles.leaning
