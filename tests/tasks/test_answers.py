"""The typed parsers: which spellings of an answer mean the same value, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.tasks.answers import Unparseable, json_value, lines, option, peeled, plain_operators, rational


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5.55 × 10^1", Fraction(111, 2)),
        (r"1.2\times 10^{-3}", Fraction(12, 10_000)),
        ("3*10**2", Fraction(300)),
        (r"-\dfrac{3}{4}", Fraction(-3, 4)),
        (r"\frac{-3}{4}", Fraction(-3, 4)),
        ("1,234/7", Fraction(1234, 7)),
        ("1e-3", Fraction(1, 1000)),
    ],
)
def test_numbers_are_read_exactly_in_every_usual_notation(text: str, value: Fraction) -> None:
    assert rational(text) == value


@pytest.mark.parametrize("text", ["4/-2", "1/0", r"\frac{1}{0}", "3*10^999", "12,34/7", "2*10", r"\frac12"])
def test_what_is_no_number_or_no_small_one_is_refused(text: str) -> None:
    with pytest.raises(Unparseable):
        rational(text)


def test_python_lists_and_dicts_are_read_as_json() -> None:
    assert json_value("['fill A', 'pour A->B']") == ["fill A", "pour A->B"]
    assert json_value("{0: 1, 12: [2, 3]}") == {"0": 1, "12": [2, 3]}
    for text in ("['it's']", "{0: 1, 0: 2}", "[__import__('os')]", r"['\x41']", "(1, 2)"):
        with pytest.raises(Unparseable):
            json_value(text)


def test_lines_may_be_numbered_or_a_list() -> None:
    wanted = ["Move A from 1 to 2", "Move B from 1. to 3"]
    assert lines("1. Move A from 1 to 2\n\n 2) Move B from 1. to 3") == wanted
    assert lines("['Move A from 1 to 2', 'Move B from 1. to 3']") == wanted
    with pytest.raises(Unparseable):
        lines("[1, 2]")


def test_a_letter_of_an_option_may_be_small() -> None:
    options = {"A": "a dog", "B": "the cat"}
    assert [option(text, options) for text in ("a", "(b)", "b. the cat", "a dog")] == ["A", "B", "B", "A"]
    with pytest.raises(Unparseable):
        option("a cat", options)


def test_typeset_operators_are_those_of_ascii() -> None:
    assert plain_operators(r"\left(2 \times 3\right) \div 4 \cdot 5 ⋅ 6 − 7") == "(2 * 3) / 4 * 5 * 6 - 7"
    assert plain_operators(r"\divide \lefty") == r"\divide \lefty"


@pytest.mark.parametrize(
    ("answer", "within"),
    [
        ("**A**.", ["**A**", "A"]),
        (r"$\boxed{42}$", [r"\boxed{42}", "42"]),
        ("```json\n[1]\n```", ["[1]"]),
        ("``", []),
        ("a", []),
    ],
)
def test_layers_around_an_answer_are_taken_off_one_by_one(answer: str, within: list[str]) -> None:
    assert list(peeled(answer)) == within


@given(st.text(alphabet="ab*`\"$.\\{}()[] \n", max_size=60))
def test_what_remains_within_layers_is_a_part_of_the_answer(answer: str) -> None:
    for inner in peeled(answer):
        assert inner and inner in answer and len(inner) < len(answer)
