"""logic_puzzle: choose cells of a grid under a rule for every row and column.

Differs from the public set: cells must be different and in the grid, their values distinct, the named cell chosen; the
public verifier accepts one cell chosen k times, and some of its stored solutions break the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from random import Random

from r1ci_plugin.tasks.answers import Unparseable, integers
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task
from r1ci_plugin.tasks.symbench import boards

LEVELS = {1: (3, 3, 5), 2: (4, 5, 9), 3: (5, 8, 15), 4: (7, 14, 30), 5: (10, 25, 60)}
"""Level to the side of the grid, how many cells to choose, and the largest magnitude of a value."""
LARGEST_SUM = 4
RULES = {
    "sum": f"in every row and every column the sum of the chosen values is at most {LARGEST_SUM}",
    "product": "in every row and every column with chosen cells the product of the chosen values is greater than 0",
}
Cell = tuple[int, int]


def lines_hold(grid: list[list[int]], cells: list[Cell], rule: str) -> bool:
    """Whether every row and every column with chosen cells obeys the rule."""
    side = range(len(grid))
    lines = [[grid[r][c] for r, c in cells if r == n] for n in side] + [
        [grid[r][c] for r, c in cells if c == n] for n in side
    ]
    if rule == "sum":
        return all(sum(line) <= LARGEST_SUM for line in lines)
    return all(prod(line) > 0 for line in lines if line)


def choose(grid: list[list[int]], count: int, rule: str) -> list[Cell] | None:
    """Cells that obey all the rules, found greedily from a few beginnings; None if no beginning leads to enough
    cells."""
    for chosen in _beginnings(grid, rule):
        used = {grid[r][c] for r, c in chosen}
        cells = [(r, c) for r, row in enumerate(grid) for c in range(len(row)) if (r, c) not in chosen]
        if rule == "product":
            cells = [cell for cell in cells if grid[cell[0]][cell[1]] > 0]
        for cell in sorted(cells, key=lambda place: grid[place[0]][place[1]]):
            if len(chosen) < count and grid[cell[0]][cell[1]] not in used:
                chosen.append(cell)
                used.add(grid[cell[0]][cell[1]])
                if not lines_hold(grid, chosen, rule) and grid[cell[0]][cell[1]] > 0:
                    used.discard(grid[cell[0]][cell[1]])
                    chosen.pop()
        if len(chosen) == count and len(used) == count and lines_hold(grid, chosen, rule):
            return chosen
    return None


def _beginnings(grid: list[list[int]], rule: str) -> Iterator[list[Cell]]:
    """The forced top-right cell; for products with a negative one, the rectangles of negative values that have it as a
    corner."""
    last = len(grid) - 1
    if rule == "sum" or grid[0][last] > 0:
        yield [(0, last)]
        return
    for row in range(1, last + 1):
        for column in range(last):
            corners = [(0, last), (0, column), (row, last), (row, column)]
            values = [grid[r][c] for r, c in corners]
            if max(values) < 0 and len(set(values)) == len(values):
                yield corners


@task(
    "symbench/logic_puzzle",
    summary="Choose cells whose rows and columns obey a rule",
    capabilities=("math", "logical", "search"),
    answer_kind="sequence",
    levels=5,
    chance=0.12,
    knobs="side 3, 4, 5, 7, 10; cells 3, 5, 8, 14, 25",
    source="rules of SymBench, written anew",
    family="logic_puzzle",
)
class LogicPuzzle(Task):
    def generate(self, rng: Random, level: int) -> Draft:
        side, count, largest = LEVELS[level]
        rule = rng.choice(sorted(RULES))
        values = [value for value in range(-largest, largest + 1) if value]
        grid: list[list[int]] = []
        while not grid or choose(grid, count, rule) is None:
            grid = [rng.choices(values, k=side) for _ in range(side)]
        prompt = (
            f"Choose exactly {count} different cells of the grid below. The cell in the top right corner must be "
            "chosen, all chosen values must "
            f'be different, and {RULES[rule]}. Answer with the chosen cells as pairs "row column" counted from 0 from '
            f"the top left, separated by commas, such as 0 1, 2 0, and so on.\n\n{boards.show(grid)}"
        )
        return Draft(prompt, {"grid": grid, "count": count, "rule": rule})

    def check(self, payload: Payload, answer: str) -> Verdict:
        grid, side, count = payload["grid"], len(payload["grid"]), payload["count"]
        numbers = integers(answer)
        if len(numbers) != 2 * count:
            raise Unparseable(f"{len(numbers)} numbers instead of {count} pairs")
        cells = list(zip(numbers[::2], numbers[1::2], strict=True))
        if any(not (0 <= row < side and 0 <= column < side) for row, column in cells):
            return Verdict.wrong("a cell is not in the grid")
        if (0, side - 1) not in cells:
            return Verdict.wrong("the top right cell is not chosen")
        if len({grid[row][column] for row, column in cells}) < count:
            return Verdict.wrong("a value is chosen twice")
        return (
            Verdict.correct()
            if lines_hold(grid, cells, payload["rule"])
            else Verdict.wrong("a row or column breaks the rule")
        )

    def oracle(self, payload: Payload) -> str:
        cells = choose(payload["grid"], payload["count"], payload["rule"])
        if cells is None:
            raise ValueError("no choice found")
        return ", ".join(f"{row} {column}" for row, column in sorted(cells))
