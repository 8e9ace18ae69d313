"""Tasks that ask for a sequence of moves: jugs, buttons, disks and knights. Every plan is checked by playing it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from r1ci_plugin.tasks.answers import Unparseable, json_value, lines, text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder
from r1ci_plugin.tasks.reasoning_gym.library import Item
from r1ci_plugin.tasks.reasoning_gym.search import MAX_STATES, explore, plan, shortest

State = tuple[int, ...]

MAX_MOVES = 2_000


class Planning(Gym):
    """A task without stored answer: the plan itself is judged."""

    def stored(self, item: Item) -> Payload:
        return {}


def move_list(answer: str) -> list[str]:
    """A JSON list of texts."""
    moves = json_value(answer)
    if not isinstance(moves, list) or not all(isinstance(move, str) for move in moves) or len(moves) > MAX_MOVES:
        raise Unparseable(f"not a JSON list of at most {MAX_MOVES} texts")
    return moves


def jug_moves(state: State, capacities: list[int]) -> Iterator[tuple[str, State]]:
    """Every move with the amounts after it; a move that changes nothing is legal and left out."""
    names = "ABCDEFG"[: len(capacities)]
    for i, capacity in enumerate(capacities):
        for verb, amount in (("fill", capacity), ("empty", 0)):
            yield f"{verb} {names[i]}", (*state[:i], amount, *state[i + 1 :])
        for j, room in enumerate(capacities):
            if i != j:
                poured = min(state[i], room - state[j])
                after = list(state)
                after[i], after[j] = state[i] - poured, state[j] + poured
                yield f"pour {names[i]}->{names[j]}", tuple(after)


def jug_item(rng: Random, jugs: int, largest: int, low: int, high: int) -> Item:
    while True:
        capacities = sorted(rng.sample(range(3, largest + 1), jugs))
        rng.shuffle(capacities)
        found = explore((0,) * jugs, partial(jug_moves, capacities=capacities))
        depth: dict[int, int] = {}
        for state in found:
            for amount in state:
                if amount not in depth:
                    depth[amount] = len(plan(found, state))
        targets = [amount for amount, steps in depth.items() if low <= steps <= high]
        if targets:
            break
    target = rng.choice(sorted(targets))
    stated = ", ".join(f"{name} holds {capacity}" for name, capacity in zip("ABCDEFG", capacities, strict=False))
    return Item(
        f"You have jugs and a fountain. All jugs are empty to begin with. Jug {stated} litres.\n\n"
        "There are three kinds of move: 'fill A' fills jug A to the brim, 'empty A' empties it, and 'pour A->B' pours "
        "from A into B until A is "
        f"empty or B is full.\n\nFind moves after which some jug holds exactly {target} litres. "
        'The answer is a JSON list of moves, e.g. ["fill A", "pour A->B"].',
        "",
        {"capacities": capacities, "target": target},
    )


@gym(
    "jugs",
    "Measure an amount with jugs",
    ("logical", "order", "search"),
    "plan",
    item=jug_item,
    chance=0.1,
    knobs="2 or 3 jugs of up to 20 ... 30 litres, 2 to 16 moves",
    givens="capacities target",
    max_answer_chars=20_000,
    configs=ladder(jugs=[2, 3, 3, 3, 3], largest=[24, 20, 20, 24, 30], low=[2, 3, 5, 7, 9], high=[6, 5, 7, 9, 16]),
)
class Jugs(Planning):
    """Any plan at whose end a jug holds the amount: a long list of moves passes nearly every amount on its way."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        capacities, state = payload["capacities"], (0,) * len(payload["capacities"])
        for number, move in enumerate(move_list(answer), 1):
            options = dict(jug_moves(state, capacities))
            name = re.sub(r"\s*->\s*", "->", " ".join(move.split()))
            if name not in options:
                return Verdict.wrong(f"move {number} is not a move: {move[:40]!r}")
            state = options[name]
        held = ", ".join(map(str, state))
        return Verdict.correct() if payload["target"] in state else Verdict.wrong(f"at the end the jugs hold {held}")

    def oracle(self, payload: Payload) -> str:
        start = (0,) * len(payload["capacities"])
        return json.dumps(
            shortest(
                start, lambda state: jug_moves(state, payload["capacities"]), lambda state: payload["target"] in state
            )
        )


