"""Measuring no more than needed: is the group that `total` answers would give already settled? Pure.

Answers are drawn in rounds of one from each agent, so that stopping early cannot bias the mixture of agents. After a
round the posterior of the pass rate (prior Beta(1/2, 1/2), Jeffreys) predicts how many of the answers still to come
will be right (beta-binomial), and with that the group at the end. Measuring stops where going on costs more than it is
worth: a wrong group costs `ERROR_COST` answers, another round what it takes. The rule solves this optimal stopping
problem exactly, by backward induction over the few (n, right) there are. Under its prior no rule that stops between
rounds saves more answers at the same share of agreement.

Left out: drawing answers (`r1ci potential measure`).
"""

from __future__ import annotations

import math
from functools import lru_cache

from r1ci_plugin.curriculum.groups import Grouping
from r1ci_plugin.curriculum.interval import check_counts

TOTAL = 20
"""Answers a question by default: four agents, five each [stated]."""
ROUND = 4
"""Answers of a round: one from each agent."""
ERROR_COST = 100.0
"""How many answers a wrong group is worth [ours]: the groups of at least 98 % of questions are those of `TOTAL`."""
CREDIBLE = 0.95
"""How sure `cautious` is that a question is no worse than the group it names."""
PRIOR = 0.5

PAPER = Grouping()


def decided(
    right: int,
    n: int,
    total: int = TOTAL,
    *,
    grouping: Grouping = PAPER,
    chance: float = 0.0,
    round_size: int = ROUND,
    error_cost: float = ERROR_COST,
) -> int | None:
    """The group that `total` answers would give, once it is settled; None while another round is worth its answers.

    Never None from `total` answers on, where it is the group of the counts themselves. Raises ValueError for impossible
    counts.
    """
    check_counts(right, n)
    if n >= total:
        return grouping.group(right, n, chance)
    if n == 0:
        return None
    odds = predicted(right, n, total, grouping, chance)
    stop = error_cost * (1 - max(odds))
    if stop > _cost_of_going_on(right, n, total, grouping, chance, round_size, error_cost):
        return None
    return 1 + odds.index(max(odds))


def cautious(right: int, n: int, total: int = TOTAL, *, grouping: Grouping = PAPER, chance: float = 0.0) -> int:
    """The group of a question with fewer than `total` answers: the settled one, else the best group that the question
    reaches with probability `CREDIBLE`. Few answers never lift a question into a better group than they can vouch for.
    """
    settled = decided(right, n, total, grouping=grouping, chance=chance)
    if settled is not None:
        return settled
    reached = 0.0
    for group, probability in enumerate(predicted(right, n, total, grouping, chance), 1):
        reached += probability
        if reached >= CREDIBLE:
            return group
    return grouping.count


@lru_cache(maxsize=65536)
def predicted(right: int, n: int, total: int, grouping: Grouping, chance: float) -> tuple[float, ...]:
    """Probabilities of groups 1..count at `total` answers, given `right` of `n` so far."""
    odds = [0.0] * grouping.count
    for more in range(total - n + 1):
        odds[grouping.group(right + more, total, chance) - 1] += _beta_binomial(more, total - n, right, n)
    return tuple(odds)


@lru_cache(maxsize=65536)
def _cost_of_going_on(
    right: int, n: int, total: int, grouping: Grouping, chance: float, round_size: int, error_cost: float
) -> float:
    """Expected answers of going on for a round and then as is best, errors counted in answers."""
    drawn = min(round_size, total - n)
    cost = float(drawn)
    for more in range(drawn + 1):
        k, m = right + more, n + drawn
        if m < total:
            stop = error_cost * (1 - max(predicted(k, m, total, grouping, chance)))
            best = min(stop, _cost_of_going_on(k, m, total, grouping, chance, round_size, error_cost))
            cost += _beta_binomial(more, drawn, right, n) * best
    return cost


def _beta_binomial(more: int, drawn: int, right: int, n: int) -> float:
    """Probability that `more` of the next `drawn` answers are right."""
    a, b = right + PRIOR, n - right + PRIOR
    return math.comb(drawn, more) * math.exp(_log_beta(a + more, b + drawn - more) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
