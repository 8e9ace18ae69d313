"""gsm_hard: word problems with large numbers.

The public set is data (`official.py` reads it). The questions made here are from our own templates, with exact truth:
the offline default. Integers are compared exactly; only the non-integer labels of the public set are compared with a
relative error of 0.001.
"""

from __future__ import annotations

import re
from fractions import Fraction
from random import Random

from r1ci_plugin.tasks.answers import rational
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task
from r1ci_plugin.tasks.symbench.templates import Template, draw
from r1ci_plugin.tasks.symbench.units import words_behind

GROWTH = {1: 1, 2: 1_000, 3: 10_000, 4: 100_000, 5: 10_000_000}
TOLERANCE = Fraction(1, 1000)
_WORD_BEHIND = re.compile(r"(?<=[0-9])\s+([a-z]{2,})$")
TEMPLATES = (
    Template(
        "{who} sells {a} {what} a day for {b} days, and then another {c}. How many {what} does {who} sell altogether?",
        {"a": (2, 30), "b": (2, 12), "c": (2, 50)},
        lambda a, b, c: a * b + c,
    ),
    Template(
        "A warehouse holds {a} {what}. {b} lorries bring {c} {what} each, and then {d} {what} are sent away. How many "
        "{what} are left?",
        {"a": (20, 90), "b": (2, 9), "c": (5, 40), "d": (5, 60)},
        lambda a, b, c, d: a + b * c - d,
        lambda a, b, c, d: d <= a + b * c,
    ),
    Template(
        "{who} earns {a} dollars a month and spends {b} dollars a month. After {c} months {who} buys a machine for {d} "
        "dollars. How many dollars does "
        "{who} have then?",
        {"a": (50, 99), "b": (10, 49), "c": (2, 12), "d": (5, 40)},
        lambda a, b, c, d: (a - b) * c - d,
        lambda a, b, c, d: a > b and (a - b) * c > d,
    ),
    Template(
        "A theatre has {a} rows of {b} seats, but {c} seats are broken. All other seats are sold for {d} dollars each "
        "on each of {e} evenings. How many "
        "dollars does the theatre take?",
        {"a": (4, 20), "b": (4, 20), "c": (1, 9), "d": (2, 15), "e": (2, 5)},
        lambda a, b, c, d, e: (a * b - c) * d * e,
    ),
    Template(
        "{who} has {a} {what}. {friend} has {b} times as many, and a neighbour has {c} fewer than {friend}. How many "
        "{what} do the three have together?",
        {"a": (5, 30), "b": (2, 9), "c": (1, 9)},
        lambda a, b, c: a + a * b + a * b - c,
        lambda a, b, c: c <= a * b,
    ),
    Template(
        "{who} has {a} boxes of {b} {what} and gives half of the boxes to {friend}. Then {who} buys {c} single {what}. "
        "How many {what} does {who} have?",
        {"a": (2, 40), "b": (2, 20), "c": (1, 30)},
        lambda a, b, c: a // 2 * b + c,
        lambda a, b, c: a % 2 == 0,
    ),
    Template(
        "A house costs {a}00 dollars. Its price rises by {p} percent, and then a tax of {b} dollars is added. How many "
        "dollars must {who} pay for it?",
        {"a": (20, 90), "p": (2, 60), "b": (5, 80)},
        lambda a, p, b: a * (100 + p) + b,
        fixed=frozenset("p"),
    ),
    Template(
        "{who} counts {what} on four days: {a}, {b}, {c} and {d}. What is the average number a day, exactly?",
        {"a": (5, 60), "b": (5, 60), "c": (5, 60), "d": (5, 60)},
        lambda a, b, c, d: Fraction(a + b + c + d, 4),
    ),
    Template(
        "A machine makes {a} {what} an hour for {b} hours, and a faster one makes {c} an hour for {d} hours. {e} of "
        "all these {what} are faulty. How many "
        "good {what} are made?",
        {"a": (5, 30), "b": (2, 9), "c": (31, 60), "d": (2, 9), "e": (1, 9)},
        lambda a, b, c, d, e: a * b + c * d - e,
    ),
    Template(
        "{who} needs {a} {what}, which are sold in packs of {b} for {c} dollars a pack. How many dollars does {who} "
        "spend at least?",
        {"a": (20, 90), "b": (3, 12), "c": (2, 15)},
        lambda a, b, c: -(-a // b) * c,
        fixed=frozenset("b"),
    ),
)


@task(
    "symbench/gsm_hard",
    summary="Solve a word problem with large numbers",
    capabilities=("math",),
    answer_kind="rational",
    levels=5,
    knobs="ranges of numbers 1, 1,000, 10^4, 10^5, 10^7 times as wide",
    source="own templates in the manner of GSM-Hard; official questions with `official.gsm_hard`",
    family="gsm_hard",
)
class GsmHard(Task):
    def generate(self, rng: Random, level: int) -> Draft:
        question, payload = draw(rng, TEMPLATES, GROWTH[level])
        return Draft(f"{question} Answer with the exact number.", payload)

    def check(self, payload: Payload, answer: str) -> Verdict:
        truth = rational(self.oracle(payload))
        units = words_behind(payload, TEMPLATES)
        got = rational(_WORD_BEHIND.sub(lambda word: "" if word[1] in units else word[0], answer))
        close = "label" in payload and truth.denominator != 1 and abs(got - truth) <= TOLERANCE * abs(truth)
        return Verdict.correct() if close else Verdict.compare(got, truth)

    def oracle(self, payload: Payload) -> str:
        """The formula of the template; for an official question, where the label is the only truth, the label."""
        return str(payload["label"] if "label" in payload else TEMPLATES[payload["template"]].answer(payload))
