"""Improvement potential: how much a question can still teach, from its measured pass rate. Pure.

The method's formula is 4p(1-p), 1 at p = 1/2 and 0 where all answers agree [stated: equation 4.6]. It is the variance
of correctness, to which the expected policy gradient of the question is bounded, scaled to 1. Formulas are evaluated on
exact rationals and rounded once: in floats 16 of 20 would give 0.6399999999999999 and fall out of group 1.

| name | formula, with pass rate p and chance level c | where it peaks |
| --- | --- | --- |
| `paper` | 4p(1-p) | p = 1/2 |
| `harder` | 27/4 p(1-p)^2: a question solved once in five tries counts more than one failed once in five | p = 1/3 |
| `easier` | 27/4 p^2(1-p): the mirror image | p = 2/3 |
| `group_variance` | chance that the answers of a group of 5 differ, scaled to 1 | p = 1/2 |
| `chance_corrected` | 4q(1-q) with q = (p-c)/(1-c), 0 below c | p = (1+c)/2 |

All but `paper` are [ours]. `group_variance` is what GRPO with std normalisation sees, to which all groups that differ
are alike; the plain group variance k(G-k)/(G(G-1)) of VCRL (arXiv 2509.19803) is 4p(1-p) again once scaled to 1.
`chance_corrected` keeps a yes/no question answered by coin flip from looking like the best training material.

Left out: intervals for p (`interval.py`), groups (`groups.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from r1ci_plugin.curriculum.interval import check_counts
from r1ci_plugin.evaluation.statistics import Interval

GROUP_SIZE = 5
"""Answers a question gets in a training step (the method's rollout.n), for `group_variance`."""


@dataclass(frozen=True, slots=True)
class Form:
    """A formula of potential with one peak: it rises before it and falls after it."""

    value: Callable[[Fraction, Fraction], Fraction]
    """(pass rate, chance level) to potential in 0..1."""
    peak: Callable[[Fraction], Fraction] = lambda chance: Fraction(1, 2)
    """Chance level to the pass rate at which the potential is 1."""


def _paper(p: Fraction, chance: Fraction) -> Fraction:
    return 4 * p * (1 - p)


def _harder(p: Fraction, chance: Fraction) -> Fraction:
    return Fraction(27, 4) * p * (1 - p) ** 2


def _easier(p: Fraction, chance: Fraction) -> Fraction:
    return _harder(1 - p, chance)


def _group_variance(p: Fraction, chance: Fraction) -> Fraction:
    most = 1 - Fraction(2, 2**GROUP_SIZE)
    return (1 - p**GROUP_SIZE - (1 - p) ** GROUP_SIZE) / most


def _chance_corrected(p: Fraction, chance: Fraction) -> Fraction:
    return _paper(max(Fraction(0), (p - chance) / (1 - chance)), chance)


POTENTIALS: dict[str, Form] = {
    "paper": Form(_paper),
    "harder": Form(_harder, lambda chance: Fraction(1, 3)),
    "easier": Form(_easier, lambda chance: Fraction(2, 3)),
    "group_variance": Form(_group_variance),
    "chance_corrected": Form(_chance_corrected, lambda chance: (1 + chance) / 2),
}


def improvement_potential(right: int, n: int, form: str = "paper", chance: float = 0.0) -> float:
    """The potential of a question of whose `n` answers `right` were right; the nearest float to the exact value, so
    that comparing it with a decimal such as 0.64 is exact.

    form: a name of `POTENTIALS`. chance: probability that a blind guess is right (`TaskInfo.chance`), below 1. Raises
    ValueError for n = 0 or impossible counts, for an unknown form, and for an impossible chance.
    """
    check_counts(right, n)
    if n == 0:
        raise ValueError("a question without answers has no potential: it was not measured")
    return float(form_of(form).value(Fraction(right, n), _exact(chance)))


def potential_interval(interval: Interval, form: str = "paper", chance: float = 0.0) -> Interval:
    """The potentials that the pass rates of an interval have: the image of [low, high]."""
    chosen, level = form_of(form), _exact(chance)
    low, high = (Fraction(end) for end in interval)
    ends = [chosen.value(low, level), chosen.value(high, level)]
    top = Fraction(1) if low <= chosen.peak(level) <= high else max(ends)
    return float(min(ends)), float(top)


def form_of(name: str) -> Form:
    """The formula of that name. Raises ValueError that lists all names."""
    if name not in POTENTIALS:
        raise ValueError(f"unknown potential {name!r}: one of {', '.join(POTENTIALS)}")
    return POTENTIALS[name]


def _exact(chance: float) -> Fraction:
    if not 0 <= chance < 1:
        raise ValueError(f"a chance level lies in 0..1 and is below 1, not {chance}")
    return Fraction(str(chance))
