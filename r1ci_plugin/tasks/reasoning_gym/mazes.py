"""Tasks on ways through grids, and the breadth-first search they share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Set

from r1ci_plugin.tasks.answers import text, words
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item

Cell = tuple[int, int]

STEPS: dict[str, Cell] = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def neighbours(cell: Cell) -> list[Cell]:
    return [(cell[0] + dr, cell[1] + dc) for dr, dc in STEPS.values()]


def distances(sources: Iterable[Cell], cells: Set[Cell]) -> dict[Cell, int]:
    """Steps from the nearest source to every cell that can be reached through `cells`."""
    found = dict.fromkeys(sources, 0)
    queue = deque(found)
    while queue:
        cell = queue.popleft()
        for other in neighbours(cell):
            if other in cells and other not in found:
                found[other] = found[cell] + 1
                queue.append(other)
    return found


def places(rows: list[str] | list[list[str]], sign: str) -> list[Cell]:
    return [(r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if cell == sign]


@plain(
    "maze",
    "Length of the shortest way through a maze",
    ("spatial", "search"),
    "integer",
    chance=0.28,
    knobs="size 6 to 25, distance 3 to 40",
    givens="grid start goal wall",
    form="A step goes up, down, left or right. The answer is one integer.",
    configs=spans(
        5, grid_size=[(6, 7), (7, 9), (9, 12), (12, 18), (18, 25)], dist=[(3, 8), (4, 12), (5, 18), (8, 28), (10, 40)]
    ),
)
def maze(grid: list[str], start: str, goal: str, wall: str) -> int:
    cells = {(r, c) for r, row in enumerate(grid) for c, cell in enumerate(row) if cell != wall}
    return distances(places(grid, start), cells)[places(grid, goal)[0]]


@gym(
    "shortest_path",
    "Directions of a shortest way through a grid, or infeasible",
    ("spatial", "search"),
    "sequence",
    chance=0.08,
    knobs="size 4 to 20, share of blocked cells 0.2 to 0.35",
    givens="matrix",
    form="The answer is the list of directions (up, down, left, right) alone, or the word infeasible.",
    configs=[
        {"min_rows": low, "max_rows": high, "min_cols": low, "max_cols": high, "p_blocked": blocked}
        for low, high, blocked in [(4, 5, 0.2), (5, 7, 0.25), (7, 10, 0.3), (10, 15, 0.3), (15, 20, 0.33)]
    ],
)
class ShortestPath(Gym):
    """Any way of the shortest length is right; a longer one is wrong."""

    def keep(self, item: Item) -> bool:
        """Of the questions without a way, which are a fifth of the large grids, one of two is kept."""
        return self.shortest(item.meta["matrix"]) is not None or item.meta["source_index"] % 2 == 0

    def stored(self, item: Item) -> Payload:
        return {}

    def shortest(self, matrix: list[list[str]]) -> list[str] | None:
        """The directions of one shortest way, or None: from the start, always to a cell that is nearer to the goal."""
        cells = {(r, c) for r, row in enumerate(matrix) for c, cell in enumerate(row) if cell != "X"}
        left = distances(places(matrix, "#"), cells)
        place, way = places(matrix, "*")[0], []
        if place not in left:
            return None
        while left[place]:
            name, place = next(
                (name, cell)
                for name, (dr, dc) in STEPS.items()
                if left.get(cell := (place[0] + dr, place[1] + dc), -1) == left[place] - 1
            )
            way.append(name)
        return way

    def check(self, payload: Payload, answer: str) -> Verdict:
        matrix, body = payload["matrix"], text(answer).lower()
        shortest = self.shortest(matrix)
        if shortest is None or body == "infeasible":
            return Verdict.compare(body, "infeasible" if shortest is None else " ".join(shortest))
        place = places(matrix, "*")[0]
        moves = words(body)
        for number, name in enumerate(moves, 1):
            if name not in STEPS:
                return Verdict("unparseable", f"{name!r} is not a direction")
            place = (place[0] + STEPS[name][0], place[1] + STEPS[name][1])
            if (
                not (0 <= place[0] < len(matrix) and 0 <= place[1] < len(matrix[0]))
                or matrix[place[0]][place[1]] == "X"
            ):
                return Verdict.wrong(f"step {number} leads off the open cells")
        if matrix[place[0]][place[1]] != "#":
            return Verdict.wrong("the way does not end at the destination")
        if len(moves) > len(shortest):
            return Verdict.wrong(f"a way of {len(shortest)} steps is possible, not only {len(moves)}", 0.5)
        return Verdict.correct()

    def oracle(self, payload: Payload) -> str:
        way = self.shortest(payload["matrix"])
        return "infeasible" if way is None else " ".join(way)
