"""Cutting questions into potential groups: by the paper's thresholds, or into equal parts. Pure.

Group 1 has the highest potential. With 20 answers the thresholds 0.64, 0.48, 0.32 mean exactly: group 1 = 4 to 16
right, 2 = 3 or 17, 3 = 2 or 18, 4 = 0, 1, 19 or 20. Left out: groups from fewer answers (`adaptive.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from r1ci_plugin.curriculum.potential import form_of, improvement_potential

THRESHOLDS = (0.64, 0.48, 0.32)
"""The lower ends of groups 1, 2 and 3, which they include [stated: the ranges of the four groups]."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups by thresholds of a form of potential. Raises ValueError for thresholds that do not fall within 0..1."""

    thresholds: tuple[float, ...] = THRESHOLDS
    form: str = "paper"

    def __post_init__(self) -> None:
        form_of(self.form)
        ends = (1.0, *self.thresholds, 0.0)
        if not self.thresholds or any(high <= low for high, low in pairwise(ends)):
            raise ValueError(f"thresholds must fall, between 1 and 0: {', '.join(map(str, self.thresholds))}")

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.thresholds) + 1

    def group(self, right: int, n: int, chance: float = 0.0) -> int:
        """The group of `right` of `n` answers taken at face value, 1..count."""
        return self.group_at(improvement_potential(right, n, self.form, chance))

    def group_at(self, potential: float) -> int:
        """The group of a potential, 1..count."""
        return 1 + sum(potential < threshold for threshold in self.thresholds)


def equal_parts(values: Mapping[str, float], count: int, seed: int = 0) -> dict[str, int]:
    """Groups 1..count of equal size (the first ones larger by one where it does not divide), highest values first.

    Ties are broken by a hash of seed and name: the outcome depends on nothing but values, names and seed. Raises
    ValueError for fewer names than groups.
    """
    if not 1 <= count <= len(values):
        raise ValueError(f"{len(values)} questions cannot be cut into {count} groups")
    ordered = sorted(values, key=lambda name: (-values[name], _lot(seed, name)))
    size, larger = divmod(len(ordered), count)
    groups: dict[str, int] = {}
    start = 0
    for group in range(1, count + 1):
        end = start + size + (group <= larger)
        groups.update(dict.fromkeys(ordered[start:end], group))
        start = end
    return groups


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}|{name}".encode()).digest()
