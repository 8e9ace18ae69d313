"""Tasks on matrices whose answer is a matrix or its elements."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from r1ci_plugin.tasks.answers import Unparseable, json_value, text
from r1ci_plugin.tasks.reasoning_gym.gym import ladder, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item
from r1ci_plugin.tasks.reasoning_gym.mazes import distances
from r1ci_plugin.tasks.reasoning_gym.readers import integer_grid

Matrix = list[list[int]]

GRID_FORM = "The answer is the matrix, one row a line, with spaces between the numbers."


def grid_text(matrix: Matrix) -> str:
    return "\n".join(" ".join(map(str, row)) for row in matrix)


@plain(
    "binary_matrix",
    "Distance of each cell of a matrix to the nearest 0",
    ("math", "spatial", "search"),
    "grid",
    write=grid_text,
    knobs="size 3 to 20, share of zeros 0.4 to 0.05",
    givens="matrix",
    form=GRID_FORM,
    membership="stated",
    configs=[
        {"min_n": low, "max_n": high, "p_zero": zeros}
        for low, high, zeros in [(4, 4, 0.25), (4, 6, 0.25), (6, 9, 0.2), (9, 14, 0.1), (14, 20, 0.05)]
    ],
)
def binary_matrix(matrix: Matrix) -> Matrix:
    cells = {(r, c) for r, row in enumerate(matrix) for c in range(len(row))}
    found = distances([(r, c) for r, c in cells if matrix[r][c] == 0], cells)
    return [[found[r, c] for c in range(len(row))] for r, row in enumerate(matrix)]


@plain(
    "spiral_matrix",
    "Read a matrix in spiral order",
    ("spatial", "order"),
    "integers",
    write=lambda found: " ".join(map(str, found)),
    knobs="size 3 to 15",
    givens="matrix",
    form="The answer is the list of numbers alone.",
    configs=spans(5, n=[(3, 3), (4, 5), (5, 7), (7, 10), (10, 15)]),
)
def spiral_matrix(matrix: Matrix) -> list[int]:
    rows, found = [list(row) for row in matrix], []
    while rows:
        found += rows.pop(0)
        rows = [list(column) for column in zip(*rows, strict=True)][::-1]
    return found


def transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def quarter_turns(matrix: Matrix, degrees: str) -> Matrix:
    for _ in range(int(degrees) // 90 % 4):
        matrix = transposed(matrix[::-1])
    return matrix


def kept(items: list[Any], n: int) -> list[Any]:
    """Without every n-th item."""
    return [item for place, item in enumerate(items, 1) if place % n]


TRANSFORMS: dict[str, Callable[[Matrix, dict[str, Any]], Matrix]] = {
    "rotate": lambda m, o: quarter_turns(m, o["degrees"]),
    "hmirror": lambda m, o: m[::-1],
    "vmirror": lambda m, o: [row[::-1] for row in m],
    "dmirror": lambda m, o: transposed(m),
    "cmirror": lambda m, o: transposed([row[::-1] for row in m[::-1]]),
    "map": lambda m, o: [[o["to"] if x == o["from"] else x for x in row] for row in m],
    "zero_divisible": lambda m, o: [[x if x % o["k"] else 0 for x in row] for row in m],
    "crop": lambda m, o: [row[o["col_start"] - 1 : o["col_end"]] for row in m[o["row_start"] - 1 : o["row_end"]]],
    "remove_every_nth_row": lambda m, o: kept(m, o["n"]),
    "remove_every_nth_col": lambda m, o: [kept(row, o["n"]) for row in m],
}

_MIRRORS = (
    "Rotations are clockwise. To mirror horizontally is to reverse the order of the rows, to mirror vertically is to "
    "reverse each row. "
    "The diagonal leads from the top left to the bottom right, the counterdiagonal from the top right to the bottom "
    "left. "
)


@plain(
    "manipulate_matrix",
    "Apply a chain of transformations to a matrix",
    ("spatial", "logical"),
    "grid",
    write=grid_text,
    knobs="size 2 to 15, 1 to 20 operations",
    givens="matrix operations",
    form=_MIRRORS + GRID_FORM,
    keep=lambda item: len(item.answer) > 4 and set(item.answer.split()) != {"0"},
    configs=[
        {
            "min_rows": low,
            "max_rows": high,
            "min_cols": low,
            "max_cols": high,
            "min_transforms": few,
            "max_transforms": many,
            "w_crop": 0,
            "w_zero_divisible": 0,
        }
        for low, high, few, many in [(3, 4, 1, 2), (3, 6, 2, 4), (5, 8, 4, 8), (7, 10, 8, 12), (10, 15, 12, 20)]
    ],
)
def manipulate_matrix(matrix: Matrix, operations: list[dict[str, Any]]) -> Matrix:
    for operation in operations:
        matrix = TRANSFORMS[operation["transform"]](matrix, operation)
    return matrix


def json_grid(answer: str) -> Matrix:
    """A JSON array of arrays of integers, or rows on lines."""
    if not answer.startswith("["):
        return integer_grid(answer)
    rows = json_value(answer)
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and all(type(cell) is int for cell in row) for row in rows
    ):
        raise Unparseable("not an array of arrays of integers")
    return rows


def life_given(item: Item) -> dict[str, Any]:
    board = item.question[item.question.index("\n[[") :].strip().rstrip(".")
    return {"board": json.loads(board), "steps": item.meta["simulation_steps"]}


@plain(
    "game_of_life",
    "A Game of Life board after some steps",
    ("spatial", "logical"),
    "json",
    reader=json_grid,
    write=json.dumps,
    knobs="size 5 to 14, steps 1 to 6",
    givens=life_given,
    form="The answer is the array of arrays alone.",
    keep=lambda item: item.answer.count("1") > 2,
    configs=ladder(
        grid_size_x=[5, 6, 8, 10, 14],
        grid_size_y=[5, 6, 8, 10, 14],
        filled_cells=[10, 15, 28, 45, 90],
        simulation_steps=[1, 1, 2, 3, 6],
    ),
)
def game_of_life(board: Matrix, steps: int) -> Matrix:
    height, width = len(board), len(board[0])
    for _ in range(steps):
        around = [
            [
                sum(board[(r + i) % height][(c + j) % width] for i in (-1, 0, 1) for j in (-1, 0, 1)) - board[r][c]
                for c in range(width)
            ]
            for r in range(height)
        ]
        board = [
            [int(n == 3 or (n == 2 and cell == 1)) for n, cell in zip(*rows, strict=True)]
            for rows in zip(around, board, strict=True)
        ]
    return board


MARKS = "❌✅"
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "sum": lambda x, y: x + y,
    "diff": lambda x, y: abs(x - y),
    "prod": lambda x, y: x * y,
    "pow": lambda x, y: x**y,
}


def completions(rows: list[str], largest: int) -> set[str]:
    """The grid under every rule that fits all visible cells."""
    cells = [(x, y) for y, row in enumerate(rows) for x in range(len(row))]
    shown = [(x, y, rows[y][x] == MARKS[1]) for x, y in cells if rows[y][x] in MARKS]
    found = set()
    for apply in OPERATIONS.values():
        values = {(x, y): apply(x, y) for x, y in cells}
        for divisor in range(1, largest + 1):
            remainders = {place: value % divisor for place, value in values.items()}
            fits = {remainders[x, y] for x, y, mark in shown if mark}
            targets = fits if fits else set(range(divisor)) - {remainders[x, y] for x, y, _ in shown}
            for target in targets if len(targets) == 1 or not fits else ():
                if all((remainders[x, y] == target) == mark for x, y, mark in shown):
                    found.add(
                        "\n".join(
                            "".join(MARKS[remainders[x, y] == target] for x in range(len(row)))
                            for y, row in enumerate(rows)
                        )
                    )
    return found


def marked_grid(answer: str) -> list[str]:
    rows = ["".join(line.split()) for line in text(answer).splitlines() if line.strip()]
    if not rows or set("".join(rows)) - set(MARKS):
        raise Unparseable(f"not a grid of {MARKS[0]} and {MARKS[1]}")
    return rows


def modulo_given(item: Item) -> dict[str, Any]:
    return {"rows": item.question.split("\n\n", 1)[1].splitlines()}


def hidden_marks(item: Item) -> set[str]:
    """The marks under the holes. Where all are alike, most often crosses, filling in one sign would be an answer."""
    shown = "".join(modulo_given(item)["rows"])
    return {mark for sign, mark in zip(shown, item.answer.replace("\n", ""), strict=True) if sign == "❔"}


@plain(
    "modulo_grid",
    "Find the arithmetic rule of a grid of marks and complete it",
    ("math", "logical"),
    "grid",
    reader=marked_grid,
    chance=0.2,
    knobs="size 8 to 20, holes 3 to 20, divisor up to 5 ... 20",
    givens=modulo_given,
    form="Cells are at column x and row y, both from 0 at the top left. A cell is marked if x + y, |x - y|, x * y or "
    "x ** y (one of the four for "
    "the whole grid, 0 ** 0 being 1) leaves a certain remainder when divided by a certain number of at most 20. "
    "The answer is the completed grid alone.",
    keep=lambda item: hidden_marks(item) == set(MARKS) and completions(modulo_given(item)["rows"], 20) == {item.answer},
    configs=ladder(
        size_x=[8, 10, 12, 16, 20],
        size_y=[8, 10, 12, 16, 20],
        max_holes=[3, 4, 8, 12, 20],
        max_divisor=[5, 8, 12, 16, 20],
        max_target=[4, 7, 11, 15, 19],
    ),
)
def modulo_grid(rows: list[str]) -> str:
    return min(completions(rows, 20))


@plain(
    "rotten_oranges",
    "Minutes until every orange is rotten, or -1",
    ("spatial", "search"),
    "integer",
    chance=0.25,
    knobs="size 4 to 25",
    givens="matrix",
    form="The answer is one integer.",
    configs=[
        {"min_n": low, "max_n": high, "p_oranges": share, "p_rotten": rotten}
        for low, high, share, rotten in [
            (5, 6, 0.85, 0.15),
            (6, 9, 0.9, 0.1),
            (9, 13, 0.9, 0.05),
            (13, 18, 0.9, 0.03),
            (18, 25, 0.9, 0.02),
        ]
    ],
)
def rotten_oranges(matrix: Matrix) -> int:
    oranges = {(r, c) for r, row in enumerate(matrix) for c, cell in enumerate(row) if cell}
    found = distances([(r, c) for r, c in oranges if matrix[r][c] == 2], oranges)
    return max(found.values(), default=0) if len(found) == len(oranges) else -1


@plain(
    "largest_island",
    "Area of the largest island",
    ("spatial", "search"),
    "integer",
    chance=0.08,
    knobs="size 5 to 25, 2 to 20 islands",
    givens="grid",
    form="The answer is one integer.",
    keep=lambda item: item.answer != "0",
    configs=spans(
        5,
        rows=[(5, 6), (6, 8), (8, 12), (12, 18), (18, 25)],
        cols=[(5, 6), (6, 8), (8, 12), (12, 18), (18, 25)],
        num_islands=[(2, 4), (3, 5), (4, 8), (8, 12), (12, 20)],
        island_size=[(1, 8), (1, 12), (2, 20), (4, 30), (5, 50)],
    ),
)
def largest_island(grid: Matrix) -> int:
    land = {(r, c) for r, row in enumerate(grid) for c, cell in enumerate(row) if cell}
    best = 0
    while land:
        island = distances([min(land)], land)
        best, land = max(best, len(island)), land - set(island)
    return best
