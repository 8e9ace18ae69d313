"""Is one formula an antiderivative of another? Told by automatic differentiation at a dozen points.

A formula of one variable is evaluated together with its derivative (dual numbers) over the complex numbers, where
every function here is defined but for isolated points. Two elementary functions that agree at a dozen points drawn
from the question agree.
Left out: finding an antiderivative, which is the task's solver.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from random import Random

from r1ci_plugin.tasks.answers import Unparseable
from r1ci_plugin.tasks.reasoning_gym.expressions import Node, parse

POINTS = 12
TOLERANCE = 1e-7
NEARLY_ZERO = 1e-3
"""Of the largest value of the integrand: where it is smaller, the tolerance falls no further."""

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
CONSTANTS = {"pi": cmath.pi, "E": cmath.e, "e": cmath.e, "C": 0.0, "c": 0.0}


def formula(text: str, variable: str) -> Node:
    """The tree of a formula of one variable, with the constants pi, E and C."""
    return parse(text, {variable, *CONSTANTS}, {*FUNCTIONS, *SPELLINGS})


def is_antiderivative(candidate: Node, integrand: Node, variable: str, seed: str) -> bool:
    """Whether the derivative of `candidate` equals `integrand` at points drawn from `seed`.

    Raises Unparseable where a formula has no value at most of the points.
    """
    rng = Random(seed)
    pairs = []
    for _ in range(POINTS * 2):
        point = complex(rng.uniform(0.02, 0.32) * rng.choice((1, 1, 1, 4)))
        try:
            pairs.append((dual(candidate, variable, point)[1], dual(integrand, variable, point)[0]))
        except (ArithmeticError, ValueError):
            continue
    if len(pairs) < POINTS:
        raise Unparseable("the formula has no value at most of the points tried")
    # By the size of this integrand: beside 1, exp(2*x - 21) is nothing anywhere, and any constant would be right.
    least = NEARLY_ZERO * max(abs(wanted) for _, wanted in pairs)
    return all(abs(slope - wanted) <= TOLERANCE * max(least, abs(wanted)) for slope, wanted in pairs)


def dual(node: Node, variable: str, point: complex) -> Dual:
    """The value and the derivative of a tree at a point. Raises ArithmeticError or ValueError where there is none."""
    if node.kind == "number":
        return complex(float(node.text)), 0j
    if node.kind == "name":
        return (point, 1 + 0j) if node.text == variable else (complex(CONSTANTS[node.text]), 0j)
    parts = [dual(part, variable, point) for part in node.parts]
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
