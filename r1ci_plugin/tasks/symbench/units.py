"""Words that may stand behind a number without changing it: units, and what the question counts.

`413 apples` is 413 where the question is about apples; `413 trillion`, `413 hundredths` and `413 minus` are not. Left
out: reading the number itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from r1ci_plugin.tasks.base import Payload
from r1ci_plugin.tasks.symbench.templates import Template

_UNITS = """
    unit units square sq cubic mm cm m km millimeters millimetres centimeters centimetres meters metres inch inches in
    ft foot feet yard yards mile miles degree degrees radian radians second seconds minute minutes hour hours day days
    week weeks month months year years dollar dollars cent cents way ways
"""
_QUANTITIES = """
    half halves third thirds quarter quarters fourth fourths tenth tenths hundredth hundredths thousandth thousandths
    zero one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty
    ninety dozen dozens score scores hundred hundreds thousand thousands million millions billion billions trillion
    trillions percent per minus plus times twice thrice double triple more less fewer not no or and
"""
UNITS = frozenset(_UNITS.split())
QUANTITIES = frozenset(_QUANTITIES.split())
"""Words of a question that say another number, or another answer, than the numeral before them."""


def countable(question: str) -> frozenset[str]:
    """The words of a question that `413 words` may name."""
    return frozenset(re.findall(r"[a-z]{2,}", question.lower())) - QUANTITIES


def words_behind(payload: Payload, templates: Sequence[Template]) -> frozenset[str]:
    """What may stand behind the number that answers a question of `templates`, or an official one."""
    if "label" in payload:
        return UNITS.union(payload.get("countable", ()))
    return UNITS | countable(templates[payload["template"]].question(payload))
