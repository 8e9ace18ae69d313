"""Numbers over seeds of training: the interval of a mean of few values, and of a ratio of two means. Pure.

Answers of one policy say how good that policy is (`statistics.py`); whether a way of training is better than another
is a question about policies, and the unit is the seed. There are few, so the intervals are Student's, for values that
scatter about normally. Left out: what the values are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import atan, cos, pi, sin, sqrt
from statistics import fmean

from r1ci_plugin.evaluation.statistics import Interval


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds."""

    value: float
    interval: Interval | None
    """None for fewer than two values: one seed says nothing of the spread."""
    values: tuple[float, ...]

    @property
    def excludes_zero(self) -> bool:
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def mean_over(values: Sequence[float], level: float = 0.95) -> Mean:
    """The mean and its interval (Student, Biometrika 6 (1908)). Raises ValueError for no value."""
    if not values:
        raise ValueError("a mean of no value")
    value = fmean(values)
    if len(values) < 2:
        return Mean(value, None, tuple(values))
    half = student_quantile(len(values) - 1, level) * sqrt(_covariance(values, values) / len(values))
    return Mean(value, (value - half, value + half), tuple(values))


def ratio_over(above: Sequence[float], below: Sequence[float], level: float = 0.95) -> Mean | None:
    """Ratio of two means whose values are paired by seed, with Fieller's interval (E. C. Fieller, JRSS B 16 (1954));
    None where the interval of the lower mean holds 0, since the ratio is then unbounded.

    `values` are the ratios seed by seed. Raises ValueError for values that are not paired.
    """
    if len(above) != len(below):
        raise ValueError(f"{len(above)} values over {len(below)}")
    if len(above) < 2 or not mean_over(below, level).excludes_zero:
        return None
    a, b = fmean(above), fmean(below)
    t = student_quantile(len(above) - 1, level) ** 2 / len(above)
    # the ratios r for which the mean of above - r * below is not told from 0 lie between the roots of p r^2 - 2 q r + c
    p = b * b - t * _covariance(below, below)
    q = a * b - t * _covariance(above, below)
    c = a * a - t * _covariance(above, above)
    half = sqrt(max(0.0, q * q - p * c))
    pairs = tuple(one / other if other else float("nan") for one, other in zip(above, below, strict=True))
    return Mean(a / b, ((q - half) / p, (q + half) / p), pairs)


@cache
def student_quantile(freedom: int, level: float) -> float:
    """t such that a Student variable of `freedom` degrees lies within -t..t with probability `level`."""
    if freedom < 1 or not 0 < level < 1:
        raise ValueError(f"no quantile for {freedom} degrees of freedom at level {level}")
    low, high = 0.0, 1.0
    while _within(high, freedom) < level:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """P(-t < T < t), by the finite series for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = atan(t / sqrt(freedom))
    term = cos(angle) if freedom % 2 else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + freedom % 2, freedom - 1, 2):
        term *= (k - 1) / k * cos(angle) ** 2
        total += term
    return 2 / pi * (angle + sin(angle) * total) if freedom % 2 else sin(angle) * total


def _covariance(first: Sequence[float], second: Sequence[float]) -> float:
    a, b = fmean(first), fmean(second)
    return sum((x - a) * (y - b) for x, y in zip(first, second, strict=True)) / (len(first) - 1)
