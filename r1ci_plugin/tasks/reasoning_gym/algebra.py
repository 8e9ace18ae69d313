"""Equations, polynomials and integrals. Answers are formulae, read by our own grammar and checked exactly.

Left out: the grammar (`expressions.py`), polynomials (`polynomials.py`), differentiation (`calculus.py`).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

from r1ci_plugin.tasks.answers import rational, text, words
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.calculus import formula, is_antiderivative
from r1ci_plugin.tasks.reasoning_gym.expressions import parse
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item
from r1ci_plugin.tasks.reasoning_gym.polynomials import Polynomial, add, constant, derivative, polynomial, render, scale

ROOT_TOLERANCE = Fraction("0.000051")
"""Half a unit of the fourth decimal, and a hair for ties."""
FORMULA_FORM = "Write * for every product and ** for powers. The answer is the formula alone."
CONSTANT_FORM = "The constant of integration may be left out or written + C."


@plain(
    "simple_equations",
    "Solve one linear equation",
    ("math",),
    "number",
    knobs="terms 2 to 8, values up to 20 ... 1e5",
    givens="equation variable",
    form="The answer is one number.",
    configs=spans(
        5,
        terms=[(2, 2), (2, 4), (3, 5), (4, 6), (5, 8)],
        value=[(1, 50), (1, 100), (1, 1000), (10, 10**4), (10, 10**5)],
    ),
)
def simple_equations(equation: str, variable: str) -> Fraction:
    left, right = (polynomial(parse(side, {variable})) for side in equation.split(" = "))
    difference = add(left, scale(right, Fraction(-1)))
    slope = difference.pop(((variable, 1),))
    return -constant(difference) / slope


def random_polynomial(rng: Random, variable: str, degrees: list[int], largest: int) -> Polynomial:
    """One term for each degree, whole coefficients up to `largest`, never 0."""
    return {
        ((variable, degree),) if degree else (): Fraction(rng.choice((-1, 1)) * rng.randint(1, largest))
        for degree in degrees
    }


def solvable_polynomial(rng: Random, degree: int, terms: int, largest: int) -> Item:
    """A polynomial of this degree with a real root other than 0."""
    while True:
        variable = rng.choice("abdghkmnpqrstuvwxyz")
        degrees = [degree, *rng.sample(range(degree), min(terms, degree + 1) - 1)]
        poly = random_polynomial(rng, variable, sorted(degrees, reverse=True), largest)
        if any(real_roots(poly)):
            break
    asked = (
        f"Find all real values of {variable} that solve the equation {render(poly)} = 0\n\n"
        "The answer is the list of all distinct real solutions in ascending order, each as a decimal number rounded "
        "to 4 decimal places, "
        "separated by commas."
    )
    return Item(asked, "", {"equation": render(poly), "variable": variable})


def real_roots(poly: Polynomial) -> list[float]:
    """The distinct real roots of a polynomial in one variable, ascending: bisection between the roots of its
    derivative."""
    variable = next(name for key in poly for name, _ in key)
    degree = max(power for key in poly for _, power in key)
    if degree == 1:
        rest = dict(poly)
        slope = rest.pop(((variable, 1),))
        return [float(-constant(rest) / slope)]
    coefficients = [poly.get(((variable, power),) if power else (), Fraction(0)) for power in range(degree + 1)]
    bound = float(1 + max(abs(c / coefficients[degree]) for c in coefficients[:degree]))
    turns = real_roots(derivative(poly, variable)) if degree > 1 else []
    return _bisected([float(c) for c in coefficients], [-bound, *turns, bound])


def _bisected(coefficients: list[float], ends: list[float]) -> list[float]:
    """Roots between consecutive ends, on each of which the polynomial is monotone; a turn that touches 0 is a root."""
    size = sum(abs(c) for c in coefficients)

    def at(x: float) -> float:
        result = 0.0
        for c in reversed(coefficients):
            result = result * x + c
        return result

    roots: list[float] = [
        x for x in ends[1:-1] if abs(at(x)) < 1e-10 * size * max(1.0, abs(x)) ** (len(coefficients) - 1)
    ]
    for low, high in pairwise(ends):
        if low in roots or high in roots or at(low) * at(high) >= 0:
            continue
        rising = at(high) > 0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (low, middle) if (at(middle) > 0) == rising else (middle, high)
        roots.append(low)
    return sorted(roots)


@gym(
    "polynomial_equations",
    "All real roots of a polynomial",
    ("math",),
    "sequence",
    item=solvable_polynomial,
    knobs="degree 1 to 5, coefficients up to 50 ... 1000",
    givens="equation variable",
    configs=ladder(degree=[1, 2, 3, 4, 5], terms=[2, 3, 3, 4, 5], largest=[100, 50, 50, 100, 1000]),
)
class PolynomialEquations(Gym):
    """The set of real roots, each rounded to four decimals."""

    def stored(self, item: Item) -> Payload:
        return {}

    def roots(self, payload: Payload) -> list[float]:
        return real_roots(polynomial(parse(payload["equation"], {payload["variable"]})))

    def check(self, payload: Payload, answer: str) -> Verdict:
        got, expected = sorted(rational(word) for word in words(answer)), self.roots(payload)
        found = sum(abs(a - Fraction(b)) <= ROOT_TOLERANCE for a, b in zip(got, expected, strict=False))
        if len(got) == len(expected) == found:
            return Verdict.correct()
        return Verdict.wrong(
            f"expected about {', '.join(f'{root:.4f}' for root in expected)}",
            0.9 * found / max(len(got), len(expected)),
        )

    def oracle(self, payload: Payload) -> str:
        return ", ".join(f"{root:.4f}" for root in self.roots(payload))


def product(rng: Random, factors: int, terms: int, degree: int, largest: int) -> Item:
    """Polynomials of one variable to be multiplied; the library's own choice of terms depends on the process."""
    variable = rng.choice("xyz")
    polys = [
        random_polynomial(
            rng, variable, sorted(rng.sample(range(degree + 1), rng.randint(2, terms)), reverse=True), largest
        )
        for _ in range(factors)
    ]
    expression = "*".join(f"({render(poly)})" for poly in polys)
    return Item(
        f"Expand this product of polynomials: {expression}\n\n{FORMULA_FORM}",
        "",
        {"expression": expression, "variable": variable},
    )