_VERBS = {"add": "add", "subtract": "subtract", "multiply": "multiply by"}
MAX_VALUE = 2_000


def lock_moves(state: State, buttons: list[list[Any]]) -> Iterator[tuple[str, State]]:
    """The buttons that work in the present light (0 red, 1 green), and the value and light after each."""
    value, light = state
    for name, verb, by, when in buttons:
        if when in ("any", ("red", "green")[light]):
            after = value + by if verb == "add" else value - by if verb == "subtract" else value * by
            if abs(after) <= MAX_VALUE:
                yield name, (after, 1 - light)


def lock_item(rng: Random, count: int, low: int, high: int) -> Item:
    while True:
        buttons: list[list[Any]] = [
            [name, rng.choice(list(_VERBS)), rng.randint(2, 9), rng.choice(("any", "any", "any", "red", "green"))]
            for name in "ABCDE"[:count]
        ]
        if len({(verb, by) for _, verb, by, _ in buttons}) < count:
            continue
        start = rng.randint(0, 9)
        origin: State = (start, 0)
        found = explore(origin, partial(lock_moves, buttons=buttons), limit=3_000)
        first: dict[int, int] = {}
        for value, light in found:
            if value not in first:
                first[value] = len(plan(found, (value, light)))
        targets = [value for value, steps in first.items() if low <= steps <= high]
        if targets:
            break
    target = rng.choice(sorted(targets))
    stated = "\n".join(
        f"{name}: {_VERBS[verb]} {by}" + ("" if when == "any" else f" (only when {when})")
        for name, verb, by, when in buttons
    )
    return Item(
        "In front of you are some buttons, a light, and a number. Pressing a button changes the number and toggles "
        "the light between red and green. "
        "Some buttons can be pressed only when the light has a certain colour.\n\n"
        f"Number: {start}\nLight: red\nTarget: {target}\nButtons:\n{stated}\n\nFind a shortest sequence of presses "
        "that reaches the target; the number "
        f"must stay between {-MAX_VALUE} and {MAX_VALUE}. The answer is the list of buttons, e.g. A, B, A.",
        str(first[target]),
        {"buttons": buttons, "start": start, "target": target},
    )


@gym(
    "quantum_lock",
    "Shortest sequence of buttons to a number",
    ("order", "search", "optimisation"),
    "plan",
    item=lock_item,
    knobs="2 to 4 buttons, 2 to 9 presses",
    givens="buttons start target",
    configs=ladder(count=[3, 3, 3, 4, 4], low=[2, 3, 4, 5, 6], high=[3, 4, 6, 7, 9]),
)
class QuantumLock(Planning):
    """Any sequence of the shortest length; every press must be allowed."""

    def stored(self, item: Item) -> Payload:
        """The length of a shortest sequence, which would take too long to find anew for every answer."""
        return {"answer": item.answer}

    def check(self, payload: Payload, answer: str) -> Verdict:
        presses = re.findall(r"[A-Za-z]+|[^\sA-Za-z,;>→\[\]'\"-]", text(answer))
        best = int(payload["answer"])
        state: State = (payload["start"], 0)
        for number, press in enumerate(presses, 1):
            options = dict(lock_moves(state, payload["buttons"]))
            if press.upper() not in options:
                return Verdict.wrong(f"press {number} is not possible: {press[:20]!r}")
            state = options[press.upper()]
        if state[0] != payload["target"]:
            return Verdict.wrong(f"the number is {state[0]} at the end")
        return (
            Verdict.correct()
            if len(presses) == best
            else Verdict.wrong(f"{best} presses are enough, not only {len(presses)}", 0.5)
        )

    def best(self, payload: Payload) -> list[str]:
        origin: State = (payload["start"], 0)
        found = shortest(
            origin,
            lambda state: lock_moves(state, payload["buttons"]),
            lambda state: state[0] == payload["target"],
        )
        return found or []

    def oracle(self, payload: Payload) -> str:
        return ", ".join(self.best(payload))


