"""Intervals, pass@k, bootstrap and permutation test."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r1ci_plugin.evaluation import statistics
from r1ci_plugin.evaluation.statistics import (
    holm,
    macro,
    macro_interval,
    pass_at_k,
    resampled_accuracies,
    resampled_means,
    sign_flip_p,
    task_interval,
    wilson,
)


def test_wilson_gives_the_published_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for (right, n), expected in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(right, n) == pytest.approx(expected, abs=5e-5)


def test_wilson_of_nothing_is_everything_and_nonsense_is_refused() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    for right, n, level in ((-1, 3, 0.95), (4, 3, 0.95), (1, 3, 0.0), (1, 3, 1.0)):
        with pytest.raises(ValueError, match="no interval"):
            wilson(right, n, level)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_rate_is_symmetric_and_grows_with_the_level(counts: tuple[int, int]) -> None:
    right, n = counts
    low, high = wilson(right, n)
    assert 0 <= low <= right / n <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson(n - right, n))
    wide_low, wide_high = wilson(right, n, 0.99)
    assert wide_low <= low and high <= wide_high


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_all_choices_of_k_answers_with_a_right_one(numbers: tuple[int, int, int]) -> None:
    n, right, k = numbers
    answers = [True] * right + [False] * (n - right)
    counted = sum(any(choice) for choice in combinations(answers, k)) / comb(n, k)
    assert pass_at_k(np.array([float(n)]), np.array([float(right)]), k)[0] == pytest.approx(counted)


def test_pass_at_k_says_nothing_of_questions_with_fewer_answers() -> None:
    found = pass_at_k(np.array([4.0, 2.0]), np.array([1.0, 2.0]), 3)
    assert found[0] == pytest.approx(0.75) and np.isnan(found[1])


def test_macro_weighs_every_task_the_same() -> None:
    assert macro({"a": np.ones(100), "b": np.zeros(2)}) == 0.5


def test_one_answer_a_question_gives_the_wilson_interval() -> None:
    rates = np.array([1.0] * 7 + [0.0] * 3)
    assert task_interval(resampled_means("a", rates), rates, np.ones(10)) == wilson(7, 10)


def test_many_answers_to_few_questions_are_not_taken_for_independent() -> None:
    """Ten questions that are always or never right tell as much as ten answers, however often they are asked."""
    rates, answers = np.array([1.0] * 5 + [0.0] * 5), np.full(10, 100.0)
    low, high = task_interval(resampled_means("a", rates), rates, answers)
    pooled_low, pooled_high = wilson(500, 1000)
    assert high - low > 4 * (pooled_high - pooled_low)


def test_a_task_that_is_always_right_still_has_an_interval() -> None:
    low, high = task_interval(resampled_means("a", np.ones(8)), np.ones(8), np.full(8, 4.0))
    assert (low, high) == wilson(8, 8)


@pytest.mark.parametrize(
    ("shape", "samples", "prior"),
    [((12, 6), 3, (2, 2)), ((12, 6), 1, (0.5, 0.5)), ((3, 8), 4, (1, 1)), ((3, 3), 1, (9, 1)), ((20, 1), 1, (2, 2))],
    ids=["many tasks", "hard and easy questions", "three tasks", "few and easy questions", "one question a task"],
)
def test_macro_intervals_cover_about_as_often_as_they_say(
    shape: tuple[int, int], samples: int, prior: tuple[float, float]
) -> None:
    """250 runs of tasks whose questions are of random difficulty: 95 % intervals, and wider ones for very few."""
    rng = np.random.default_rng(5)
    truth, covered = prior[0] / sum(prior), 0
    for trial in range(250):
        rates = rng.binomial(samples, rng.beta(*prior, size=shape)) / samples
        low, high = macro_interval([resampled_accuracies(f"task{i}", row, trial) for i, row in enumerate(rates)])
        covered += low <= truth <= high
    assert covered / 250 >= 0.91


def test_tasks_that_are_always_right_or_wrong_do_not_make_their_mean_certain() -> None:
    perfect, hopeless = resampled_accuracies("a", np.ones(3)), resampled_accuracies("b", np.zeros(1))
    low, high = macro_interval([perfect, hopeless])
    assert low < 0.25 and high > 0.75
    assert macro_interval([resampled_accuracies("a", np.zeros(3)), resampled_accuracies("b", np.zeros(3))])[1] > 0.3


def test_resampled_means_vary_as_much_as_means_of_new_questions_would() -> None:
    """Their variance is the unbiased estimate of that of the mean, s**2 / Q, also for few questions."""
    for values in (np.array([0.0, 0.25, 1.0]), np.array([1.0, 0.0, 0.0, 0.5, 0.75])):
        expected = values.var(ddof=1) / len(values)
        assert resampled_means("a", values).var() == pytest.approx(expected, rel=0.08)


def test_a_tasks_interval_does_not_depend_on_its_neighbours() -> None:
    rates = np.array([0.25, 0.5, 1.0, 0.0])
    assert (resampled_means("a", rates) == resampled_means("a", rates)).all()
    assert (resampled_means("a", rates) != resampled_means("b", rates)).any()


def by_enumeration(differences: dict[str, list[float]]) -> float:
    """Every sign of every question, zeros too, in the plainest way."""
    flat = [value / len(one) for one in differences.values() for value in one]
    bar = abs(sum(flat)) - 1e-9
    patterns = list(product((-1, 1), repeat=len(flat)))
    return sum(abs(sum(s * v for s, v in zip(signs, flat, strict=True))) >= bar for signs in patterns) / len(patterns)


quarters = st.sampled_from([-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0])
tasks = st.dictionaries(st.sampled_from("abc"), st.lists(quarters, min_size=1, max_size=4), min_size=1)


@given(tasks)
@settings(max_examples=60, deadline=None)
def test_few_differences_give_the_exact_p(differences: dict[str, list[float]]) -> None:
    found = sign_flip_p({name: np.array(one) for name, one in differences.items()})
    assert found == pytest.approx(by_enumeration(differences))


def test_drawn_signs_agree_with_counted_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = {"a": np.array([1.0, 1, 1, -1, 0.5, 0.5, 1, 0.25]), "b": np.array([0.5, -0.25, 1.0, 1.0])}
    exact = sign_flip_p(differences)
    monkeypatch.setattr(statistics, "EXACT_LIMIT", 0)
    drawn = sign_flip_p(differences)
    assert drawn == sign_flip_p(differences), "the same seed gives the same p"
    assert 0 < exact < 0.2 and drawn == pytest.approx(exact, abs=0.004)


def test_the_permutation_test_is_not_alarmed_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of the same policy differ with p < 0.05 in about one of twenty cases."""
    monkeypatch.setattr(statistics, "PERMUTATIONS", 2_000)
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        chances = rng.uniform(size=40)
        delta = (rng.binomial(2, chances) - rng.binomial(2, chances)) / 2
        alarms += sign_flip_p({"a": delta[:10], "b": delta[10:]}) < 0.05
    assert 1 <= alarms <= 20


def test_no_difference_and_the_smallest_p() -> None:
    assert sign_flip_p({"a": np.zeros(5)}) == 1.0
    assert sign_flip_p({}) == 1.0
    assert sign_flip_p({"a": np.ones(200)}) == pytest.approx(1 / (1 + statistics.PERMUTATIONS))


def test_holm_adjusts_as_in_its_definition() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
