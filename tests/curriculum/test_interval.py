"""Intervals of pass rates against published values and against integrals done in another way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.curriculum.interval import beta_quantile, beta_share, jeffreys
from r1ci_plugin.evaluation.statistics import wilson


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # Jeffreys' equal-tailed interval as Brown, Cai and DasGupta (2001) tabulate it for n = 7 .. 30, to three digits
    [(0, 7, 0.0, 0.292), (1, 7, 0.016, 0.501), (2, 10, 0.044, 0.503), (5, 10, 0.224, 0.776), (10, 20, 0.293, 0.707)],
)
def test_jeffreys_gives_the_published_values(right: int, n: int, low: float, high: float) -> None:
    assert jeffreys(right, n) == pytest.approx((low, high), abs=6e-4)
    assert jeffreys(n - right, n) == pytest.approx((1 - high, 1 - low), abs=6e-4)


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_ends_solve_its_equation(counts: tuple[int, int]) -> None:
    right, n = counts
    for end in wilson(right, n):
        assert (right / n - end) ** 2 == pytest.approx(1.959963985**2 * end * (1 - end) / n, abs=1e-9)


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0.01, 0.99))
def test_the_beta_share_is_the_integral_of_the_density(right: int, wrong: int, x: float) -> None:
    a, b = right + 0.5, wrong + 0.5
    # by p = sin(t)^2, which takes the poles of the density away
    t = np.linspace(0, math.asin(math.sqrt(x)), 20_001)
    density = 2 * np.sin(t) ** (2 * a - 1) * np.cos(t) ** (2 * b - 1)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    assert beta_share(x, a, b) == pytest.approx(np.trapezoid(density, t) / math.exp(log_beta), abs=1e-6)


@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.001, 0.999))
def test_the_beta_share_of_whole_numbers_is_a_binomial_tail(a: int, b: int, x: float) -> None:
    n = a + b - 1
    tail = sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_share(x, a, b) == pytest.approx(tail, abs=1e-12)


@given(st.floats(0.01, 0.99), st.integers(0, 30), st.integers(0, 30))
def test_the_quantile_undoes_the_share(q: float, right: int, wrong: int) -> None:
    assert beta_share(beta_quantile(q, right + 0.5, wrong + 0.5), right + 0.5, wrong + 0.5) == pytest.approx(
        q, abs=1e-6
    )


@pytest.mark.parametrize("interval", [wilson, jeffreys])
def test_an_interval_is_closed_where_all_answers_agree_and_narrows_with_more(interval: object) -> None:
    assert callable(interval)
    assert interval(0, 20)[0] == 0 and interval(20, 20)[1] == 1
    widths = [high - low for low, high in (interval(n // 2, n) for n in (4, 8, 16, 32))]
    assert widths == sorted(widths, reverse=True)
    assert interval(0, 0) == pytest.approx((0.0, 1.0), abs=1e-2) or interval(0, 0)[1] == 1.0
