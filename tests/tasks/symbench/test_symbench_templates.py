"""Templated word problems: formulas against counting, enumeration and floating geometry."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import combinations, permutations, product

import pytest

from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.tasks.symbench import gsm_hard, math_templates
from r1ci_plugin.tasks.symbench.templates import WORDS, Template
from r1ci_plugin.tasks.symbench.units import countable


def find(templates: tuple[Template, ...], start: str) -> Template:
    [template] = [template for template in templates if start in template.text]
    return template


def counting(start: str, **numbers: int) -> Fraction:
    answer = find(math_templates.COUNTING, start).formula(**numbers)
    found = re.fullmatch(r"\\frac\{(\d+)\}\{(\d+)\}", answer)
    return Fraction(int(found[1]), int(found[2])) if found else Fraction(answer)


def share(outcomes: list[bool]) -> Fraction:
    return Fraction(sum(outcomes), len(outcomes))


def test_counting_formulas_agree_with_enumeration() -> None:
    assert counting("choose {k}", n=7, k=3) == len(list(combinations(range(7), 3)))
    assert counting("put {k}", n=6, k=3) == len(list(permutations(range(6), 3)))
    people = [f"w{n}" for n in range(4)] + [f"m{n}" for n in range(5)]
    committees = [team for team in combinations(people, 3) if sum(p[0] == "w" for p in team) == 1]
    assert counting("committee", a=4, b=5, i=1, j=2) == len(committees)
    bag = list(combinations("aaabbbbb", 2))
    assert counting("both are", a=3, b=5) == share([pair == ("a", "a") for pair in bag])
    assert counting("differ in colour", a=3, b=5) == share([pair[0] != pair[1] for pair in bag])
    for total in range(2, 13):
        assert counting("the sum is", n=6, s=total) == share(
            [a + b == total for a, b in product(range(1, 7), repeat=2)]
        )
    assert counting("exactly {k} heads", n=5, k=2) == share([sum(c) == 2 for c in product((0, 1), repeat=5)])
    assert counting("one unit right", a=3, b=2) == len(set(permutations("rrruu")))
    assert counting("divisible", n=100, p=4, q=6) == sum(n % 4 == 0 or n % 6 == 0 for n in range(1, 101))
    assert counting("share {n}", n=5, k=3) == sum(sum(parts) == 5 for parts in product(range(6), repeat=3))
    assert counting("different rows", a=2, b=1, c=2) == len(set(permutations("aabcc")))
    assert counting("at least one {m}", n=3, m=6) == share([6 in rolls for rolls in product(range(1, 7), repeat=3)])
    assert counting("tickets", n=7, k=4) == Fraction(4 * sum(range(1, 8)), 7)
    assert counting("passwords", n=6, k=3, m=2) == sum(word[0] < 2 for word in permutations(range(6), 3))


def number(text: str) -> float:
    """The value of an answer, evaluated from our own text."""
    body = re.sub(r"\\frac\{(.*)\}\{(\d+)\}", r"(\1)/\2", text)
    body = re.sub(r"(\d)\\", r"\1*\\", body).replace(r"\pi", "math.pi")
    return float(eval(re.sub(r"\\sqrt\{(\d+)\}", r"math.sqrt(\1)", body), {"math": math}))


@pytest.mark.parametrize(
    ("start", "numbers", "expected"),
    [
        ("(0, 0), ({a}, 0)", {"a": 5, "b": 2, "c": 3}, 7.5),
        ("legs", {"a": 6, "b": 8}, 10),
        ("between the points", {"a": 1, "b": 2, "c": 3, "d": 4}, math.hypot(4, 6)),
        ("sector", {"w": 75, "r": 6}, math.pi * 36 * 75 / 360),
        ("ring", {"r": 3, "s": 5}, math.pi * 16),
        ("cone", {"r": 2, "h": 5}, math.pi * 4 * 5 / 3),
        ("cylinder", {"r": 2, "h": 5}, math.pi * 20),
        ("opposite corners", {"a": 1, "b": 2, "c": 4}, math.sqrt(21)),
        ("trapezoid", {"a": 3, "b": 4, "h": 5}, 17.5),
        ("hexagon", {"p": 12}, 6 * math.sqrt(3) / 4 * 4),
        ("equilateral", {"a": 2, "b": 4}, math.sqrt(3) / 4 * 16),
        ("shadow", {"a": 150, "b": 50, "c": 400}, 1200),
        ("x^2 + y^2", {"a": 4, "b": 6, "c": 3}, 4),
        ("from the line", {"a": 3, "b": 4, "p": 3, "q": 4, "c": 5}, 4),
    ],
)
def test_geometry_formulas_agree_with_floating_geometry(start: str, numbers: dict[str, int], expected: float) -> None:
    assert math.isclose(number(find(math_templates.GEOMETRY, start).formula(**numbers)), expected)


def test_every_geometry_template_has_a_case_above() -> None:
    assert len(math_templates.GEOMETRY) == 14
    assert len(math_templates.COUNTING) == 14


def test_word_problem_formulas_agree_with_counting_by_hand() -> None:
    cases = {
        "a day for {b} days": ({"a": 3, "b": 4, "c": 5}, 17),
        "warehouse": ({"a": 20, "b": 2, "c": 5, "d": 7}, 23),
        "earns": ({"a": 50, "b": 20, "c": 3, "d": 15}, 75),
        "theatre": ({"a": 4, "b": 5, "c": 2, "d": 3, "e": 2}, 108),
        "times as many": ({"a": 5, "b": 3, "c": 2}, 5 + 15 + 13),
        "half of the boxes": ({"a": 4, "b": 6, "c": 1}, 13),
        "percent": ({"a": 20, "p": 10, "b": 7}, 2207),
        "average": ({"a": 1, "b": 2, "c": 3, "d": 5}, Fraction(11, 4)),
        "an hour": ({"a": 5, "b": 2, "c": 40, "d": 3, "e": 4}, 126),
        "packs": ({"a": 20, "b": 6, "c": 3}, 12),
    }
    assert len(cases) == len(gsm_hard.TEMPLATES)
    for start, (numbers, expected) in cases.items():
        assert find(gsm_hard.TEMPLATES, start).formula(**numbers) == expected


@pytest.mark.parametrize("templates", [math_templates.COUNTING, math_templates.GEOMETRY, gsm_hard.TEMPLATES])
def test_no_template_fixes_a_word_that_may_also_be_drawn(templates: tuple[Template, ...]) -> None:
    """Red, white and white flags are two colours, not three."""
    drawn = {word for words in WORDS.values() for word in words}
    assert all(not drawn & set(re.findall(r"[A-Za-z]+", template.text)) for template in templates)


def test_numbers_may_be_followed_by_what_is_counted_and_by_no_number_word() -> None:
    task = get_task("symbench/gsm_hard")
    for seed in range(30):
        question = task.make(seed, 1)
        right = task.solve(question)
        things = question.payload["words"].get("what", "dollars")
        assert task.verify(question, f"{right} {things}").outcome == "correct"
        for word in ("trillion", "hundredths", "minus", "million", "half", "percent", "times", "or", "bananas"):
            assert task.verify(question, f"{right} {word}").outcome == "unparseable"


def test_words_of_an_official_question_may_follow_its_number() -> None:
    task = get_task("symbench/gsm_hard")
    payload = {"label": "12", "official": True, "countable": sorted(countable("How many eggs are half a dozen eggs?"))}
    question = Question("symbench/gsm_hard", 0, 1, "", payload)
    judged = [task.verify(question, f"12 {word}").outcome for word in ("eggs", "dollars", "dozen", "half")]
    assert judged == ["correct", "correct", "unparseable", "unparseable"]


def test_words_of_a_question_differ_and_numbers_grow_with_the_level() -> None:
    task = get_task("symbench/gsm_hard")
    for seed in range(50):
        words = task.make(seed).payload["words"]
        assert len(set(words.values())) == len(words)
    largest = [
        max(max(task.make(seed, level).payload["numbers"].values()) for seed in range(20)) for level in range(1, 6)
    ]
    assert largest == sorted(largest)