def disk_moves(state: State, pegs: int) -> Iterator[tuple[str, State]]:
    """Moves of the top disks; the state holds the peg of every disk, the smallest first."""
    tops = {
        peg: min((disk for disk, place in enumerate(state) if place == peg), default=len(state))
        for peg in range(1, pegs + 1)
    }
    for source, disk in tops.items():
        for target, top in tops.items():
            if disk < top:
                yield (
                    f"Move disk {disk + 1} from Peg {source} to Peg {target}",
                    (*state[:disk], target, *state[disk + 1 :]),
                )


def tower_text(state: State, pegs: int) -> str:
    stacks = [
        [str(disk + 1) for disk in reversed(range(len(state))) if state[disk] == peg] for peg in range(1, pegs + 1)
    ]
    return "\n".join(f"Peg {peg}: {', '.join(stack) or 'empty'}" for peg, stack in enumerate(stacks, 1))


def tower_item(rng: Random, low: int, high: int) -> Item:
    """Any legal arrangement to any other: the classical task alone has few instances."""
    disks, pegs = rng.randint(low, high), rng.randint(3, 4)
    start, goal = (tuple(rng.randint(1, pegs) for _ in range(disks)) for _ in range(2))
    if start == goal:
        return tower_item(rng, low, high)
    return Item(
        f"A Tower of Hanoi has {disks} disks, numbered from 1 (smallest) to {disks} (largest), on {pegs} pegs. One "
        "disk is moved at a time, always the "
        "top one of a peg, and never onto a smaller disk.\n\nNow, each peg from bottom to top:\n"
        f"{tower_text(start, pegs)}\n\nGoal:\n{tower_text(goal, pegs)}\n\n"
        "The answer is the list of moves, one a line, each of the form: Move disk 1 from Peg 2 to Peg 3",
        "",
        {"start": start, "goal": goal, "pegs": pegs},
    )


@gym(
    "tower_of_hanoi",
    "Move the disks of a tower to a goal",
    ("order", "search"),
    "plan",
    item=tower_item,
    knobs="3 to 7 disks",
    givens="start goal pegs",
    max_answer_chars=20_000,
    configs=ladder(low=[3, 4, 5, 6, 7], high=[3, 4, 5, 6, 7]),
)
class TowerOfHanoi(Planning):
    """Any legal sequence of moves that ends at the goal."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        state: State = tuple(payload["start"])
        for number, line in enumerate(lines(text(answer)), 1):
            match = re.fullmatch(r"move disk (\d{1,3}) from peg (\d{1,3}) to peg (\d{1,3})\.?", line.lower())
            if not match or number > MAX_MOVES:
                raise Unparseable(f"line {number} is not of the form Move disk 1 from Peg 2 to Peg 3")
            name = "Move disk {} from Peg {} to Peg {}".format(*match.groups())
            options = dict(disk_moves(state, payload["pegs"]))
            if name not in options:
                return Verdict.wrong(f"move {number} is not legal")
            state = options[name]
        return Verdict.correct() if state == tuple(payload["goal"]) else Verdict.wrong("the goal is not reached")

    def oracle(self, payload: Payload) -> str:
        goal = tuple(payload["goal"])
        return "\n".join(
            shortest(
                tuple(payload["start"]), lambda state: disk_moves(state, payload["pegs"]), lambda state: state == goal
            )
            or []
        )


Knights = tuple[str, str]
"""A letter for each cell in the order of the cells (w, B or .), and the colour that moves next."""


def knight_edges(cells: list[str]) -> dict[int, list[int]]:
    """Which cells, by index, are a knight's move apart."""
    at = [(ord(cell[0]) - 65, int(cell[1:])) for cell in cells]
    return {i: [j for j, (c, d) in enumerate(at) if {abs(a - c), abs(b - d)} == {1, 2}] for i, (a, b) in enumerate(at)}


def knight_moves(state: Knights, cells: list[str], edges: dict[int, list[int]]) -> Iterator[tuple[str, Knights]]:
    board, turn = state
    for i, piece in enumerate(board):
        if piece == turn:
            for j in edges[i]:
                if board[j] == ".":
                    after = list(board)
                    after[i], after[j] = ".", piece
                    yield f"{turn},{cells[i]},{cells[j]}", ("".join(after), "B" if turn == "w" else "w")


