"""Grid puzzles in which every row and column holds each number once."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from r1ci_plugin.tasks.answers import Unparseable, text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item
from r1ci_plugin.tasks.reasoning_gym.matrices import Matrix, grid_text
from r1ci_plugin.tasks.reasoning_gym.readers import integer_grid

Pair = tuple[tuple[int, int], tuple[int, int]]
"""Two neighbouring cells (row, column), the first of which holds the smaller number."""


def completions(grid: Matrix, smaller: list[Pair], box: int = 0) -> Iterator[Matrix]:
    """All ways to fill the zeros of a grid, always at the cell with the fewest candidates."""
    size = len(grid)
    open_cells = [(r, c) for r in range(size) for c in range(size) if not grid[r][c]]
    if not open_cells:
        yield [list(row) for row in grid]
        return
    options = {cell: candidates(grid, smaller, box, cell) for cell in open_cells}
    r, c = min(open_cells, key=lambda cell: len(options[cell]))
    for number in options[r, c]:
        grid[r][c] = number
        yield from completions(grid, smaller, box)
    grid[r][c] = 0


def candidates(grid: Matrix, smaller: list[Pair], box: int, cell: tuple[int, int]) -> list[int]:
    """Numbers that a cell may hold next to what is filled."""
    size, (r, c) = len(grid), cell
    used = set(grid[r]) | {row[c] for row in grid}
    if box:
        used |= {
            grid[i][j] for i in range(r - r % box, r - r % box + box) for j in range(c - c % box, c - c % box + box)
        }
    low, high = 1, size
    for (a, b), (x, y) in smaller:
        if (a, b) == cell:
            high = min(high, (grid[x][y] or size + 1) - 1)
        elif (x, y) == cell:
            low = max(low, (grid[a][b] or 0) + 1)
    return [number for number in range(low, high + 1) if number not in used]


def unique(grid: Matrix, smaller: list[Pair]) -> bool:
    found = completions([list(row) for row in grid], smaller)
    return next(found, None) is not None and next(found, None) is None


def random_square(rng: Random, size: int) -> Matrix:
    """A cyclic Latin square with rows, columns and numbers shuffled."""
    rows, cols, names = (rng.sample(range(size), size) for _ in range(3))
    return [[names[(r + c) % size] + 1 for c in cols] for r in rows]


def futoshiki_item(rng: Random, size: int, signs: int, least: int) -> Item:
    """Signs from a random square, then numbers taken away while the solution stays unique, down to `least` of them."""
    square = random_square(rng, size)
    places = [(r, c) for r in range(size) for c in range(size)]
    joins = [
        ((r, c), (r + dr, c + dc)) for r, c in places for dr, dc in ((0, 1), (1, 0)) if r + dr < size and c + dc < size
    ]
    smaller = [(a, b) if square[a[0]][a[1]] < square[b[0]][b[1]] else (b, a) for a, b in rng.sample(joins, signs)]
    puzzle, left = [list(row) for row in square], size * size
    for r, c in rng.sample(places, len(places)):
        kept, puzzle[r][c] = puzzle[r][c], 0
        if left - 1 < least or not unique(puzzle, smaller):
            puzzle[r][c] = kept
        else:
            left -= 1
    return Item(
        f"Solve this {size}x{size} Futoshiki puzzle: every row and every column must hold each number from 1 to "
        f"{size} exactly once, and the signs "
        "between neighbouring cells must be right (< and > between cells of a row; between rows, ∧ means that the "
        "upper number is smaller, ∨ that it is "
        f"larger). Blanks are _.\n\n{drawn(puzzle, smaller)}\n\nThe answer is the completed grid of numbers, one row "
        "a line, without the signs.",
        "",
        {"puzzle": puzzle, "smaller": smaller},
    )


def drawn(puzzle: Matrix, smaller: list[Pair]) -> str:
    """The grid with its signs between the cells."""
    size, lines = len(puzzle), []
    for r in range(size):
        across = [sign_between(smaller, (r, c), (r, c + 1), "<>") for c in range(size - 1)]
        lines.append(
            "".join(f"{cell or '_'} {sign} " for cell, sign in zip(puzzle[r], [*across, ""], strict=True)).rstrip()
        )
        if r < size - 1:
            lines.append("   ".join(sign_between(smaller, (r, c), (r + 1, c), "∧∨") for c in range(size)).rstrip())
    return "\n".join(lines)


def sign_between(smaller: list[Pair], a: tuple[int, int], b: tuple[int, int], signs: str) -> str:
    return signs[0] if (a, b) in smaller else signs[1] if (b, a) in smaller else " "


class LatinGrid(Gym):
    """Judged by its rules, so that every completion would be right; the generators see to it that there is one."""

    box = 0

    def stored(self, item: Item) -> Payload:
        return {}

    def pairs(self, payload: Payload) -> list[Pair]:
        found: list[Any] = payload.get("smaller", [])
        return [((a[0], a[1]), (b[0], b[1])) for a, b in found]

    def check(self, payload: Payload, answer: str) -> Verdict:
        puzzle, rows = payload["puzzle"], [line for line in text(answer).splitlines() if any(c.isdigit() for c in line)]
        got = integer_grid("\n".join(line.replace("<", " ").replace(">", " ") for line in rows))
        size = len(puzzle)
        if [len(row) for row in got] == [size**2]:
            got = [got[0][start : start + size] for start in range(0, size**2, size)]
        if len(got) != size or len(got[0]) != size:
            raise Unparseable(f"not a grid of {size} rows of {size} numbers")
        if self.holds(payload, got):
            return Verdict.correct()
        solution = next(completions([list(row) for row in puzzle], self.pairs(payload), self.box))
        share = sum(a == b for pair in zip(got, solution, strict=True) for a, b in zip(*pair, strict=True)) / size**2
        return Verdict.wrong("a rule is broken or a given number changed", 0.9 * share)

    def holds(self, payload: Payload, got: Matrix) -> bool:
        """Whether taking away any one number leaves it as a candidate, and the givens stand."""
        for r, row in enumerate(payload["puzzle"]):
            for c, given in enumerate(row):
                number = got[r][c]
                rest = [[0 if (i, j) == (r, c) else cell for j, cell in enumerate(line)] for i, line in enumerate(got)]
                if (given and given != number) or number not in candidates(rest, self.pairs(payload), self.box, (r, c)):
                    return False
        return True

    def oracle(self, payload: Payload) -> str:
        return grid_text(next(completions([list(row) for row in payload["puzzle"]], self.pairs(payload), self.box)))


@gym(
    "futoshiki",
    "Latin square with inequalities",
    ("logical", "search"),
    "grid",
    item=futoshiki_item,
    knobs="size 4 to 7, fewer numbers given",
    givens="puzzle smaller",
    configs=ladder(size=[4, 4, 5, 6, 7], signs=[4, 5, 8, 12, 16], least=[8, 4, 7, 12, 18]),
)
class Futoshiki(LatinGrid):
    """The library's generator may take several seconds for one question; this one is bounded by the numbers left."""


@gym(
    "mini_sudoku",
    "4x4 sudoku",
    ("logical", "search"),
    "grid",
    knobs="5 to 12 blanks",
    givens="puzzle",
    form="The answer is the completed grid.",
    configs=spans(5, empty=[(5, 6), (7, 8), (8, 9), (9, 10), (11, 12)]),
)
class MiniSudoku(LatinGrid):
    """Rows, columns and 2x2 boxes."""

    box = 2

    def prompt(self, item: Item) -> str:
        rows = enumerate(item.meta["puzzle"], 1)
        blanks = ", ".join(f"({r}, {c})" for r, row in rows for c, cell in enumerate(row, 1) if not cell)
        return f"{super().prompt(item)} Its blanks are, as (row, column): {blanks}."
