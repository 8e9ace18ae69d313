"""Exact arithmetic on written expressions: reading what a model wrote, and finding an expression that reaches a target.

Only whole numbers, `+ - * /` and brackets exist here; there is no unary minus, no power and no joining of digits, so
the value of an expression is bounded by its numbers. Left out: which numbers are allowed, which is each task's rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations

from r1ci_plugin.tasks.answers import Unparseable, plain_operators

MAX_TOKENS = 200
Numbers = tuple[int, ...]
Value = int | Fraction
Splits = Callable[[Numbers], Iterator[tuple[Numbers, Numbers]]]

_BRACKETS = str.maketrans("[]{}", "()()")
_TOKEN = re.compile(r"[0-9]{1,9}(?![0-9])|[-+*/()]|\S")
_RANK = {"+": 1, "-": 1, "*": 2, "/": 2}


def tokens(text: str) -> list[str]:
    """Whole numbers, operators and brackets of an expression. Raises Unparseable at anything else."""
    found = _TOKEN.findall(plain_operators(text).translate(_BRACKETS))
    strange = next((token for token in found if not token.isdecimal() and token not in "+-*/()"), None)
    if strange is not None:
        raise Unparseable(f"{strange!r} has no place in an expression of whole numbers, + - * / and brackets")
    if len(found) > MAX_TOKENS:
        raise Unparseable(f"an expression of {len(found)} tokens")
    return found


def numbers_in(text: str) -> list[int]:
    """The numbers of an expression, in order."""
    return [int(token) for token in tokens(text) if token.isdecimal()]


def value(text: str) -> Fraction | None:
    """The exact value of an expression with the usual precedence; None if it divides by zero.

    Raises Unparseable if the text is no expression. Runs without recursion, so nesting cannot exhaust the stack.
    """
    values: list[Fraction | None] = []
    waiting: list[str] = []
    expect_operand = True
    for token in tokens(text):
        if expect_operand != (token.isdecimal() or token == "("):
            raise Unparseable(f"{token!r} stands where {'a number' if expect_operand else 'an operator'} belongs")
        if token.isdecimal():
            values.append(Fraction(int(token)))
            expect_operand = False
        elif token == "(":
            waiting.append(token)
        elif token == ")":
            _fold(values, waiting, 0)
            if not waiting:
                raise Unparseable("a bracket closes that was never opened")
            waiting.pop()
        else:
            _fold(values, waiting, _RANK[token])
            waiting.append(token)
            expect_operand = True
    if expect_operand:
        raise Unparseable("the expression is not complete")
    _fold(values, waiting, 0)
    if waiting:
        raise Unparseable("a bracket is never closed")
    return values[0]


def _fold(values: list[Fraction | None], waiting: list[str], rank: int) -> None:
    """Apply the waiting operators that bind at least as strongly as `rank`."""
    while waiting and waiting[-1] != "(" and _RANK[waiting[-1]] >= rank:
        right, left = values.pop(), values.pop()
        values.append(_apply(waiting.pop(), left, right))


def _apply(operator: str, left: Fraction | None, right: Fraction | None) -> Fraction | None:
    if left is None or right is None or (operator == "/" and right == 0):
        return None
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left * right if operator == "*" else left / right


def in_order(numbers: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Every way to cut a sequence into a left and a right part."""
    for cut in range(1, len(numbers)):
        yield numbers[:cut], numbers[cut:]


def any_order(numbers: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Every way to share numbers between a left and a right side."""
    places = range(len(numbers))
    for size in range(1, len(numbers)):
        for chosen in combinations(places, size):
            yield tuple(numbers[i] for i in chosen), tuple(numbers[i] for i in places if i not in chosen)


def find(numbers: Numbers, target: int, splits: Splits) -> str | None:
    """An expression over all the numbers that equals the target, with all brackets written; None if none was found.

    Looks first for one whose intermediate values are whole, which is fast; then, for up to four numbers, for any at
    all.
    """
    found = Finder(splits, whole=True).find(numbers, target)
    if found is None and len(numbers) <= EXHAUSTIVE:
        found = Finder(splits, whole=False).find(numbers, Fraction(target))
    return found


EXHAUSTIVE = 4
TABLED = 3


class Finder:
    """One search. Small parts are tabled (value to expression). A larger set is cut in two: the smaller side is
    enumerated, and the value that the other side must then have is searched in turn, so that six numbers need thousands
    of look-ups, not millions."""

    def __init__(self, splits: Splits, whole: bool) -> None:
        self.splits = splits
        self.whole = whole
        self.tables: dict[Numbers, dict[Value, str]] = {}
        self.failed: set[tuple[Numbers, Value]] = set()

    def find(self, numbers: Numbers, target: Value) -> str | None:
        if len(numbers) <= TABLED:
            return self.table(numbers).get(target)
        if (numbers, target) in self.failed:
            return None
        for left, right in self.splits(numbers):
            enumerate_side = self._enumerate_left if len(left) <= len(right) else self._enumerate_right
            found = enumerate_side(left, right, target)
            if found is not None:
                return found
        self.failed.add((numbers, target))
        return None

    def table(self, numbers: Numbers) -> dict[Value, str]:
        """Every value these numbers can reach, with one expression each."""
        if len(numbers) == 1:
            return {numbers[0]: str(numbers[0])}
        if numbers not in self.tables:
            reached: dict[Value, str] = {}
            for left, right in self.splits(numbers):
                for a, a_text in self.table(left).items():
                    for b, b_text in self.table(right).items():
                        for operator, result in (("+", a + b), ("-", a - b), ("*", a * b), ("/", self._divide(a, b))):
                            if result is not None and result not in reached:
                                reached[result] = f"({a_text}{operator}{b_text})"
            self.tables[numbers] = reached
        return self.tables[numbers]

    def _divide(self, a: Value, b: Value) -> Value | None:
        if b == 0 or (self.whole and a % b):
            return None
        return a // b if self.whole else Fraction(a) / b

    def _enumerate_left(self, left: Numbers, right: Numbers, target: Value) -> str | None:
        for a, text in self.table(left).items():
            if a == 0 and target == 0:
                return f"({text}*({'+'.join(map(str, right))}))"
            by_division = self._divide(a, target) or None  # a right side of zero cannot divide
            for operator, b in (
                ("+", target - a),
                ("-", a - target),
                ("*", self._divide(target, a)),
                ("/", by_division),
            ):
                rest = None if b is None else self.find(right, b)
                if rest is not None:
                    return f"({text}{operator}{rest})"
        return None

    def _enumerate_right(self, left: Numbers, right: Numbers, target: Value) -> str | None:
        for b, text in self.table(right).items():
            if b == 0 and target == 0:
                return f"(({'+'.join(map(str, left))})*{text})"
            times = target * b if b else None
            for operator, a in (("+", target - b), ("-", target + b), ("*", self._divide(target, b)), ("/", times)):
                rest = None if a is None else self.find(left, a)
                if rest is not None:
                    return f"({rest}{operator}{text})"
        return None