def swapped(board: str) -> str:
    return board.translate(str.maketrans("wB", "Bw"))


def knight_way(cells: list[str], board: str, limit: int = MAX_STATES) -> list[str] | None:
    """The moves of a shortest swap, or None if there is none."""
    edges, goal = knight_edges(cells), swapped(board)
    return shortest(
        (board, "w"), lambda state: knight_moves(state, cells, edges), lambda state: state[0] == goal, limit
    )


def board_text(cells: list[str], board: str, columns: int, rows: int) -> str:
    """The board with an empty field for cells that do not exist."""
    lines = ["    " + "   ".join("ABCDEFGH"[:columns])]
    for row in range(rows, 0, -1):
        names = [f"{column}{row}" for column in "ABCDEFGH"[:columns]]
        lines.append(
            f"{row} | " + " | ".join(board[cells.index(name)] if name in cells else " " for name in names) + " |"
        )
    return "\n".join(lines)


def knight_item(rng: Random, columns: int, rows: int, low: int, high: int, pieces: int, impossible: float) -> Item:
    """A board on which a swap takes `low` to `high` moves, or, less often, is impossible.

    `impossible` is the share of the impossible boards that are kept.
    """
    while True:
        every = [f"{column}{row}" for column in "ABCDEFGH"[:columns] for row in range(1, rows + 1)]
        cells = sorted(rng.sample(every, rng.randint(max(6, len(every) - 4), len(every))))
        letters = ["."] * len(cells)
        for place, piece in zip(rng.sample(range(len(cells)), 2 * pieces), "wB" * pieces, strict=True):
            letters[place] = piece
        board = "".join(letters)
        way = knight_way(cells, board, limit=20_000)
        if rng.random() < impossible if way is None else low <= len(way) <= high:
            break
    return Item(
        f"Knight Swap:\n\n{board_text(cells, board, columns, rows)}\n\n'w' is a white knight, 'B' a black knight, '.' "
        "an empty square; fields without "
        "a sign are no squares of the board. Knights move as in chess, only to empty squares. White moves first, then "
        "the colours alternate. The goal: "
        "every square that now holds a white knight holds a black one and the other way round.\n\n"
        'The answer is a JSON list of moves of the form "colour,from,to", e.g. ["w,A1,B3", "B,C2,A1"], or the word No '
        "if it is impossible.",
        "",
        {"cells": cells, "board": board},
    )


@gym(
    "knight_swap",
    "Swap two colours of knights on a small board",
    ("spatial", "order", "search"),
    "plan",
    chance=0.08,
    answer_in_prompt=True,
    item=knight_item,
    knobs="boards 4x3 to 5x3, 1 or 2 knights a colour, 2 to 40 moves",
    givens="cells board",
    max_answer_chars=20_000,
    configs=ladder(
        columns=[4, 5, 4, 4, 5],
        rows=[3, 3, 3, 3, 3],
        low=[2, 2, 4, 8, 6],
        high=[8, 12, 14, 40, 40],
        pieces=[1, 1, 2, 2, 2],
        impossible=[0.04, 0.8, 0.1, 0.1, 0.8],
    ),
)
class KnightSwap(Planning):
    """Any legal sequence that ends in the swap, or No where the search finds that there is none."""

    def way(self, payload: Payload) -> list[str] | None:
        return knight_way(payload["cells"], payload["board"])

    def check(self, payload: Payload, answer: str) -> Verdict:
        if text(answer).lower().rstrip(".") == "no":
            return Verdict.correct() if self.way(payload) is None else Verdict.wrong("it is possible")
        cells, state = payload["cells"], (payload["board"], "w")
        edges = knight_edges(cells)
        for number, move in enumerate(move_list(answer), 1):
            options = dict(knight_moves(state, cells, edges))
            name = move.replace(" ", "")
            if name not in options:
                return Verdict.wrong(f"move {number} is not legal: {move[:40]!r}")
            state = options[name]
        return (
            Verdict.correct() if state[0] == swapped(payload["board"]) else Verdict.wrong("the knights are not swapped")
        )

    def oracle(self, payload: Payload) -> str:
        way = self.way(payload)
        return "No" if way is None else json.dumps(way)