@gym(
    "polynomial_multiplication",
    "Expand a product of polynomials",
    ("math",),
    "expression",
    item=product,
    knobs="factors 2 to 4, terms up to 2 ... 6, degree up to 2 ... 8",
    givens="expression variable",
    configs=ladder(
        factors=[2, 2, 3, 3, 4], terms=[2, 3, 3, 4, 6], degree=[2, 3, 3, 5, 8], largest=[20, 100, 100, 1000, 1000]
    ),
)
class PolynomialMultiplication(Gym):
    """Compared as polynomials, so the order of terms is free; a product left standing is refused."""

    def stored(self, item: Item) -> Payload:
        return {}

    def check(self, payload: Payload, answer: str) -> Verdict:
        names = {payload["variable"]}
        got = polynomial(parse(text(answer), names), expanded=True)
        expected = polynomial(parse(payload["expression"], names))
        share = sum(got.get(key) == coefficient for key, coefficient in expected.items()) / max(
            len(got), len(expected), 1
        )
        return (
            Verdict.correct() if got == expected else Verdict.wrong(f"expected {render(expected)[:200]}", 0.9 * share)
        )

    def oracle(self, payload: Payload) -> str:
        return render(polynomial(parse(payload["expression"], {payload["variable"]})))


def simple_integrand(rng: Random, terms: int, degree: int, largest: int) -> Item:
    """The derivative of a random polynomial with fractions."""
    variable = rng.choice("xX")
    chosen = sorted(rng.sample(range(1, degree + 1), terms), reverse=True)
    poly: Polynomial = {
        ((variable, power),): coefficient / rng.choice((1, 1, rng.randint(2, 10)))
        for power, coefficient in zip(chosen, random_polynomial(rng, variable, chosen, largest).values(), strict=True)
    }
    integrand = render(derivative(poly, variable))
    asked = f"Find the indefinite integral: ∫ {integrand} d{variable}\n\n{FORMULA_FORM} {CONSTANT_FORM}"
    return Item(asked, "", {"integrand": integrand, "variable": variable})


