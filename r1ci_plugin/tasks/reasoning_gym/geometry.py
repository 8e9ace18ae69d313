"""Tasks on polygons, triangles and a cube's faces."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from r1ci_plugin.tasks.answers import Unparseable, rational, text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item


@plain(
    "simple_geometry",
    "The last interior angle of a convex polygon",
    ("math", "spatial"),
    "number",
    knobs="3 to 10 sides",
    givens="n_sides known_angles",
    form="The answer is the number of degrees.",
    keep=lambda item: 0 < item.meta["missing_angle_raw"] < 180,
    configs=spans(
        5,
        sides=[(3, 4), (4, 5), (5, 6), (6, 8), (8, 10)],
        angle=[(20, 150), (40, 150), (60, 170), (90, 170), (110, 175)],
    ),
)
def simple_geometry(n_sides: int, known_angles: list[float]) -> Fraction:
    return 180 * (n_sides - 2) - sum(map(Fraction, known_angles), Fraction(0))


TOLERANCE = Fraction("0.00051")
"""Half a unit of the third decimal, and a hair for ties."""
_CYCLES = {
    "front": ("top", "front", "bottom", "back"),
    "right": ("top", "right", "bottom", "left"),
    "back": ("top", "back", "bottom", "front"),
    "left": ("top", "left", "bottom", "right"),
}
"""When this side becomes the top, each place takes the colour of the next one in the cycle."""


@plain(
    "color_cube_rotation",
    "Track a cube's colours under rotations",
    ("spatial",),
    "word",
    answer_in_prompt=True,
    chance=0.23,
    knobs="1 to 40 rotations",
    givens="initial_state rotations target_side",
    form="A side brought from the bottom to the top comes up over the front. The answer is one colour.",
    configs=spans(5, rotations=[(1, 2), (2, 4), (4, 8), (8, 20), (20, 40)]),
)
def color_cube_rotation(initial_state: dict[str, str], rotations: list[str], target_side: str) -> str:
    colours = dict(initial_state)
    for side in rotations:
        for cycle in [_CYCLES["front"]] * 2 if side == "bottom" else [_CYCLES[side]]:
            colours.update(
                {place: value for place, value in zip(cycle, [colours[c] for c in (*cycle[1:], cycle[0])], strict=True)}
            )
    return colours[target_side]


Point = tuple[int, int]


def orthocenter(a: Point, b: Point, c: Point) -> tuple[Fraction, Fraction]:
    """Where the altitudes through `a` and `b` meet, by Cramer's rule."""
    ux, uy, vx, vy = c[0] - b[0], c[1] - b[1], a[0] - c[0], a[1] - c[1]
    p, q = ux * a[0] + uy * a[1], vx * b[0] + vy * b[1]
    determinant = ux * vy - uy * vx
    return Fraction(p * vy - q * uy, determinant), Fraction(ux * q - vx * p, determinant)


def inradius(a: Point, b: Point, c: Point) -> float:
    doubled_area = abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
    return doubled_area / (math.dist(a, b) + math.dist(b, c) + math.dist(c, a))


def angle_at_b(a: Point, b: Point, c: Point) -> float:
    turn = math.atan2(a[1] - b[1], a[0] - b[0]) - math.atan2(c[1] - b[1], c[0] - b[0])
    degrees = math.degrees(turn) % 360
    return min(degrees, 360 - degrees)


@gym(
    "advanced_geometry",
    "Orthocentre, incircle radius or angle of a triangle",
    ("math", "spatial"),
    "number",
    knobs="coordinates up to 5 ... 10000",
    givens="A B C task_type",
    configs=ladder(
        min_coord=[-10, -10, -50, -500, -(10**4)],
        max_coord=[10, 20, 50, 500, 10**4],
        task_types=[
            ["angle_measure"],
            ["angle_measure", "incircle_radius"],
            *[["orthocenter", "incircle_radius", "angle_measure"]] * 3,
        ],
    ),
)
class AdvancedGeometry(Gym):
    """Every number must be right to three decimals. The library asks for three and compares two."""

    def prompt(self, item: Item) -> str:
        asked = re.split(r"\s*For all geometry problems", item.question)[0]
        point = " as a pair (x, y)" if item.meta["task_type"] == "orthocenter" else ""
        return f"{asked}\n\nThe answer is given{point} with decimal numbers rounded to 3 places."

    def stored(self, item: Item) -> Payload:
        return {}

    def exact(self, payload: Payload) -> list[float]:
        a, b, c = ((int(x), int(y)) for x, y in (payload[name] for name in "ABC"))
        if payload["task_type"] == "orthocenter":
            return [float(value) for value in orthocenter(a, b, c)]
        return [angle_at_b(a, b, c) if payload["task_type"] == "angle_measure" else inradius(a, b, c)]

    def check(self, payload: Payload, answer: str) -> Verdict:
        body = text(answer).strip("()[] °").removesuffix("degrees")
        got = [rational(part.strip(" °")) for part in body.split(",")]
        expected = self.exact(payload)
        if len(got) != len(expected):
            raise Unparseable(f"{len(expected)} numbers are asked for, not {len(got)}")
        close = all(abs(a - Fraction(b)) <= TOLERANCE for a, b in zip(got, expected, strict=True))
        return Verdict.correct() if close else Verdict.wrong(f"expected about {expected}")

    def oracle(self, payload: Payload) -> str:
        return ", ".join(f"{value:.3f}" for value in self.exact(payload))
