"""A small grammar of formulae, read without ever running text as code.

`parse` turns a text into a tree of `Node`; `value` computes a tree of numbers exactly. Sizes are bounded at every
step, so that a power tower or a million brackets is refused at once.
Left out: polynomials (`polynomials.py`), functions of analysis (`calculus.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction

from r1ci_plugin.tasks.answers import Unparseable, plain_operators

MAX_TOKENS = 600
"""Also keeps a sum of many terms, a tree as high as it is long, below what recursion bears."""
MAX_DEPTH = 60
MAX_BITS = 20_000

_TOKEN = re.compile(
    r"\s*(?:(0x[0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)|([A-Za-z_][A-Za-z_0-9]*)|(\*\*|<<|>>|[-+*/^()]))"
)
_PRECEDENCE = {"<<": 1, ">>": 1, "+": 2, "-": 2, "*": 3, "/": 3}
_UNARY, _POWER = 4, 5


@dataclass(frozen=True, slots=True)
class Node:
    """A number, a name, a call of a named function, or an operator with its parts."""

    kind: str
    """`number`, `name`, `call`, `neg`, or the operator's sign."""
    text: str = ""
    parts: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        yield self
        for part in self.parts:
            yield from part.walk()


def parse(text: str, names: Collection[str] = (), functions: Collection[str] = ()) -> Node:
    """The tree of an expression over numbers, `names` and `functions` of one argument. Raises Unparseable."""
    tokens = _tokens(text)
    node = _Parser(tokens, names, functions).expression(0, 0)
    if tokens:
        raise Unparseable(f"unexpected {tokens[-1]!r} in the expression")
    return node


def value(node: Node) -> Fraction:
    """The exact value of a tree of numbers. Raises Unparseable for names, huge results and divisions by zero."""
    if node.kind == "number":
        return _bounded(Fraction(int(node.text, 16)) if node.text.startswith("0x") else Fraction(node.text))
    if node.kind == "neg":
        return -value(node.parts[0])
    if node.kind in ("name", "call"):
        raise Unparseable(f"{node.text!r} has no value")
    return _bounded(combine(node.kind, value(node.parts[0]), value(node.parts[1])))


def combine(operator: str, left: Fraction, right: Fraction) -> Fraction:
    """Apply an operator to exact numbers, within bounds."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        if right == 0:
            raise Unparseable("division by zero")
        return left / right
    if operator == "**":
        return _power(left, right)
    if left.denominator != 1 or right.denominator != 1 or not 0 <= right <= 64:
        raise Unparseable("a shift is of whole numbers, by 0 to 64 places")
    return Fraction(int(left) << int(right) if operator == "<<" else int(left) >> int(right))


def numbers(node: Node) -> list[str]:
    """The numerals of a tree, as written, from left to right."""
    return [part.text for part in node.walk() if part.kind == "number"]


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > 1_000:
        raise Unparseable("an exponent is a small whole number")
    if base == 0 and exponent < 0:
        raise Unparseable("division by zero")
    if max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent) > MAX_BITS:
        raise Unparseable("a number is too large")
    return base ** int(exponent)


def _bounded(result: Fraction) -> Fraction:
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > MAX_BITS:
        raise Unparseable("a number is too large")
    return result


def _tokens(text: str) -> list[str]:
    """The tokens in reverse, so that the next one is the last of the list."""
    found: list[str] = []
    position, body = 0, plain_operators(text).rstrip()
    while position < len(body):
        match = _TOKEN.match(body, position)
        if not match or len(found) == MAX_TOKENS or len(match[0]) > 300:
            raise Unparseable(f"not an expression, at character {position + 1}")
        token = match[0].strip()
        found.append("**" if token == "^" else token)
        position = match.end()
    return found[::-1]


class _Parser:
    """Precedence climbing over a reversed list of tokens."""

    def __init__(self, tokens: list[str], names: Collection[str], functions: Collection[str]) -> None:
        self.tokens, self.names, self.functions = tokens, names, functions

    def expression(self, floor: int, depth: int) -> Node:
        """An expression whose operators bind at least as tightly as `floor`."""
        if depth > MAX_DEPTH:
            raise Unparseable("brackets nested too deeply")
        left = self.operand(depth)
        while self.tokens and (strength := _PRECEDENCE.get(self.tokens[-1], -1)) >= floor:
            operator = self.tokens.pop()
            left = Node(operator, parts=(left, self.expression(strength + 1, depth + 1)))
        return left

    def operand(self, depth: int) -> Node:
        """A signed power. A sign binds less tightly than a power on its right, as in algebra."""
        if depth > MAX_DEPTH:
            raise Unparseable("signs or brackets nested too deeply")
        if not self.tokens:
            raise Unparseable("the expression ends too early")
        if self.tokens[-1] in "+-":
            sign = self.tokens.pop()
            inner = self.operand(depth + 1)
            return inner if sign == "+" else Node("neg", parts=(inner,))
        base = self.atom(depth)
        if self.tokens and self.tokens[-1] == "**":
            self.tokens.pop()
            return Node("**", parts=(base, self.operand(depth + 1)))
        return base

    def atom(self, depth: int) -> Node:
        token = self.tokens.pop()
        if token == "(":
            inner = self.expression(0, depth + 1)
            self.expect(")")
            return inner
        if token[0].isdigit() or token[0] == ".":
            return Node("number", token)
        if token in self.names:
            return Node("name", token)
        if token in self.functions:
            self.expect("(")
            argument = self.expression(0, depth + 1)
            self.expect(")")
            return Node("call", token, (argument,))
        raise Unparseable(f"{token!r} has no place in the expression")

    def expect(self, token: str) -> None:
        if not self.tokens or self.tokens.pop() != token:
            raise Unparseable(f"{token!r} is missing in the expression")
