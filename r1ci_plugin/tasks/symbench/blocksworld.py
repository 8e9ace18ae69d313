"""blocksworld: move blocks from stack to stack until every stack is as wanted.

Differs from the public set: start and goal always differ, and any legal plan within the stated number of moves is
right.
"""

from __future__ import annotations

import re
import string
from random import Random

from r1ci_plugin.tasks.answers import Unparseable, lines
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task

LEVELS = {1: (3, 3), 2: (5, 3), 3: (7, 4), 4: (10, 5), 5: (15, 6)}
"""Level to the number of blocks and of stacks."""
MOVES_PER_BLOCK = 20
Stacks = list[list[str]]
Move = tuple[str, int, int]
"""Block, from stack, to stack; stacks counted from 0."""

_MOVE = re.compile(r"(?:move )?(?:block )?([a-z]) from (?:stack ?)?([0-9]{1,3}) to (?:stack ?)?([0-9]{1,3})\.?")


def plan(start: Stacks, goal: Stacks) -> list[Move]:
    """Moves from start to goal, for three stacks or more: one goal stack after the other is cleared and built from the
    bottom, other blocks waiting on the remaining stacks, also on top of finished ones."""
    stacks = [list(stack) for stack in start]
    moves: list[Move] = []

    def move(source: int, target: int) -> None:
        moves.append((stacks[source][-1], source, target))
        stacks[target].append(stacks[source].pop())

    for target, wanted in enumerate(goal):
        ready = 0
        while ready < len(wanted) and stacks[target][ready : ready + 1] == [wanted[ready]]:
            ready += 1
        while len(stacks[target]) > ready:
            move(target, _shortest(stacks, {target}))
        for block in wanted[ready:]:
            source = next(n for n, stack in enumerate(stacks) if block in stack)
            while stacks[source][-1] != block:
                move(source, _shortest(stacks, {source, target}))
            move(source, target)
    return moves


def _shortest(stacks: Stacks, forbidden: set[int]) -> int:
    """The stack of least height among the allowed ones, the last of them if there are several."""
    return min((n for n in range(len(stacks)) if n not in forbidden), key=lambda n: (len(stacks[n]), -n))


def simulate(start: Stacks, moves: list[Move]) -> Stacks | str:
    """The stacks after the moves, or why a move is not legal."""
    stacks = [list(stack) for stack in start]
    for number, (block, source, target) in enumerate(moves, start=1):
        if not (0 <= source < len(stacks) and 0 <= target < len(stacks)):
            return f"move {number}: there is no such stack"
        if source == target:
            return f"move {number}: block {block} does not go to another stack"
        if stacks[source][-1:] != [block]:
            return f"move {number}: block {block} is not on top of stack {source + 1}"
        stacks[source].pop()
        stacks[target].append(block)
    return stacks


def show(stacks: Stacks) -> str:
    return "\n".join(f"stack {n}: {' '.join(stack) or '(empty)'}" for n, stack in enumerate(stacks, start=1))


@task(
    "symbench/blocksworld",
    summary="Move blocks between stacks to a goal",
    capabilities=("order", "optimisation", "search"),
    answer_kind="plan",
    levels=5,
    max_answer_chars=20_000,
    knobs="blocks 3, 5, 7, 10, 15; stacks 3, 3, 4, 5, 6",
    source="rules of the blocks world",
    family="blocksworld",
    membership="stated",
)
class Blocksworld(Task):
    def generate(self, rng: Random, level: int) -> Draft:
        count, stack_count = LEVELS[level]
        blocks = sorted(rng.sample(string.ascii_uppercase, count))
        start: Stacks = []
        goal: Stacks = []
        while start == goal:
            start = self._stacks(rng, blocks, stack_count, stack_count)
            goal = self._stacks(rng, blocks, stack_count, rng.randint(1, stack_count - 1))
        cap = MOVES_PER_BLOCK * count
        prompt = (
            f"Blocks stand in {stack_count} stacks, listed from bottom to top. A move takes the top block of one stack "
            f"and puts it on top of another stack, which may be empty. Give at most {cap} moves that lead from the "
            "start to the goal. Answer with one move on a line, in the form Move B from 2 to 1, where the numbers are "
            f"stacks.\n\nStart:\n{show(start)}\n\nGoal:\n{show(goal)}"
        )
        return Draft(prompt, {"start": start, "goal": goal, "cap": cap})

    def _stacks(self, rng: Random, blocks: list[str], count: int, used: int) -> Stacks:
        """The blocks in random order on the first `used` of the stacks."""
        stacks: Stacks = [[] for _ in range(count)]
        for block in rng.sample(blocks, len(blocks)):
            stacks[rng.randrange(used)].append(block)
        return stacks

    def check(self, payload: Payload, answer: str) -> Verdict:
        moves = [self._read(line) for line in lines(answer)]
        if len(moves) > payload["cap"]:
            return Verdict.wrong(f"{len(moves)} moves, at most {payload['cap']} are allowed")
        final = simulate(payload["start"], moves)
        if isinstance(final, str):
            return Verdict.wrong(final)
        return Verdict.correct() if final == payload["goal"] else Verdict.wrong("the plan does not reach the goal")

    def _read(self, line: str) -> Move:
        match = _MOVE.fullmatch(" ".join(line.lower().split()))
        if not match:
            raise Unparseable(f"not a move: {line.strip()[:60]!r}")
        return match[1].upper(), int(match[2]) - 1, int(match[3]) - 1

    def oracle(self, payload: Payload) -> str:
        moves = plan(payload["start"], payload["goal"])
        return "\n".join(f"Move {block} from {source + 1} to {target + 1}" for block, source, target in moves)

    def drawing(self, payload: Payload) -> str:
        height = max(map(len, payload["start"]))
        levels = [" ".join((stack[n] if n < len(stack) else " ") for stack in payload["start"]) for n in range(height)]
        return "\n".join([*reversed(levels), " ".join("=" for _ in payload["start"])])
