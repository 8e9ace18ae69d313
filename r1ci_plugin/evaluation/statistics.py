"""Numbers on success rates: intervals, pass@k, bootstrap and permutation test, as pure functions of arrays.

The unit is the question: answers to one question are not independent, questions are. A mean is *macro*: over the
questions of a task, then over tasks, each task weighing the same, as in the paper. Left out: what a record is and what
is pooled (`tables.py`), two runs side by side (`comparison.py`). Formulas for people: docs/statistics.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]
"""Lower and upper end."""

RESAMPLES = 4_000
"""Bootstrap draws: the ends of a 95 % interval then wander by about a fortieth of its width."""
PERMUTATIONS = 100_000
"""Monte Carlo draws of the permutation test: a p of 0.05 is then known within 0.0014 (two standard errors)."""
EXACT_LIMIT = 16
"""Up to this many questions that differ, all 2**n sign patterns are counted instead."""


def wilson(right: float, n: int, level: float = 0.95) -> Interval:
    """The score interval of a success rate of `right` in `n` independent trials; (0, 1) for n = 0.

    Source: E. B. Wilson, JASA 22 (1927); L. D. Brown, T. T. Cai, A. DasGupta, Statistical Science 16 (2001). Raises
    ValueError unless 0 <= right <= n and 0 < level < 1.
    """
    if not (0 <= right <= n and 0 < level < 1):
        raise ValueError(f"no interval for {right} right of {n} at level {level}")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, weight = right / n, 1 + z * z / n
    middle = (rate + z * z / (2 * n)) / weight
    half = z / weight * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # at the ends the formula gives 0 and 1 but for rounding
    low = 0.0 if right == 0 else max(0.0, middle - half)
    high = 1.0 if right == n else min(1.0, middle + half)
    return low, high


def pass_at_k(n: Floats, right: Floats, k: int) -> Floats:
    """The chance that one of `k` answers is right, for every question, from `right` of its `n` answers.

    Unbiased: 1 - C(n - right, k) / C(n, k) (M. Chen et al., arXiv 2107.03374, eq. 1). NaN where n < k.
    """
    steps = np.arange(k)
    wrong_left = np.clip((n - right)[:, None] - steps, 0, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        all_wrong = np.prod(wrong_left / (n[:, None] - steps), axis=1)
    found: Floats = np.where(n >= k, 1 - all_wrong, np.nan)
    return found


def macro(values: Mapping[str, Floats]) -> float:
    """Mean over tasks of the mean over questions. NaN without tasks."""
    return float(np.mean([one.mean() for one in values.values()])) if values else float("nan")


def resampled_means(task: str, values: Floats, seed: int = 0) -> Floats:
    """RESAMPLES means of a task's values under resampling of its questions with replacement.

    Deviations are stretched by sqrt(Q / (Q - 1)), since Q resampled questions vary too little by that factor (J. N. K.
    Rao, C. F. J. Wu, JASA 83 (1988)). The draws depend on seed and task name alone, so that a task's interval is the
    same whatever else is in the table. Constant where all questions agree: resampling sees no spread there.
    """
    count = len(values)
    if count < 2 or np.ptp(values) == 0:
        return np.full(RESAMPLES, values.mean())
    means = values[_generator(task, seed).integers(count, size=(RESAMPLES, count))].mean(axis=1)
    stretched: Floats = values.mean() + (means - values.mean()) * sqrt(count / (count - 1))
    return stretched


def resampled_accuracies(task: str, rates: Floats, seed: int = 0) -> Floats:
    """`resampled_means` of question rates, with a spread also where all questions agree, or there is only one.

    There, the spread is that of a rate p with two right and two wrong questions added (A. Agresti, B. A. Coull, The
    American Statistician 52 (1998)): p (1 - p) / Q, as normal draws around the rate. A few perfect tasks then do not
    make the mean of many look certain.
    """
    means, count = resampled_means(task, rates, seed), len(rates)
    if np.ptp(means) > 0:
        return means
    p = (rates.sum() + 2) / (count + 4)
    spread: Floats = means + sqrt(p * (1 - p) / count) * _generator(task, seed).standard_normal(RESAMPLES)
    return spread


def task_interval(draws: Floats, rates: Floats, answers: Floats, level: float = 0.95) -> Interval:
    """The interval of one task's accuracy, from its `resampled_accuracies`, question rates and answers a question.

    Wilson's where every question has one answer, and where all questions agree; else the percentiles of the bootstrap
    over questions.
    """
    if answers.max() == 1 or np.ptp(rates) == 0:
        return wilson(min(float(rates.sum()), len(rates)), len(rates), level)
    return percentiles(draws, level, 0.0, 1.0)


def macro_interval(draws: Sequence[Floats], level: float = 0.95, low: float = 0.0, high: float = 1.0) -> Interval:
    """The interval of a macro mean, from the draws of its tasks: the bootstrap over questions within tasks."""
    return percentiles(np.mean(draws, axis=0), level, low, high)


def percentiles(draws: Floats, level: float, low: float, high: float) -> Interval:
    """The middle `level` of some draws, cut to what is possible."""
    ends = np.clip(np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]), low, high)
    return float(ends[0]), float(ends[1])


def _generator(task: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(task.encode())])


def sign_flip_p(differences: Mapping[str, Floats], seed: int = 0) -> float:
    """Two-sided p of the hypothesis that two runs are exchangeable on every question.

    `differences` holds, for every task, the difference of the question rates of the two runs. Under the hypothesis each
    difference may as well have the other sign (R. A. Fisher, The Design of Experiments (1935), 21); the statistic is
    the macro mean. Exact up to EXACT_LIMIT questions that differ; else PERMUTATIONS seeded draws, and p is (1 + as
    extreme) / (1 + draws), never 0 (B. Phipson, G. K. Smyth, SAGMB 9 (2010)). 1.0 where nothing differs.
    """
    weighted = np.concatenate([one / len(one) for one in differences.values()] or [np.zeros(0)])
    weighted = weighted[weighted != 0]
    bar = abs(weighted.sum()) - 1e-9 * np.abs(weighted).sum()
    if len(weighted) <= EXACT_LIMIT:
        patterns = np.arange(2 ** len(weighted))[:, None] >> np.arange(len(weighted))
        signs = 1 - 2 * (patterns & 1)
        return float(np.mean(np.abs(signs @ weighted) >= bar))
    rng = np.random.default_rng(seed)
    sums = np.zeros(PERMUTATIONS)
    # m equal sizes with random signs sum up to size * (2 * Binomial(m, 1/2) - m): few draws for many questions
    for size, count in zip(*np.unique(np.round(np.abs(weighted), 12), return_counts=True), strict=True):
        sums += size * (2 * rng.binomial(count, 0.5, PERMUTATIONS) - count)
    return float((1 + np.count_nonzero(np.abs(sums) >= bar)) / (1 + PERMUTATIONS))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for their number (S. Holm, Scandinavian Journal of Statistics 6 (1979)), in the given order."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.maximum.accumulate(np.array(p_values)[order] * np.arange(len(p_values), 0, -1))
    return [float(value) for value in np.minimum(adjusted, 1.0)]
