"""Second opinions on right answers that another question was asked for: is it really right for this one as well?

Some tasks have many right answers, so that the solution of one question may solve the next by luck. For those tasks the
rules are written here a second time, from the words of the prompt alone and without a line of the verifier, and only a
referee's consent excuses such a verdict. Left out: tasks with one right answer, where nothing excuses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from math import prod


def really_right(task: str, prompt: str, answer: str) -> bool:
    """Whether a referee says that the answer solves the question of the prompt. False for tasks without a referee."""
    referee = REFEREES.get(task)
    return referee is not None and referee(prompt, answer)


def jugs(prompt: str, answer: str) -> bool:
    """Play the moves and look for the amount."""
    room = {name: int(litres) for name, litres in re.findall(r"\b([A-Z]) holds ([0-9]+)", prompt)}
    target = int(re.findall(r"holds exactly ([0-9]+) litres", prompt)[0])
    water = dict.fromkeys(room, 0)
    for move in json.loads(answer):
        verb, what = move.split(" ")
        source, _, goal = what.partition("->")
        if verb == "fill":
            water[source] = room[source]
        elif verb == "empty":
            water[source] = 0
        else:
            total = water[source] + water[goal]
            water[goal] = min(total, room[goal])
            water[source] = total - water[goal]
    return target in water.values()


def logic_puzzle(prompt: str, answer: str) -> bool:
    """Lay the chosen values on an empty board and look at its lines."""
    words, _, drawn = prompt.partition("\n\n")
    grid = [[int(cell) for cell in line.split()] for line in drawn.splitlines()]
    pairs = [(int(row), int(column)) for row, column in (pair.split() for pair in answer.split(","))]
    board = [[value if (r, c) in pairs else None for c, value in enumerate(row)] for r, row in enumerate(grid)]
    lines = [[value for value in line if value is not None] for line in [*board, *zip(*board, strict=True)]]
    chosen = [value for row in board for value in row if value is not None]
    wanted = int(re.findall(r"exactly ([0-9]+) different", words)[0])
    if board[0][-1] is None or not wanted == len(pairs) == len(chosen) == len(set(chosen)):
        return False
    most = re.search(r"sum of the chosen values is at most (-?[0-9]+)", words)
    return all(sum(line) <= int(most[1]) if most else prod(line) > 0 for line in lines if line)


def propositional_logic(prompt: str, answer: str) -> bool:
    """Truth tables: the premises together leave no world in which the conclusion fails, and each alone leaves one."""
    premises = [premise.strip() for premise in re.findall(r"^[0-9]+\. (.*)$", prompt, re.MULTILINE)]
    names = sorted(set(re.findall("[A-Z]", " ".join([*premises, answer]))))
    if len(re.findall("[A-Z]", answer)) > 2:
        return False
    fails: list[set[int]] = [set() for _ in premises]
    against = set()
    for world, values in enumerate(product("01", repeat=len(names))):
        facts = str.maketrans(dict(zip(names, values, strict=True)))
        for number, premise in enumerate(premises):
            if _reduced(premise.translate(facts)) == "0":
                fails[number].add(world)
        if _reduced(answer.translate(facts)) == "0":
            against.add(world)
    return against <= set.union(*fails) and not any(against <= failed for failed in fails)


_REWRITES = (
    {"¬0": "1", "¬1": "0", "(0)": "0", "(1)": "1"},
    {"0∧0": "0", "0∧1": "0", "1∧0": "0", "1∧1": "1"},
    {"0∨0": "0", "0∨1": "1", "1∨0": "1", "1∨1": "1"},
    {"0→0": "1", "0→1": "1", "1→0": "0", "1→1": "1"},
    {"0↔0": "1", "0↔1": "0", "1↔0": "0", "1↔1": "1"},
)
"""Strongest sign first."""


@lru_cache(maxsize=10_000)
def _reduced(formula: str) -> str:
    """A formula of zeros and ones, rewritten piece by piece to its value; a weaker sign waits for the stronger ones."""
    text = formula.replace(" ", "")
    while len(text) > 1:
        inner = re.search(r"\([^()]*\)", text)
        piece = inner[0][1:-1] if inner else text
        value = piece
        for rules in _REWRITES:
            while found := next((sign for sign in rules if sign in value), ""):
                at = value.rindex(found) if "→" in found else value.index(found)
                value = value[:at] + rules[found] + value[at + len(found) :]
        if len(value) != 1:
            raise ValueError(f"not a formula: {formula}")
        text = text.replace(inner[0], value, 1) if inner else value
    return text


REFEREES: dict[str, Callable[[str, str], bool]] = {
    "reasoning_gym/jugs": jugs,
    "reasoning_gym/propositional_logic": propositional_logic,
    "symbench/logic_puzzle": logic_puzzle,
}
