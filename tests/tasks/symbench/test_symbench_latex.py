"""Exact answers in LaTeX: what is equal, what is not, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from math import isclose, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.tasks import Unparseable
from r1ci_plugin.tasks.symbench import exact, latex


@pytest.mark.parametrize(
    ("truth", "answer"),
    [
        (r"\frac{3}{2}", "3/2"),
        (r"\frac{3}{2}", "1.5"),
        (r"\frac{3}{2}", r"\dfrac{3}{2}"),
        (r"\frac{1}{2}", r"\frac12"),
        (r"-\frac{3}{2}", "-1.5"),
        ("24", r"24\text{ cm}"),
        ("60", r"60^\circ"),
        ("60", "60°"),
        ("12.50", r"\$12.50"),
        (r"12\pi", r"12\pi\text{ cm}^2"),
        (r"12\pi", r"12\pi\ \mathrm{cm}^2"),
        (r"12\pi", "12π cm²"),
        (r"28\text{ cm}^2", "28"),
        (r"\text{even}", "even"),
        (r"\text{(A)}", "A"),
        ("1" + "0" * 75, "1" + "0" * 75),
        (f"{10**75}", f"{10**75:,}"),
        ("1200", "1,200"),
        (r"5\sqrt{2}", r"$5 \sqrt{2}$"),
        (r"5\sqrt{2}", r"\sqrt{50}"),
        (r"5\sqrt{2}", "5*sqrt(2)"),
        (r"12\pi", "12π"),
        (r"\frac{5\pi}{3}", "5*pi/3"),
        (r"\frac{3\sqrt{3}}{2}", r"1.5\sqrt{3}"),
        (r"(3,\frac{\pi}{2})", r"\left( 3, \frac{\pi}{2} \right)"),
        (r"\text{Evelyn}", r"\text{Evelyn}"),
        (r"\text{Evelyn}", "evelyn"),
        (r"\frac{3-\sqrt{5}}{2}", r"\frac{2}{3+\sqrt{5}}"),
        (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt 3}"),
        (r"8\pi-16", r"-16 + 2^3\cdot\pi"),
        ("3", "x = 3"),
        ("36", "36 square units"),
        (r"50\%", "1/2"),
        (r"\frac{5}{2}", r"2\frac12"),
        (r"\{1,2\}", r"\{2, 1\}"),
        ("2x+1", r"1 + x\cdot 2"),
        (r"9\sqrt{3}", "9√3"),
        (r"9\sqrt{3}", "√243"),
        (r"9\sqrt{3}", "9 √(3) cm"),
        (r"9\sqrt{3}", "243^{1/2}"),
        (r"9\sqrt{3}", r"243^{\frac{1}{2}}"),
        (r"9\sqrt{3}", "3^(5/2)"),
        (r"\frac{\sqrt{3}}{3}", "3^{-1/2}"),
        ("33", r"33\text{ square units}"),
    ],
)
def test_equal_forms_are_the_same(truth: str, answer: str) -> None:
    assert latex.same(truth, answer)


@pytest.mark.parametrize(
    ("truth", "answer"),
    [
        (r"5\sqrt{2}", "7.0711"),
        (r"12\pi", "37.7"),
        (r"\text{even}", r"\text{odd}"),
        ("144", r"12\text{ cm}^2"),
        (r"12\pi", "12"),
        (r"\frac{3}{2}", "3/4"),
        (r"\frac{1}{3}", "0.333"),
        ("1000000", "1000001"),
        (r"5\sqrt{2}", r"5\sqrt{3}"),
        ("(1,2)", "[1,2]"),
        ("(1,2)", "(2,1)"),
        ("2", "1, 2"),
        ("x", "y"),
        (r"\{1,1\}", r"\{1,2\}"),
    ],
)
def test_other_values_are_not_the_same(truth: str, answer: str) -> None:
    assert not latex.same(truth, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "9**9**9",
        "((9^{99})^{99})^{99}",
        r"9^{9^{9^{9}}}",
        r"\binom{999999999}{499999999}",
        r"\sum_{n=1}^{99} n",
        r"\int_0^1 x dx",
        "99999999999999999999!",
        "__import__('os')",
        "Integral(x, x)",
        r"\input{/etc/passwd}",
        "1" * 201 + "+x",
        "the answer is five",
        "243^{1/3}",
        "x^{1/2}",
    ],
)
def test_costly_and_strange_texts_are_refused(answer: str) -> None:
    with pytest.raises(Unparseable):
        latex.same(r"5\sqrt{2}", answer)


@pytest.mark.parametrize("words", [" million", " hundredths", " minus", " cm or more", " times ten"])
def test_words_that_are_no_units_are_not_passed_over(words: str) -> None:
    with pytest.raises(Unparseable):
        latex.same("33", rf"33\text{{{words}}}")


def test_words_of_the_question_and_of_the_truth_count_as_units() -> None:
    assert latex.same("33", r"33\text{ marbles}", frozenset({"marbles"}))
    assert latex.same(r"33\text{ marbles}", r"33\text{ marbles}")
    with pytest.raises(Unparseable):
        latex.same("33", r"33\text{ marbles}")


Written = tuple[str, float]
"""An expression in LaTeX and its value in floating point, made side by side."""

_NUMBERS: st.SearchStrategy[Written] = st.one_of(
    st.integers(1, 40).map(lambda n: (str(n), float(n))),
    st.integers(1, 40).map(lambda n: (rf"\sqrt{{{n}}}", sqrt(n))),
    st.just((r"\pi", pi)),
)


def _combined(inner: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    two = st.tuples(inner, inner)
    return st.one_of(
        two.map(lambda p: (f"({p[0][0]} + {p[1][0]})", p[0][1] + p[1][1])),
        two.map(lambda p: (f"({p[0][0]})({p[1][0]})", p[0][1] * p[1][1])),
        two.map(lambda p: (rf"\frac{{{p[0][0]}}}{{{p[1][0]}}}", p[0][1] / p[1][1])),
        inner.map(lambda e: (f"-({e[0]})^2", -(e[1] ** 2))),
    )


EXPRESSIONS = st.recursive(_NUMBERS, _combined, max_leaves=6)


@given(EXPRESSIONS, EXPRESSIONS)
def test_equality_is_that_of_the_values(one: Written, other: Written) -> None:
    """Two ways: what the parser says of two texts, and floating point beside it; every value equals itself."""
    try:
        values = [exact.read(text) for text, _ in (one, other)]
    except Unparseable:  # a division by zero, or too large
        return
    assert values[0].equals(exact.read(f"{one[0]} + 0"))
    assert values[0].equals(values[1]) == isclose(one[1], other[1], rel_tol=1e-9, abs_tol=1e-12)


@given(st.integers(1, 10**12))
def test_roots_of_all_sizes_keep_their_value_and_no_square(radicand: int) -> None:
    ((root, _), factor), *_ = exact.root_of(exact.rational(radicand)).top.items()
    assert factor**2 * root == radicand
    assert all(root % (d * d) for d in range(2, 200))


@given(st.text(alphabet="0123456789+-*/^(){}[]\\,.=% abcfrqstdopi", max_size=200))
def test_any_text_is_judged_or_refused(text: str) -> None:
    with suppress(Unparseable):
        latex.same(r"\frac{3}{2}", text)


@given(st.fractions(min_value=Fraction(1, 50), max_value=500, max_denominator=50), st.integers(1, 12))
def test_surds_have_the_right_value_and_no_square_left(square: Fraction, factor: int) -> None:
    text = latex.surd(square, factor)
    number, _, root = text.replace("}", "").replace("{", " ").partition("\\sqrt")
    radicand = int(root.split()[0]) if root else 1
    assert all(radicand % (d * d) for d in range(2, 60))
    if "frac" not in text:
        assert isclose(int(number or 1) * sqrt(radicand), factor * sqrt(square))
