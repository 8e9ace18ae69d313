"""pooling: the largest or the mean entry of every window of a matrix, stride 1.

Differs from the public set: averages are compared as numbers, rounded to two decimals as asked; there, no answer to
them can be right.
"""

from __future__ import annotations

from fractions import Fraction
from random import Random

from r1ci_plugin.tasks.answers import rational
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task
from r1ci_plugin.tasks.symbench import boards

LEVELS = {1: (3, 2, 9), 2: (4, 2, 20), 3: (6, 3, 50), 4: (8, 3, 99), 5: (11, 4, 999)}
"""Level to the side of the matrix, the side of the window, the largest entry."""
HALF_OF_A_HUNDREDTH = Fraction(1, 200)


def pool(matrix: list[list[int]], window: int, kind: str) -> list[list[Fraction]]:
    """The exact result."""
    size = len(matrix) - window + 1
    windows = [
        [[v for line in matrix[r : r + window] for v in line[c : c + window]] for c in range(size)] for r in range(size)
    ]
    if kind == "max":
        return [[Fraction(max(values)) for values in row] for row in windows]
    return [[Fraction(sum(values), window * window) for values in row] for row in windows]


@task(
    "symbench/pooling",
    summary="Apply max or average pooling to a matrix",
    capabilities=("math", "spatial"),
    answer_kind="grid",
    levels=5,
    knobs="side 3, 4, 6, 8, 11; window 2, 2, 3, 3, 4; entries to 9, 20, 50, 99, 999",
    source="rules of SymBench, written anew",
    family="pooling",
)
class Pooling(Task):
    def generate(self, rng: Random, level: int) -> Draft:
        side, window, largest = LEVELS[level]
        matrix = [[rng.randint(0, largest) for _ in range(side)] for _ in range(side)]
        kind = rng.choice(("max", "average"))
        rounding = " Round averages to two decimals." if kind == "average" else ""
        prompt = (
            f"Apply {kind} pooling with a {window} x {window} window and stride 1, without padding, to the matrix "
            f"below.{rounding} Answer with the rows of the result, one on a line, numbers separated by "
            f"spaces.\n\n{boards.show(matrix)}"
        )
        return Draft(prompt, {"matrix": matrix, "window": window, "kind": kind})

    def check(self, payload: Payload, answer: str) -> Verdict:
        truth = pool(payload["matrix"], payload["window"], payload["kind"])
        cells = [[rational(cell) for cell in row] for row in boards.read(answer, len(truth), len(truth))]
        allowed = HALF_OF_A_HUNDREDTH if payload["kind"] == "average" else 0
        pairs = [
            (got, right) for row, line in zip(cells, truth, strict=True) for got, right in zip(row, line, strict=True)
        ]
        good = sum((100 * got).denominator == 1 and abs(got - right) <= allowed for got, right in pairs)
        share = good / len(pairs)
        return (
            Verdict.correct()
            if good == len(pairs)
            else Verdict.wrong(f"{good} of {len(pairs)} entries are right", share)
        )

    def oracle(self, payload: Payload) -> str:
        exact = pool(payload["matrix"], payload["window"], payload["kind"])
        digits = 2 if payload["kind"] == "average" else 0
        return boards.show([f"{float(value):.{digits}f}" for value in row] for row in exact)
