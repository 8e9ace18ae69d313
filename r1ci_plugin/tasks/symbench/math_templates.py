"""The templates of math_geometry and math_counting_probability: own problems, with formulas that give the answer in
LaTeX."""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial, gcd, perm

from r1ci_plugin.tasks.symbench.latex import fraction, surd, times
from r1ci_plugin.tasks.symbench.templates import Template

GEOMETRY = (
    Template(
        "A triangle has the corners (0, 0), ({a}, 0) and ({b}, {c}). What is its area?",
        {"a": (2, 12), "b": (1, 12), "c": (2, 12)},
        lambda a, b, c: fraction(Fraction(a * c, 2)),
    ),
    Template(
        "The legs of a right triangle are {a} and {b} units long. How long is its hypotenuse?",
        {"a": (2, 12), "b": (2, 12)},
        lambda a, b: surd(a * a + b * b),
    ),
    Template(
        "What is the distance between the points ({a}, -{b}) and (-{c}, {d})?",
        {"a": (1, 9), "b": (1, 9), "c": (1, 9), "d": (1, 9)},
        lambda a, b, c, d: surd((a + c) ** 2 + (b + d) ** 2),
    ),
    Template(
        "{who} cuts a circular sector with an angle of {w} degrees out of a {colour} disc of radius {r} cm. What is "
        "the area of the sector, in square cm?",
        {"w": (10, 350), "r": (2, 15)},
        lambda w, r: times(Fraction(w * r * r, 360), r"\pi"),
        lambda w, r: w % 5 == 0,
        fixed=frozenset("w"),
    ),
    Template(
        "A {colour} ring lies between two circles with one centre and the radii {r} and {s}. What is its area?",
        {"r": (2, 14), "s": (3, 19)},
        lambda r, s: times(s * s - r * r, r"\pi"),
        lambda r, s: r < s,
    ),
    Template(
        "A cone has the base radius {r} and the height {h}. What is its volume?",
        {"r": (2, 12), "h": (2, 15)},
        lambda r, h: times(Fraction(r * r * h, 3), r"\pi"),
    ),
    Template(
        "{who} pours {colour} water into a cylinder of radius {r} cm to a height of {h} cm. How much water is that, in "
        "cubic cm?",
        {"r": (2, 12), "h": (2, 15)},
        lambda r, h: times(r * r * h, r"\pi"),
    ),
    Template(
        "A box has the edges {a}, {b} and {c}. How long is the straight line between two opposite corners through its "
        "inside?",
        {"a": (1, 9), "b": (1, 9), "c": (1, 9)},
        lambda a, b, c: surd(a * a + b * b + c * c),
    ),
    Template(
        "A trapezoid has parallel sides of {a} cm and {b} cm at a distance of {h} cm. What is its area, in square cm?",
        {"a": (2, 15), "b": (2, 15), "h": (2, 15)},
        lambda a, b, h: fraction(Fraction((a + b) * h, 2)),
    ),
    Template(
        "A regular hexagon has a perimeter of {p} units. What is its area?",
        {"p": (6, 60)},
        lambda p: surd(3, Fraction(3 * p * p, 72)),
    ),
    Template(
        "An equilateral triangle has the same perimeter as a rectangle with the sides {a} and {b}. What is the area of "
        "the triangle?",
        {"a": (2, 12), "b": (2, 12)},
        lambda a, b: surd(3, Fraction((a + b) ** 2, 9)),
    ),
    Template(
        "{who} stands beside a tree. {who} is {a} cm tall and casts a shadow of {b} cm; the tree casts a shadow of {c} "
        "cm. How tall is the tree, in cm?",
        {"a": (120, 190), "b": (20, 90), "c": (200, 900)},
        lambda a, b, c: fraction(Fraction(a * c, b)),
        fixed=frozenset("ab"),
    ),
    Template(
        "The circle with the equation x^2 + y^2 - {a}x + {b}y = {c} is given. What is its radius?",
        {"a": (1, 12), "b": (1, 12), "c": (1, 20)},
        lambda a, b, c: surd(Fraction(a * a + b * b, 4) + c),
    ),
    Template(
        "How far is the point ({a}, {b}) from the line {p}x + {q}y = {c}?",
        {"a": (1, 12), "b": (1, 12), "p": (1, 6), "q": (1, 6), "c": (1, 12)},
        lambda a, b, p, q, c: surd(p * p + q * q, Fraction(abs(p * a + q * b - c), p * p + q * q)),
        lambda a, b, p, q, c: p * a + q * b != c,
        fixed=frozenset("pq"),
    ),
)

