"""Tasks that ask for the exact or rounded value of a formula or a fraction."""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise

from r1ci_plugin.tasks.answers import Unparseable, integer, rational, text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.expressions import parse, value
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item


def decimal_text(number: Fraction) -> str:
    """An exact decimal numeral, for fractions that have one."""
    places = next(n for n in range(400) if (number * 10**n).denominator == 1)
    digits = f"{abs(number) * 10**places}".zfill(places + 1)
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else str(number)


def exact_integer(item: Item) -> bool:
    """Whether the expression really has the stored value, without any rounding on the way."""
    try:
        return value(parse(item.meta["expression"])) == Fraction(item.answer)
    except Unparseable:
        return False


@plain(
    "basic_arithmetic",
    "Value of an expression with + - * / and brackets",
    ("math",),
    "integer",
    keep=exact_integer,
    knobs="terms 2 to 12, digits 1 to 5",
    givens="expression",
    form="The answer is one integer.",
    configs=spans(5, terms=[(2, 3), (3, 4), (4, 6), (6, 8), (8, 12)], digits=[(2, 2), (2, 3), (2, 3), (3, 4), (3, 5)]),
)
def basic_arithmetic(expression: str) -> Fraction:
    return value(parse(expression))


@plain(
    "decimal_chain_sum",
    "Sum and difference of a chain of decimals",
    ("math",),
    "number",
    write=decimal_text,
    knobs="terms 2 to 12, digits 1 to 8, decimals 1 to 6",
    givens="expression",
    form="The answer is the exact decimal number.",
    configs=spans(
        5,
        terms=[(2, 3), (3, 4), (4, 6), (6, 9), (9, 12)],
        digits=[(1, 2), (2, 3), (2, 4), (3, 6), (4, 8)],
        decimal_places=[(1, 2), (1, 2), (1, 4), (2, 5), (2, 6)],
    ),
)
def decimal_chain_sum(expression: str) -> Fraction:
    return value(parse(expression))


def hexadecimal(answer: str) -> int:
    """A signed hexadecimal numeral with the prefix `0x`."""
    body = text(answer).replace("\N{MINUS SIGN}", "-").replace(" ", "")
    if not re.fullmatch(r"[+-]?0[xX][0-9a-fA-F]{1,4000}", body):
        raise Unparseable("not a hexadecimal number with the prefix 0x")
    return int(body, 16)


@plain(
    "bitwise_arithmetic",
    "Hexadecimal expression with sums, products and shifts",
    ("math",),
    "text",
    reader=hexadecimal,
    write=hex,
    knobs="nesting depth 1 to 5",
    givens="problem",
    form="The answer is the hexadecimal number with the prefix 0x.",
    configs=ladder(difficulty=[1, 2, 3, 4, 5]),
)
def bitwise_arithmetic(problem: str) -> int:
    return int(value(parse(problem)))


def dice_given(item: Item) -> Payload:
    return {
        "dice": [int(die.split("d")[1]) for die in item.meta["puzzle"]["dice_str"].split(", ")],
        "target": item.meta["puzzle"]["target"],
    }


@plain(
    "dice",
    "Probability that a roll of mixed dice reaches a sum",
    ("math",),
    "number",
    knobs="3 to 8 dice with up to 20 ... 40 sides",
    givens=dice_given,
    membership="stated",
    configs=ladder(num_dice=[3, 4, 5, 6, 8], max_dice_size=[20, 20, 24, 30, 40]),
)
def dice(dice: list[int], target: int) -> Fraction:
    ways = {0: 1}
    for sides in dice:
        new: dict[int, int] = {}
        for total, count in ways.items():
            for face in range(1, sides + 1):
                new[total + face] = new.get(total + face, 0) + count
        ways = new
    return Fraction(sum(count for total, count in ways.items() if total >= target), math.prod(dice))


def reduced_fraction(answer: str) -> tuple[int, int]:
    """`3/7`, `$3/7$`, `\\frac{3}{7}` or `\\dfrac{3}{7}`, as the two numbers that are written."""
    body = text(answer).strip("$ ")
    match = re.fullmatch(r"\\d?frac\s*\{\s*([0-9]+)\s*\}\s*\{\s*([0-9]+)\s*\}|([0-9]+)\s*/\s*([0-9]+)", body)
    if not match:
        raise Unparseable("not a fraction of two whole numbers")
    over, under = (part for part in match.groups() if part is not None)
    return integer(over), integer(under)


