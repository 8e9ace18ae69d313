"""boxnet: robots, one in each cell of a grid, bring coloured boxes to their targets.

Differs from the public set: cells have whole coordinates, all moves of a step are judged from the state before it, an
illegal move makes the plan wrong instead of being left out, and a box moves one cell a step.
"""

from __future__ import annotations

import json
import re
from random import Random

from r1ci_plugin.tasks.answers import Unparseable, json_value
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task

LEVELS = {1: (2, 2, 2), 2: (2, 3, 3), 3: (3, 3, 4), 4: (4, 4, 6), 5: (4, 8, 9)}
"""Level to the rows, the columns and the number of boxes."""
COLOURS = ("red", "blue", "green", "yellow", "purple", "orange", "white", "black", "brown", "pink")
Cell = list[int]
Places = dict[str, Cell]
"""Colour to cell."""
Step = dict[str, str]

_ROBOT = re.compile(r"robot\[([0-9]{1,3}),([0-9]{1,3})\]")
_MOVE = re.compile(r"move\(box_([a-z]{1,10}),(?:square\[([0-9]{1,3}),([0-9]{1,3})\]|target_([a-z]{1,10}))\)")


def robot(cell: Cell) -> str:
    return f"robot[{cell[0]}, {cell[1]}]"


def carry(colour: str, to: Cell | None) -> str:
    """The text of a move to a cell, or onto the target."""
    return f"move(box_{colour}, {f'square[{to[0]}, {to[1]}]' if to else f'target_{colour}'})"


def solve(boxes: Places, targets: Places) -> list[Step]:
    """Steps in which every robot carries the first box of its cell towards its target, along the rows first."""
    boxes = {colour: list(cell) for colour, cell in boxes.items()}
    steps: list[Step] = []
    while boxes:
        step: Step = {}
        after: Places = {}
        for colour, cell in boxes.items():
            to = _towards(cell, targets[colour])
            if robot(cell) in step:
                after[colour] = cell
                continue
            step[robot(cell)] = carry(colour, to)
            if to:
                after[colour] = to
        steps.append(step)
        boxes = after
    return steps


def _towards(cell: Cell, target: Cell) -> Cell | None:
    for axis in (0, 1):
        if cell[axis] != target[axis]:
            to = list(cell)
            to[axis] += 1 if target[axis] > cell[axis] else -1
            return to
    return None


def limit(boxes: Places, targets: Places) -> int:
    """The steps of a plan that carries one box after the other: always enough."""
    return sum(abs(cell[0] - targets[c][0]) + abs(cell[1] - targets[c][1]) + 1 for c, cell in boxes.items())


