"""Is one formula an antiderivative of another? Told by automatic differentiation at points near zero and far from it.

A formula of one variable is evaluated together with its derivative (dual numbers) over the complex numbers, where
every function here is defined but for isolated points. Two elementary functions that agree at a dozen points drawn
from the question agree, unless one is a polynomial made to approximate the other, which the far points tell.
Left out: finding an antiderivative, which is the task's solver.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from contextlib import suppress
from random import Random

from r1ci_plugin.tasks.answers import Unparseable
from r1ci_plugin.tasks.reasoning_gym.expressions import Node, parse

NEAR = ((0.02, 0.32), (0.08, 1.28))
"""Spans of the points near zero, each judged by the sizes of its own."""
FAR = ((2.0, 3.0), (6.0, 9.0), (20.0, 30.0), (60.0, 90.0), (200.0, 300.0))
"""Spans of the points on either side of zero that lie too far for a polynomial to follow another function so long."""
POINTS = 12
"""Of each near span."""
FAR_POINTS = 4
TOLERANCE = 1e-7
NEARLY_ZERO = 1e-3
"""Of the largest value of the integrand: where it is smaller, the tolerance falls no further."""
LARGEST_EXPONENT = 200
"""Of the integrand at a far point: beyond it, the powers of e in a right answer overflow."""

Function = tuple[Callable[[complex], complex], Callable[[complex], complex]]
Dual = tuple[complex, complex]


def sign(z: complex) -> complex:
    """The derivative of `abs`, which only real arguments have."""
    if z.imag:
        raise ValueError("no derivative")
    return 1 if z.real > 0 else -1


FUNCTIONS: dict[str, Function] = {
    "exp": (cmath.exp, cmath.exp),
    "log": (cmath.log, lambda z: 1 / z),
    "ln": (cmath.log, lambda z: 1 / z),
    "sqrt": (cmath.sqrt, lambda z: 0.5 / cmath.sqrt(z)),
    "sin": (cmath.sin, cmath.cos),
    "cos": (cmath.cos, lambda z: -cmath.sin(z)),
    "tan": (cmath.tan, lambda z: 1 / cmath.cos(z) ** 2),
    "asin": (cmath.asin, lambda z: 1 / cmath.sqrt(1 - z * z)),
    "acos": (cmath.acos, lambda z: -1 / cmath.sqrt(1 - z * z)),
    "atan": (cmath.atan, lambda z: 1 / (1 + z * z)),
    "sinh": (cmath.sinh, cmath.cosh),
    "cosh": (cmath.cosh, cmath.sinh),
    "abs": (abs, lambda z: sign(z)),
}
"""Each function with its derivative."""

SPELLINGS = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "Abs": "abs"}
CONSTANTS = {"pi": cmath.pi, "E": cmath.e, "e": cmath.e}
INTEGRATION_CONSTANTS = ("C", "c")
LARGE_CONSTANT = 1e30
"""Beside it, every integrand near zero is small."""


def formula(text: str, variable: str) -> Node:
    """The tree of a formula of one variable, with the constants pi, E and C."""
    return parse(text, {variable, *CONSTANTS, *INTEGRATION_CONSTANTS}, {*FUNCTIONS, *SPELLINGS})


def is_antiderivative(candidate: Node, integrand: Node, variable: str, seed: str) -> bool:
    """Whether the derivative of `candidate` equals `integrand` at points drawn from `seed`.

    Raises Unparseable where a formula has no value at most of the points near zero.
    """
    rng = Random(seed)
    points = [[rng.uniform(*span) for _ in range(POINTS)] for span in NEAR]
    near = [_near(candidate, integrand, variable, some) for some in points]
    if sum(map(len, near)) < POINTS:
        raise Unparseable("the formula has no value at most of the points tried")
    if not all(map(_agree, near)) or not _constant_vanishes(candidate, variable, points[0]):
        return False
    far = ([rng.choice((-1, 1)) * rng.uniform(*span) for _ in range(FAR_POINTS)] for span in FAR)
    return all(_agree(_far(candidate, integrand, variable, some)) for some in far)


Pairs = list[tuple[complex, complex]]
"""What the derivative is, and what it should be, at some points."""


def _agree(pairs: Pairs) -> bool:
    # By the size of this integrand: beside 1, exp(2*x - 21) is nothing anywhere, and any constant would be right.
    least = NEARLY_ZERO * max((abs(wanted) for _, wanted in pairs), default=0)
    return all(abs(slope - wanted) <= TOLERANCE * max(least, abs(wanted)) for slope, wanted in pairs)


def _near(candidate: Node, integrand: Node, variable: str, points: list[float]) -> Pairs:
    """Points where either has no value tell nothing."""
    pairs = []
    for point in map(complex, points):
        with suppress(ArithmeticError, ValueError):
            pairs.append((dual(candidate, variable, point)[1], dual(integrand, variable, point)[0]))
    return pairs


def _constant_vanishes(candidate: Node, variable: str, points: list[float]) -> bool:
    """Whether the derivative is the same whatever C is, unlike that of C*x."""
    for point in map(complex, points):
        with suppress(ArithmeticError, ValueError):
            slopes = [dual(candidate, variable, point, constant)[1] for constant in (0.0, LARGE_CONSTANT)]
            if not abs(slopes[1] - slopes[0]) <= TOLERANCE * LARGE_CONSTANT:
                return False
    return True


def _far(candidate: Node, integrand: Node, variable: str, points: list[float]) -> Pairs:
    """Points where the integrand is real and its powers of e are moderate: there, an antiderivative has a slope."""
    pairs = []
    for point in map(complex, points):
        wanted = _moderate(integrand, variable, point)
        if wanted is not None:
            pairs.append((_slope(candidate, variable, point), wanted))
    return pairs


def _moderate(integrand: Node, variable: str, point: complex) -> complex | None:
    exponents = [node.parts[0] for node in integrand.walk() if node.kind == "call" and node.text == "exp"]
    try:
        if any(abs(dual(exponent, variable, point)[0]) > LARGEST_EXPONENT for exponent in exponents):
            return None
        value = dual(integrand, variable, point)[0]
    except (ArithmeticError, ValueError):
        return None
    return None if value.imag else value


def _slope(candidate: Node, variable: str, point: complex) -> complex:
    """Infinite where there is none."""
    try:
        return dual(candidate, variable, point)[1]
    except (ArithmeticError, ValueError):
        return complex("inf")


def dual(node: Node, variable: str, point: complex, constant: float = 1.0) -> Dual:
    """The value and the derivative of a tree at a point, for a value of C. Raises ArithmeticError or ValueError where
    there is none."""
    if node.kind == "number":
        return complex(float(node.text)), 0j
    if node.kind == "name":
        return (point, 1 + 0j) if node.text == variable else (complex(CONSTANTS.get(node.text, constant)), 0j)
    parts = [dual(part, variable, point, constant) for part in node.parts]
    x, dx = parts[0]
    if node.kind == "neg":
        return -x, -dx
    if node.kind == "call":
        function, slope = FUNCTIONS[SPELLINGS.get(node.text, node.text)]
        return complex(function(x)), slope(x) * dx
    return _binary(node.kind, x, dx, *parts[1])


def _binary(operator: str, x: complex, dx: complex, y: complex, dy: complex) -> Dual:
    if operator == "+":
        return x + y, dx + dy
    if operator == "-":
        return x - y, dx - dy
    if operator == "*":
        return x * y, dx * y + x * dy
    if operator == "/":
        return x / y, (dx * y - x * dy) / (y * y)
    if operator != "**":
        raise ValueError(f"{operator} is not of analysis")
    if dy == 0:
        return x**y, (y * x ** (y - 1) * dx if dx else 0j)
    result = x**y
    return result, result * (dy * cmath.log(x) + y * dx / x)