@plain(
    "fraction_simplification",
    "Reduce a fraction to lowest terms",
    ("math",),
    "text",
    reader=reduced_fraction,
    knobs="terms up to 20 ... 1e5, factor up to 10 ... 1000",
    givens="numerator denominator",
    configs=spans(
        5,
        value=[(2, 50), (2, 200), (10, 1000), (10, 10**4), (100, 10**5)],
        factor=[(2, 10), (2, 20), (2, 100), (2, 500), (10, 1000)],
    ),
)
def fraction_simplification(numerator: int, denominator: int) -> str:
    common = math.gcd(numerator, denominator)
    return f"{numerator // common}/{denominator // common}"


def complex_number(answer: str) -> tuple[Fraction, Fraction]:
    """`a + bi` in any spacing, with or without brackets; either part may be missing."""
    body = re.sub(r"\s", "", text(answer)).replace("\N{MINUS SIGN}", "-").replace("j", "i").replace("*i", "i")
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1]
    if len(body) > 200:
        raise Unparseable("too long for a complex number")
    match = re.fullmatch(r"([+-]?[0-9.,]+)(?![0-9.,]*i)(?:([+-][0-9.,]*)i)?|([+-]?[0-9.,]*)i", body)
    if not match:
        raise Unparseable("not a complex number a + bi")
    imaginary = match[2] if match[3] is None else match[3]
    return (
        rational(match[1]) if match[1] else Fraction(0),
        Fraction(0) if imaginary is None else rational(imaginary + "1" if imaginary in ("", "+", "-") else imaginary),
    )


def complex_text(parts: tuple[Fraction, Fraction]) -> str:
    return f"{parts[0]} {'-' if parts[1] < 0 else '+'} {abs(parts[1])}i"


_WEIGHTS = [
    [0.5, 0.5, 0.0, 0.0],
    [0.4, 0.4, 0.1, 0.1],
    [0.25, 0.25, 0.25, 0.25],
    [0.2, 0.2, 0.3, 0.3],
    [0.1, 0.1, 0.4, 0.4],
]
_SIZES = [20, 50, 100, 1000, 10**5]


@plain(
    "complex_arithmetic",
    "Sum, difference, product or quotient of complex numbers",
    ("math",),
    "text",
    reader=complex_number,
    write=complex_text,
    knobs="size of the parts 20 to 1e5, share of products and quotients",
    givens="num1 num2 operation",
    form="The answer is a complex number of the form a + bi.",
    configs=[
        {"min_real": -n, "max_real": n, "min_imag": -n, "max_imag": n, "operations_weights": weights}
        for n, weights in zip(_SIZES, _WEIGHTS, strict=True)
    ],
)
def complex_arithmetic(num1: list[float], num2: list[float], operation: str) -> tuple[Fraction, Fraction]:
    (a, b), (c, d) = map(Fraction, num1), map(Fraction, num2)
    if operation in "+-":
        sign = 1 if operation == "+" else -1
        return a + sign * c, b + sign * d
    if operation == "*":
        return a * c - b * d, a * d + b * c
    norm = c * c + d * d
    return (a * c + b * d) / norm, (b * c - a * d) / norm


def rounded(number: Fraction, digits: int) -> Decimal:
    """To that many significant digits; a float would overflow."""
    return Context(prec=digits).divide(Decimal(number.numerator), Decimal(number.denominator))


class Rounded(Gym):
    """A number that is right when it is as near to the exact value as the question asks. No stored answer is needed."""

    def stored(self, item: Item) -> Payload:
        return {}

    def exact(self, payload: Payload) -> Fraction:
        raise NotImplementedError

    def tolerance(self, payload: Payload, exact: Fraction) -> Fraction:
        raise NotImplementedError

    def check(self, payload: Payload, answer: str) -> Verdict:
        got, exact = rational(answer), self.exact(payload)
        if abs(got - exact) <= self.tolerance(payload, exact):
            return Verdict.correct()
        return Verdict.wrong(f"expected about {rounded(exact, 12):.12g}, got {rounded(got, 12):.12g}")