@task(
    "symbench/boxnet",
    summary="Bring boxes to targets with a robot in every cell",
    capabilities=("spatial", "order", "optimisation", "search"),
    answer_kind="json",
    levels=5,
    max_answer_chars=20_000,
    knobs="grid 2x2, 2x3, 3x3, 4x4, 4x8; boxes 2, 3, 4, 6, 9",
    source="rules of BoxNet, written anew",
    family="boxnet",
)
class Boxnet(Task):
    def generate(self, rng: Random, level: int) -> Draft:
        rows, columns, count = LEVELS[level]
        colours = rng.sample(COLOURS, count)
        boxes, targets = (
            {colour: [rng.randrange(rows), rng.randrange(columns)] for colour in colours} for _ in range(2)
        )
        payload = {"rows": rows, "columns": columns, "boxes": boxes, "targets": targets}
        example = json.dumps(
            [{"robot[0, 0]": "move(box_grey, square[0, 1])"}, {"robot[0, 1]": "move(box_grey, target_grey)"}]
        )
        prompt = (
            f"A grid has {rows} rows and {columns} columns; [row, column] counts from 0. In every cell stands a robot "
            "that does at most one move a step, with a box that is in its cell: it carries the box to a cell directly "
            "above, below, left or right, or, if the box's target is in the same cell, puts the box onto the target, "
            "where both disappear. All moves of a step happen together, from the state before the step. Bring all "
            f"boxes to the targets of their colour in at most {limit(boxes, targets)} steps. Answer with a JSON list "
            f"of steps, each an object from robots to moves, such as {example}\n\n{self._situation(payload)}"
        )
        return Draft(prompt, payload)

    def _situation(self, payload: Payload) -> str:
        """Boxes, targets, and what every robot can do at first."""
        boxes, targets = payload["boxes"], payload["targets"]
        lines = [
            f"box_{colour} is in {cell}, target_{colour} is in {targets[colour]}" for colour, cell in boxes.items()
        ]
        for cell in sorted({tuple(cell) for cell in boxes.values()}):
            moves = [
                move
                for colour, at in boxes.items()
                if tuple(at) == cell
                for move in self._moves(payload, colour, list(cell))
            ]
            lines.append(f"{robot(list(cell))} can first do one of: {', '.join(moves)}")
        return "\n".join(lines)

    def _moves(self, payload: Payload, colour: str, cell: Cell) -> list[str]:
        row, column = cell
        around = [[row - 1, column], [row + 1, column], [row, column - 1], [row, column + 1]]
        inside = [to for to in around if 0 <= to[0] < payload["rows"] and 0 <= to[1] < payload["columns"]]
        return [carry(colour, to) for to in inside] + (
            [carry(colour, None)] if payload["targets"][colour] == cell else []
        )

    def check(self, payload: Payload, answer: str) -> Verdict:
        steps = json_value(answer)
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise Unparseable("not a JSON list of objects")
        most = limit(payload["boxes"], payload["targets"])
        if len(steps) > most:
            return Verdict.wrong(f"{len(steps)} steps, at most {most} are allowed")
        boxes = {colour: list(cell) for colour, cell in payload["boxes"].items()}
        for number, step in enumerate(steps, start=1):
            found = self._do(payload, boxes, step)
            if found:
                return Verdict.wrong(f"step {number}: {found}")
        delivered = 1 - len(boxes) / len(payload["boxes"])
        return Verdict.wrong(f"{len(boxes)} boxes are not delivered", delivered) if boxes else Verdict.correct()

    def _do(self, payload: Payload, boxes: Places, step: dict[str, object]) -> str:
        """Carry out one step in place. Returns what is wrong with it, if anything."""
        moves = [self._read(name, move) for name, move in step.items()]
        if len({tuple(cell) for cell, _, _ in moves}) < len(moves):
            return "a robot has two moves"
        before = dict(boxes)
        for cell, colour, to in moves:
            if before.get(colour) != cell:
                return f"box_{colour} is not in the cell of {robot(cell)}"
            if carry(colour, to) not in self._moves(payload, colour, cell):
                return f"{robot(cell)} cannot {carry(colour, to)}"
            if to:
                boxes[colour] = to
            else:
                del boxes[colour]
        return ""

    def _read(self, name: str, move: object) -> tuple[Cell, str, Cell | None]:
        """Cell of the robot, colour of the box, cell it is carried to (None: its target)."""
        who = _ROBOT.fullmatch("".join(name.lower().split()))
        what = _MOVE.fullmatch("".join(str(move).lower().split()))
        if not who or not what:
            raise Unparseable(f"not a robot and its move: {name[:40]!r}, {str(move)[:60]!r}")
        colour, row, column, target = what.groups()
        if target and target != colour:
            raise Unparseable(f"box_{colour} has no target_{target}")
        return [int(who[1]), int(who[2])], colour, None if target else [int(row), int(column)]

    def oracle(self, payload: Payload) -> str:
        return json.dumps(solve(payload["boxes"], payload["targets"]))

    def drawing(self, payload: Payload) -> str:
        def cell(row: int, column: int) -> str:
            boxes = [colour[:2] for colour, at in payload["boxes"].items() if at == [row, column]]
            targets = [f"({colour[:2]})" for colour, at in payload["targets"].items() if at == [row, column]]
            return " ".join(boxes + targets) or "."

        rows = [[cell(row, column) for column in range(payload["columns"])] for row in range(payload["rows"])]
        width = max(len(text) for row in rows for text in row)
        return "\n".join(" | ".join(text.ljust(width) for text in row) for row in rows)
