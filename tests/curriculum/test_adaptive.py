"""Measuring stops no sooner than its rule allows, and few answers lift no question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.curriculum.adaptive import PRIOR, _beta_binomial, cautious, decided, predicted
from r1ci_plugin.curriculum.groups import Grouping

COUNTS = st.integers(1, 20).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
PAPER = Grouping()


def reachable(right: int, n: int) -> set[int]:
    """The groups that 20 answers can still end in."""
    return {PAPER.group(right + more, 20) for more in range(20 - n + 1)}


@given(COUNTS)
def test_a_settled_group_is_one_that_can_still_be_reached(counts: tuple[int, int]) -> None:
    settled = decided(*counts)
    assert settled is None or settled in reachable(*counts)


@given(COUNTS)
def test_the_only_group_that_can_be_reached_is_settled(counts: tuple[int, int]) -> None:
    if len(only := reachable(*counts)) == 1:
        assert decided(*counts) == next(iter(only))


@given(st.integers(0, 20))
def test_all_answers_settle_every_question(right: int) -> None:
    assert decided(right, 20) == cautious(right, 20) == PAPER.group(right, 20)


def test_nothing_is_settled_before_the_first_answer() -> None:
    assert decided(0, 0) is None


@given(COUNTS)
def test_right_and_wrong_are_treated_alike(counts: tuple[int, int]) -> None:
    right, n = counts
    assert decided(right, n) == decided(n - right, n)


@given(COUNTS)
def test_few_answers_lift_no_question_above_what_they_vouch_for(counts: tuple[int, int]) -> None:
    group, odds = cautious(*counts), predicted(*counts, 20, PAPER, 0.0)
    assert sum(odds) == pytest.approx(1)
    assert sum(odds[:group]) >= (0.95 if decided(*counts) is None else 0.84)


def test_three_of_four_right_is_not_read_as_fifteen_of_twenty() -> None:
    assert PAPER.group(3, 4) == 1
    assert cautious(3, 4) == 4


@given(COUNTS)
def test_an_error_that_costs_nothing_stops_at_once_and_a_dear_one_never_before_it_is_certain(
    counts: tuple[int, int],
) -> None:
    assert decided(*counts, error_cost=0.0) is not None
    if len(reachable(*counts)) > 1:
        assert decided(*counts, error_cost=1e12) is None


def test_the_rule_saves_answers_at_the_agreement_it_promises() -> None:
    """Exact expectation over the tree of rounds, for p drawn from the prior."""
    reach, answers, agree = {(0, 0): 1.0}, 0.0, 0.0
    while reach:
        following: dict[tuple[int, int], float] = {}
        for (n, right), probability in reach.items():
            settled = decided(right, n)
            if settled is not None:
                answers += probability * n
                agree += probability * predicted(right, n, 20, PAPER, 0.0)[settled - 1]
                continue
            for more in range(5):
                state = (n + 4, right + more)
                following[state] = following.get(state, 0.0) + probability * _beta_binomial(more, 4, right, n)
        reach = following
    assert PRIOR == 0.5
    assert agree >= 0.98
    assert 1 - answers / 20 >= 0.27
