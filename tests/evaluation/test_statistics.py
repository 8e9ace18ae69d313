"""Intervals and pass@k."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.evaluation.statistics import wilson


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
