r"""Exact values written in LaTeX or plainly: fractions, roots, powers, multiples of pi, letters, and sums of them.

A value is a fraction of two sums. A term of a sum is a rational number times the root of a whole number without square
factors times powers of letters (pi is one), so equal sums have equal terms, and two values are equal if their cross
products are. The text is read by a parser of our own and never evaluated as code; every number, power and root is
bounded, so reading is quick whatever the text. Left out: nested roots and functions, which are refused; tuples, units
and words (`latex.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, isqrt

from r1ci_plugin.tasks.answers import Unparseable

Term = tuple[int, tuple[tuple[str, int], ...]]
"""What a rational number is multiplied by: the number under the root, and letters with their powers in order."""
Sum = dict[Term, Fraction]
"""Terms with their factors, none of them zero."""

ONE: Term = (1, ())
MAX_DIGITS = 100
"""Of a numeral, without its commas. Counts of grid paths have up to 75."""
MAX_BITS = 2_000
"""Of a numerator or denominator."""
MAX_RADICAND = 10**12
MAX_POWER = 64
MAX_TERMS = 64
MAX_DEPTH = 20

_NUMERAL = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_EXPONENT = re.compile(r"\^(?:\{(-?[0-9]{1,3})\}|\((-?[0-9]{1,3})\)|([0-9]))")
_HALVES = re.compile(r"\^(?:\{(-?[0-9]{1,3})/2\}|\((-?[0-9]{1,3})/2\)|\{(-?)\\[dt]?frac\{?([0-9]{1,3})\}?\{?2\}?\})")
"""An exponent that is a number of halves: `{1/2}`, `(3/2)` or `{\\frac{1}{2}}`."""
_TIMES = re.compile(r"\\cdot(?![A-Za-z])|\\times(?![A-Za-z])|\*(?!\*)")
_OVER = re.compile(r"\\div(?![A-Za-z])|/")
_WORD = re.compile(r"\\(?:[A-Za-z]+|.)|[A-Za-z]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Value:
    """`top / bottom`, where the bottom has several terms or is one."""

    top: Sum
    bottom: Sum

    def equals(self, other: Value) -> bool:
        return not add(multiply(self.top, other.bottom), negative(multiply(other.top, self.bottom)))


def read(text: str) -> Value:
    """The value of a text. Raises Unparseable where it is not one, or too large a one."""
    return _Reader(text).whole()


def rational(number: Fraction | int) -> Value:
    return Value({ONE: Fraction(number)} if number else {}, {ONE: Fraction(1)})


def add(left: Sum, right: Sum) -> Sum:
    total = {term: left.get(term, 0) + right.get(term, 0) for term in (*left, *right)}
    return _bounded({term: Fraction(factor) for term, factor in total.items() if factor})


def negative(terms: Sum) -> Sum:
    return {term: -factor for term, factor in terms.items()}


def multiply(left: Sum, right: Sum) -> Sum:
    total: Sum = {}
    for (root, letters), factor in left.items():
        for (other_root, other_letters), other_factor in right.items():
            shared = gcd(root, other_root)
            term = (root * other_root // shared**2, _joined(letters, other_letters))
            total[term] = total.get(term, Fraction(0)) + factor * other_factor * shared
    return _bounded({term: factor for term, factor in total.items() if factor})


def quotient(left: Value, right: Value) -> Value:
    top, bottom = multiply(left.top, right.bottom), multiply(left.bottom, right.top)
    if not bottom:
        raise Unparseable("a division by zero")
    if len(bottom) == 1:
        ((root, letters), factor), *_ = bottom.items()
        inverse = {(root, tuple((letter, -power) for letter, power in letters)): 1 / (factor * root)}
        return Value(multiply(top, inverse), {ONE: Fraction(1)})
    return Value(top, bottom)


def root_of(value: Value) -> Value:
    """The square root of a rational number, with its square factors before the root."""
    number = value.top.get(ONE, Fraction(0))
    if set(value.top) - {ONE} or len(value.bottom) > 1 or number < 0:
        raise Unparseable("a root of what is not a positive number")
    radicand = number.numerator * number.denominator
    if radicand > MAX_RADICAND:
        raise Unparseable("a root of a number that large")
    factor, divisor, kept = Fraction(1, number.denominator), 2, 1
    while divisor**3 <= radicand:  # beyond that, what is left has two prime factors at most
        while radicand % divisor == 0:
            radicand //= divisor
            factor, kept = (factor * divisor, kept // divisor) if kept % divisor == 0 else (factor, kept * divisor)
        divisor += 1
    whole = isqrt(radicand)
    factor, kept = (factor * whole, kept) if whole**2 == radicand else (factor, kept * radicand)
    return Value({(kept, ()): factor} if number else {}, {ONE: Fraction(1)})


def power_of(value: Value, exponent: int) -> Value:
    if abs(exponent) > MAX_POWER:
        raise Unparseable("a power that large has no place in an exact value")
    result = rational(1)
    for _ in range(abs(exponent)):
        result = Value(multiply(result.top, value.top), multiply(result.bottom, value.bottom))
    return result if exponent >= 0 else quotient(rational(1), result)


class _Reader:
    """A recursive descent over the text: sums, products, powers, then what stands alone."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0

    def whole(self) -> Value:
        value = self.sum()
        self.skip_spaces()
        if self.place < len(self.text):
            raise self.strange()
        return value

    def sum(self) -> Value:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unparseable("brackets nested too deeply")
        self.skips("+")
        value = self.product()
        while (minus := self.skips("-")) or self.skips("+"):
            term = self.product()
            top = negative(term.top) if minus else term.top
            crossed = add(multiply(value.top, term.bottom), multiply(top, value.bottom))
            value = Value(crossed, multiply(value.bottom, term.bottom))
        self.depth -= 1
        return value

    def product(self) -> Value:
        """Factors from left to right: 1/2\\pi is half of pi."""
        value = self.factor()
        while True:
            if self.matches(_OVER):
                value = quotient(value, self.factor())
            elif self.matches(_TIMES) or self.begins_a_factor():
                factor = self.factor()
                value = Value(multiply(value.top, factor.top), multiply(value.bottom, factor.bottom))
            else:
                return value

    def factor(self) -> Value:
        if self.skips("-"):
            value = self.factor()
            return Value(negative(value.top), value.bottom)
        value = self.alone()
        while True:
            if match := self.matches(_EXPONENT):
                value = power_of(value, int(match[1] or match[2] or match[3]))
            elif match := self.matches(_HALVES):
                value = power_of(root_of(value), int("".join(part or "" for part in match.groups())))
            else:
                return value

    def alone(self) -> Value:
        if match := self.matches(_NUMERAL):
            return self.mixed(match[0])
        if self.skips("("):
            return self.until(")")
        if self.skips("{"):
            return self.until("}")
        match = self.matches(_WORD)
        if match and match[0] in ("\\frac", "\\dfrac", "\\tfrac"):
            return quotient(self.argument(), self.argument())
        if match and match[0] == "\\sqrt":
            return root_of(self.argument())
        if match and (match[0] == "\\pi" or len(match[0]) == 1):
            return Value({(1, ((match[0], 1),)): Fraction(1)}, {ONE: Fraction(1)})
        raise self.strange(match[0] if match else "")

    def mixed(self, numeral: str) -> Value:
        """A number; a whole one right before a proper fraction of numbers is a mixed number."""
        digits = numeral.replace(",", "").rstrip(".")
        if len(digits) > MAX_DIGITS:
            raise Unparseable(f"a number of {len(digits)} digits has no place in an exact value")
        number = rational(Fraction(digits))
        if not (numeral.isdigit() and self.text.startswith(("\\frac", "\\dfrac", "\\tfrac"), self.place)):
            return number
        part = self.alone()
        proper = part.top.keys() == {ONE} and len(part.bottom) == 1 and 0 < part.top[ONE] < 1
        combined = add(number.top, part.top) if proper else multiply(number.top, part.top)
        return Value(combined, part.bottom)

    def argument(self) -> Value:
        """What a command stands before: a group in braces or brackets, or a single sign."""
        self.skip_spaces()
        if self.text[self.place : self.place + 1].isdigit():
            self.place += 1
            return rational(int(self.text[self.place - 1]))
        return self.alone()

    def until(self, closing: str) -> Value:
        value = self.sum()
        if not self.skips(closing):
            raise Unparseable("a bracket is not closed")
        return value

    def begins_a_factor(self) -> bool:
        self.skip_spaces()
        rest = self.text[self.place : self.place + 2]
        return rest[:1] in ("(", "{") or bool(re.match(r"[A-Za-z]|\\[A-Za-z]", rest))

    def skip_spaces(self) -> None:
        while self.text.startswith(" ", self.place):
            self.place += 1

    def skips(self, sign: str) -> bool:
        self.skip_spaces()
        found = self.text.startswith(sign, self.place)
        self.place += len(sign) * found
        return found

    def matches(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.skip_spaces()
        match = pattern.match(self.text, self.place)
        self.place = match.end() if match else self.place
        return match

    def strange(self, sign: str = "") -> Unparseable:
        sign = sign or self.text[self.place : self.place + 1] or "an early end"
        return Unparseable(f"{sign} has no place there in an exact value")


def _joined(left: tuple[tuple[str, int], ...], right: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    powers = dict(left)
    for letter, power in right:
        powers[letter] = powers.get(letter, 0) + power
    return tuple(sorted((letter, power) for letter, power in powers.items() if power))


def _bounded(terms: Sum) -> Sum:
    if len(terms) > MAX_TERMS:
        raise Unparseable(f"a sum of more than {MAX_TERMS} terms")
    for (root, _), factor in terms.items():
        if max(root, abs(factor.numerator), factor.denominator).bit_length() > MAX_BITS:
            raise Unparseable("a number that large has no place in an exact value")
    return terms
