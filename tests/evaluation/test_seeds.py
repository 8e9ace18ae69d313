"""Intervals over seeds: against printed tables, and how often they cover the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.evaluation.seeds import mean_over, ratio_over, student_quantile


@pytest.mark.parametrize(
    ("freedom", "level", "printed"),
    [(1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.95, 3.182), (4, 0.95, 2.776), (7, 0.99, 3.499), (10, 0.9, 1.812)],
)
def test_quantiles_are_those_of_the_printed_table(freedom: int, level: float, printed: float) -> None:
    assert student_quantile(freedom, level) == pytest.approx(printed, abs=6e-4)


def test_one_seed_has_no_interval_and_none_has_no_mean() -> None:
    assert mean_over([0.1]).interval is None and not mean_over([0.1]).excludes_zero
    with pytest.raises(ValueError):
        mean_over([])


def test_mean_of_five_by_hand() -> None:
    found = mean_over([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.7764451 * (2.5**0.5) / 5**0.5
    assert found.value == 3.0 and found.interval == pytest.approx((3 - half, 3 + half)) and found.excludes_zero


def test_intervals_of_five_values_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    means, ratios = [], []
    for below in rng.normal(2.0, 0.5, (2000, 5)):
        above = 1.5 * below + rng.normal(1.0, 0.4, 5)  # means 4 and 2, correlated as arms that share a seed
        low, high = mean_over(below.tolist()).interval or (0.0, 0.0)
        means.append(low <= 2.0 <= high)
        ratio = ratio_over(above.tolist(), below.tolist())
        if ratio is not None and ratio.interval is not None:
            ratios.append(ratio.interval[0] <= 2.0 <= ratio.interval[1])
    assert 0.935 <= np.mean(means) <= 0.965
    assert len(ratios) > 1900 and 0.935 <= np.mean(ratios) <= 0.965


def test_no_ratio_over_a_mean_that_may_be_zero() -> None:
    assert ratio_over([1.0, 1.1, 0.9], [0.5, -0.4, 0.1]) is None
    assert ratio_over([1.0], [1.0]) is None
    with pytest.raises(ValueError):
        ratio_over([1.0, 2.0], [1.0])


@given(st.lists(st.floats(0.5, 1.0), min_size=3, max_size=8), st.floats(0.1, 5.0))
def test_a_constant_ratio_is_found_exactly(below: list[float], factor: float) -> None:
    found = ratio_over([factor * value for value in below], below)
    if found is not None and found.interval is not None:
        assert found.value == pytest.approx(factor)
        assert found.interval == pytest.approx((factor, factor), rel=1e-4)
