"""How sure a pass rate is: intervals for p from `right` of `n` answers. Pure.

Wilson's score interval and Jeffreys' interval (equal tails of the posterior under the prior Beta(1/2, 1/2)), the two
that Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion" (2001), recommend for small n. Wilson's is
that of all statistics (`evaluation/statistics.py`). Left out: what an interval says of the potential (`potential.py`),
and when enough has been measured (`adaptive.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from r1ci_plugin.evaluation.statistics import Interval, wilson

_TINY = 1e-300


def jeffreys(right: int, n: int, confidence: float = 0.95) -> Interval:
    """Jeffreys' interval, closed at 0 where nothing was right and at 1 where all was, as the source advises."""
    check_counts(right, n)
    tail = (1 - confidence) / 2
    a, b = right + 0.5, n - right + 0.5
    return (0.0 if right == 0 else beta_quantile(tail, a, b), 1.0 if right == n else beta_quantile(1 - tail, a, b))


INTERVALS: dict[str, Callable[[int, int, float], Interval]] = {"wilson": wilson, "jeffreys": jeffreys}


def check_counts(right: int, n: int) -> None:
    """Raises ValueError unless 0 <= right <= n."""
    if not 0 <= right <= n:
        raise ValueError(f"{right} right of {n} answers is impossible")


@lru_cache(maxsize=4096)
def beta_quantile(q: float, a: float, b: float) -> float:
    """The x below which Beta(a, b) has the share q; by bisection, to within 1e-12."""
    low, high = 0.0, 1.0
    for _ in range(48):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_share(middle, a, b) < q else (low, middle)
    return (low + high) / 2


def beta_share(x: float, a: float, b: float) -> float:
    """The share of Beta(a, b) below x, the regularised incomplete beta function (DLMF 8.17.22, by Lentz's method)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, its mirror image converges fast
        return 1 - beta_share(1 - x, b, a)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, 400):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / ((1 + term * d) or _TINY)
        c = (1 + term / c) or _TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