@gym(
    "decimal_arithmetic",
    "Decimal expression to a number of significant digits",
    ("math",),
    "number",
    knobs="terms 2 to 12, decimals 2 to 8, digits 8 to 20",
    givens=lambda item: {"expression": item.question.splitlines()[1].removesuffix(" = ?")},
    form="The answer is one decimal number.",
    configs=[
        {
            "min_num_decimal_places": low,
            "max_num_decimal_places": high,
            "min_terms": few,
            "max_terms": many,
            "precision": digits,
        }
        for low, high, few, many, digits in [
            (1, 2, 2, 3, 8),
            (2, 3, 2, 4, 10),
            (3, 4, 3, 6, 12),
            (4, 6, 6, 8, 14),
            (6, 8, 8, 12, 20),
        ]
    ],
)
class DecimalArithmetic(Rounded):
    """Right within ten units of the last asked digit: rounding at every step is as good as rounding once. A value that
    needs no rounding has to be met to that digit."""

    def keep(self, item: Item) -> bool:
        payload = self.given(item)
        exact = self.exact(payload)
        return abs(Fraction(item.answer) - exact) <= self.tolerance(payload, exact)

    def given(self, item: Item) -> Payload:
        digits = re.search(r"maximum of (\d+)", item.question)
        return {**super().given(item), "digits": int(digits[1]) if digits else 12}

    def exact(self, payload: Payload) -> Fraction:
        return value(parse(payload["expression"]))

    def tolerance(self, payload: Payload, exact: Fraction) -> Fraction:
        digits = int(payload["digits"])
        asked = rounded(exact, digits)
        unit = Fraction(10) ** (asked.adjusted() - digits + 1)
        return unit / 2 if "/" not in payload["expression"] and Fraction(asked) == exact else 10 * unit

    def oracle(self, payload: Payload) -> str:
        return str(rounded(self.exact(payload), payload["digits"]))


@gym(
    "power_function",
    "A power, to three significant figures",
    ("math",),
    "number",
    knobs="exponent up to 2 ... 10",
    givens="base exponent",
    configs=spans(
        5,
        exponent=[(1, 2), (2, 3), (3, 5), (4, 7), (6, 9)],
        base=[(-20.0, 20.0), (-100.0, 100.0), (-1e3, 1e3), (-1e3, 1e3), (-1e3, 1e3)],
    ),
)
class PowerFunction(Rounded):
    """A number of three figures, off by half a unit of the third, plus a hair for ties."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        got = rational(answer)
        if Fraction(rounded(got, 3)) != got:
            return Verdict.wrong("not rounded to 3 significant figures")
        return super().check(payload, answer)

    def prompt(self, item: Item) -> str:
        base, exponent = item.meta["base"], item.meta["exponent"]
        return (
            f"Compute ({base})^{exponent}. Here ^ is exponentiation, and the base is the whole bracket with its sign.\n"
            "The answer is the value rounded to 3 significant figures, in scientific notation such as 1.23e+4."
        )

    def exact(self, payload: Payload) -> Fraction:
        power: Fraction = Fraction(str(payload["base"])) ** int(payload["exponent"])
        return power

    def tolerance(self, payload: Payload, exact: Fraction) -> Fraction:
        magnitude = math.floor(math.log10(abs(float(exact))))
        return Fraction(10) ** (magnitude - 2) * Fraction(5001, 10_000)

    def oracle(self, payload: Payload) -> str:
        return f"{float(self.exact(payload)):.2e}"


def distinct_candidates(item: Item) -> bool:
    """Whether the extreme is clear of the others at the three decimals that are written."""
    values = sorted(item.meta["candidates"])
    return bool(min(abs(a - b) for a, b in pairwise(values)) > 0.003)


@gym(
    "number_format",
    "Largest or smallest of numbers in mixed notations",
    ("math", "order"),
    "number",
    answer_in_prompt=True,
    chance=0.3,
    knobs="2 to 40 candidates, difference up to 1000 ... 1",
    givens="formatted_candidates size",
    configs=[
        {"min_num_candidates": low, "max_num_candidates": high, "max_delta": delta}
        for low, high, delta in [(2, 3, 1e3), (2, 5, 10.0), (5, 8, 10.0), (8, 15, 5.0), (12, 20, 5.0)]
    ],
    form="The answer is that number, in any notation.",
)
class NumberFormat(Rounded):
    """The written candidates are rounded, so a thousandth is allowed; candidates are three thousandths apart at
    least."""

    def keep(self, item: Item) -> bool:
        return distinct_candidates(item)

    def exact(self, payload: Payload) -> Fraction:
        values = [Fraction(number.replace(",", "")) for number in payload["formatted_candidates"]]
        return max(values) if payload["size"] == "largest" else min(values)

    def tolerance(self, payload: Payload, exact: Fraction) -> Fraction:
        return Fraction(1, 1000)

    def oracle(self, payload: Payload) -> str:
        return decimal_text(self.exact(payload))
