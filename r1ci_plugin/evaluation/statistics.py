"""Numbers on success rates, as pure functions."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def wilson(right: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a success rate of `right` in `n` independent trials; (0, 1) for n = 0.

    Source: E. B. Wilson, JASA 22 (1927). Raises ValueError unless 0 <= right <= n and 0 < level < 1.
    """
    if not (0 <= right <= n and 0 < level < 1):
        raise ValueError(f"no interval for {right} right of {n} at level {level}")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, weight = right / n, 1 + z * z / n
    middle = (rate + z * z / (2 * n)) / weight
    half = z / weight * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return (0.0 if right == 0 else max(0.0, middle - half)), (1.0 if right == n else min(1.0, middle + half))