COUNTING = (
    Template(
        "In how many ways can {who} choose {k} of {n} different {what}?",
        {"n": (5, 12), "k": (2, 4)},
        lambda n, k: str(comb(n, k)),
        lambda n, k: k < n,
        fixed=frozenset("k"),
    ),
    Template(
        "{n} different {what} lie in a shop. In how many ways can {who} put {k} of them in a row?",
        {"n": (4, 9), "k": (2, 4)},
        lambda n, k: str(perm(n, k)),
        lambda n, k: k <= n,
        fixed=frozenset("k"),
    ),
    Template(
        "A committee of {i} women and {j} men is to be chosen from {a} women and {b} men. In how many ways is that "
        "possible?",
        {"a": (4, 8), "b": (4, 8), "i": (1, 3), "j": (1, 3)},
        lambda a, b, i, j: str(comb(a, i) * comb(b, j)),
        fixed=frozenset("ij"),
    ),
    Template(
        "A bag holds {a} {colour} and {b} {shade} {what}. {who} draws two of them at once. What is the probability "
        "that both are {colour}?",
        {"a": (2, 9), "b": (2, 9)},
        lambda a, b: fraction(Fraction(comb(a, 2), comb(a + b, 2))),
    ),
    Template(
        "A bag holds {a} {colour} and {b} {shade} {what}. {who} draws two of them at once. What is the probability "
        "that they differ in colour?",
        {"a": (2, 9), "b": (2, 9)},
        lambda a, b: fraction(Fraction(a * b, comb(a + b, 2))),
    ),
    Template(
        "{who} rolls a fair die with the faces 1 to {n} twice. What is the probability that the sum is {s}?",
        {"n": (4, 12), "s": (2, 24)},
        lambda n, s: fraction(Fraction(min(s - 1, 2 * n + 1 - s), n * n)),
        lambda n, s: s <= 2 * n,
    ),
    Template(
        "{who} throws a fair coin {n} times. What is the probability of exactly {k} heads?",
        {"n": (3, 6), "k": (1, 5)},
        lambda n, k: fraction(Fraction(comb(n, k), 2**n)),
        lambda n, k: k <= n <= 30,
    ),
    Template(
        "How many ways can {who} take from (0, 0) to ({a}, {b}) if every step goes one unit right or one unit up?",
        {"a": (2, 5), "b": (2, 5)},
        lambda a, b: str(comb(a + b, a)),
    ),
    Template(
        "How many of the whole numbers from 1 to {n} are divisible by {p} or by {q}?",
        {"n": (50, 500), "p": (2, 12), "q": (2, 12)},
        lambda n, p, q: str(n // p + n // q - n // (p * q // gcd(p, q))),
        lambda n, p, q: p != q,
        fixed=frozenset("pq"),
    ),
    Template(
        "In how many ways can {who} share {n} equal {what} among {k} children, if a child may get none?",
        {"n": (4, 12), "k": (2, 5)},
        lambda n, k: str(comb(n + k - 1, k - 1)),
        fixed=frozenset("k"),
    ),
    Template(
        "How many different rows can be made of {a} {colour}, {b} {shade} and {c} purple flags, if flags of one colour "
        "look the same and all are used?",
        {"a": (1, 3), "b": (1, 3), "c": (1, 3)},
        lambda a, b, c: str(factorial(a + b + c) // (factorial(a) * factorial(b) * factorial(c))),
        lambda a, b, c: a + b + c <= 60,
    ),
    Template(
        "A fair die with the faces 1 to {m} is rolled {n} times. What is the probability that {who} "
        "sees at least one {m}?",
        {"m": (4, 10), "n": (2, 4)},
        lambda m, n: fraction(1 - Fraction(m - 1, m) ** n),
        lambda m, n: n <= 12,
    ),
    Template(
        "{who} draws one of {n} tickets with the numbers 1 to {n} and wins {k} dollars for each unit of the number. "
        "How many dollars does {who} win on average?",
        {"n": (4, 30), "k": (2, 9)},
        lambda n, k: fraction(Fraction(k * (n + 1), 2)),
    ),
    Template(
        "How many passwords of {k} different letters out of an alphabet of {n} letters can {who} "
        "make that begin with one of the first {m} "
        "letters?",
        {"n": (6, 12), "k": (2, 4), "m": (2, 5)},
        lambda n, k, m: str(m * perm(n - 1, k - 1)),
        lambda n, k, m: m < n,
        fixed=frozenset("km"),
    ),
)