@gym(
    "simple_integration",
    "Antiderivative of a polynomial",
    ("math",),
    "expression",
    item=simple_integrand,
    knobs="terms 2 to 6, degree up to 5 ... 15",
    givens="integrand variable",
    configs=ladder(terms=[2, 3, 4, 5, 6], degree=[5, 6, 8, 10, 15], largest=[10, 10, 20, 50, 100]),
)
class SimpleIntegration(Gym):
    """The derivative of the answer must be the integrand, exactly."""

    def stored(self, item: Item) -> Payload:
        return {}

    def check(self, payload: Payload, answer: str) -> Verdict:
        variable = payload["variable"]
        got = derivative(polynomial(parse(text(answer), {variable, "C"})), variable)
        expected = polynomial(parse(payload["integrand"], {variable}))
        return Verdict.correct() if got == expected else Verdict.wrong(f"its derivative is {render(got)[:200]}")

    def oracle(self, payload: Payload) -> str:
        variable = payload["variable"]
        integral: Polynomial = {}
        for key, coefficient in polynomial(parse(payload["integrand"], {variable})).items():
            power = dict(key).get(variable, 0) + 1
            integral[((variable, power),)] = coefficient / power
        return render(integral) + " + C"


def integrand_of(kind: str, rng: Random, size: int) -> str:
    """An integrand of one of the library's kinds, with constants up to `size`."""
    a, b, k = (rng.choice((-1, 1)) * rng.randint(2, size) for _ in range(3))
    n, c = rng.randint(1, 4), rng.randint(1, 3)
    inner = f"{a}*x {'-' if b < 0 else '+'} {abs(b)}"
    wave, other = rng.sample(("sin", "cos"), 2)
    forms = {
        "linear": f"{k}*({inner})**{n + 1}",
        "radical": f"{k}*sqrt({inner})",
        "exponential": rng.choice((f"{k}*exp({inner})", f"{k}*x*exp({abs(b)}*x**2 + {c})")),
        "trigonometric": f"{k}*{wave}({inner})*{other}({inner})**{n}",
        "inverse": rng.choice((f"{k}*log({abs(a)}*x)", f"{k}*asin({c}*x)", f"{k}*atan({c}*x)")),
        "parts": f"{k}*x*{rng.choice((f'exp({a}*x)', f'sin({a}*x)', f'cos({a}*x)'))}",
        "cyclic": f"{k}*exp({c}*x)*{wave}({abs(b)}*x)",
        "repeated": f"{k}*x**{n + 1}*{rng.choice((f'exp({c}*x)', f'sin({c}*x)', f'cos({c}*x)'))}",
    }
    return forms[kind]


_KINDS = ("linear", "radical", "exponential", "trigonometric", "inverse", "parts", "cyclic", "repeated")


def integral_item(rng: Random, first: int, last: int, size: int, terms: int) -> Item:
    integrand = " + ".join(integrand_of(rng.choice(_KINDS[first:last]), rng, size) for _ in range(terms))
    asked = (
        f"Find the indefinite integral: ∫ {integrand} dx\n\n{FORMULA_FORM} {CONSTANT_FORM} "
        "The functions are written exp, log, sqrt, sin, cos, tan, asin, acos and atan."
    )
    return Item(asked, "", {"integrand": integrand, "variable": "x"})


@gym(
    "intermediate_integration",
    "Antiderivative by substitution or by parts",
    ("math",),
    "expression",
    item=integral_item,
    knobs="kinds of integrand from linear substitution to repeated parts, constants up to 30 ... 99",
    givens="integrand variable",
    configs=ladder(first=[0, 0, 1, 2, 4], last=[2, 4, 6, 8, 8], size=[30, 30, 40, 60, 99], terms=[1, 1, 1, 1, 2]),
)
class IntermediateIntegration(Gym):
    """The answer is differentiated and compared with the integrand at points near zero and far from it. No symbolic
    algebra sees model text."""

    def stored(self, item: Item) -> Payload:
        return {}

    def check(self, payload: Payload, answer: str) -> Verdict:
        integrand, variable = payload["integrand"], payload["variable"]
        if is_antiderivative(formula(text(answer), variable), formula(integrand, variable), variable, seed=integrand):
            return Verdict.correct()
        return Verdict.wrong("its derivative is not the integrand")

    def oracle(self, payload: Payload) -> str:
        import sympy
        from sympy.integrals.manualintegrate import manualintegrate

        symbol = sympy.Symbol(payload["variable"])
        integrand = sympy.sympify(payload["integrand"], locals={payload["variable"]: symbol})
        return f"{manualintegrate(integrand, symbol)} + C"
