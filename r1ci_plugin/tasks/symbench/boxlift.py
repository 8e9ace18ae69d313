"""boxlift: lift boxes with teams of lifters in a limited number of steps.

The limit is what a greedy plan needs, so a plan within it exists. Differs from the public set: an illegal team makes
the whole answer wrong, a lifter counts once, plans beyond the limit are wrong rather than cut, and no box is too heavy
for all lifters together.
"""

from __future__ import annotations

import re
from collections import Counter
from random import Random

from r1ci_plugin.tasks.answers import Unparseable, json_value
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task

LEVELS = {1: (3, 2), 2: (8, 3), 3: (14, 4), 4: (22, 5), 5: (32, 7)}
"""Level to the number of boxes and of lifters."""
Step = list[tuple[int, list[int]]]
"""What is lifted together: weight of a box and lifters, counted from 0."""

_PREFIX = re.compile(r"\s*(?:step\s?[0-9]{1,3}\s?[:.])?", re.IGNORECASE)


def greedy(weights: list[int], capacities: list[int]) -> list[Step]:
    """Steps in which, from the heaviest waiting box to the lightest, each takes free lifters in their order until they
    suffice."""
    waiting = sorted(weights, reverse=True)
    steps: list[Step] = []
    while waiting:
        free = list(range(len(capacities)))
        step: Step = []
        for weight in list(waiting):
            team: list[int] = []
            for lifter in free:
                if sum(capacities[n] for n in team) < weight:
                    team.append(lifter)
            if sum(capacities[n] for n in team) >= weight:
                free = [lifter for lifter in free if lifter not in team]
                waiting.remove(weight)
                step.append((weight, team))
        steps.append(step)
    return steps


def fault(weights: list[int], capacities: list[int], steps: list[Step]) -> str:
    """Why a plan is not right; empty if it is."""
    waiting = Counter(weights)
    for number, step in enumerate(steps, start=1):
        lifters = [lifter for _, team in step for lifter in team]
        if any(not 0 <= lifter < len(capacities) for lifter in lifters):
            return f"step {number}: there is no such lifter"
        if len(set(lifters)) < len(lifters):
            return f"step {number}: a lifter is used twice"
        for weight, team in step:
            if waiting[weight] == 0:
                return f"step {number}: no box of weight {weight} is left"
            if sum(capacities[lifter] for lifter in team) < weight:
                return f"step {number}: the team for the box of weight {weight} is too weak"
            waiting[weight] -= 1
    left = sum(waiting.values())
    return f"{left} boxes are not lifted" if left else ""


@task(
    "symbench/boxlift",
    summary="Lift boxes with teams in few steps",
    capabilities=("math", "optimisation", "search"),
    answer_kind="plan",
    levels=5,
    max_answer_chars=20_000,
    knobs="boxes 3, 8, 14, 22, 32; lifters 2, 3, 4, 5, 7",
    source="rules of BoxLift, written anew",
    family="boxlift",
    membership="stated",
)
class Boxlift(Task):
    def generate(self, rng: Random, level: int) -> Draft:
        boxes, lifters = LEVELS[level]
        capacities = [rng.randint(30, 99) for _ in range(lifters)]
        weights = [rng.randint(10, sum(capacities) * 3 // 4) for _ in range(boxes)]
        limit = len(greedy(weights, capacities))
        listed = ", ".join(f"lifter {n}: {capacity}" for n, capacity in enumerate(capacities))
        prompt = (
            f"Boxes of the weights {', '.join(map(str, weights))} are to be lifted by lifters with these capacities: "
            f"{listed}. A box is lifted by a team whose capacities add up to at least its weight. In one step several "
            "boxes may be lifted, but every lifter helps with at most one of them. Lift every box once, in at most "
            f"{limit} steps. Answer with one step on a line, each a list of (weight, [lifters]), such as Step 1: [(80, "
            "[0, 2]), (35, [1])]"
        )
        return Draft(prompt, {"weights": weights, "capacities": capacities, "limit": limit})

    def check(self, payload: Payload, answer: str) -> Verdict:
        steps = [self._read(line) for line in answer.splitlines() if line.strip()]
        if len(steps) > payload["limit"]:
            return Verdict.wrong(f"{len(steps)} steps, at most {payload['limit']} are allowed")
        found = fault(payload["weights"], payload["capacities"], steps)
        return Verdict.wrong(found) if found else Verdict.correct()

    def _read(self, line: str) -> Step:
        """One step. Round brackets are read as square ones, so that it becomes JSON."""
        body = _PREFIX.sub("", line, count=1).strip().rstrip(".,")
        if not _brackets_match(body):
            raise Unparseable(f"brackets do not match: {line.strip()[:60]!r}")
        body = body.replace("(", "[").replace(")", "]")
        if body != "[]" and not body.startswith("[["):
            body = f"[{body}]"
        step = json_value(body)
        if not all(_is_lift(lift) for lift in step):
            raise Unparseable(f"not a list of (weight, [lifters]): {line.strip()[:60]!r}")
        return [(weight, team) for weight, team in step]

    def oracle(self, payload: Payload) -> str:
        steps = greedy(payload["weights"], payload["capacities"])
        return "\n".join(
            f"Step {n}: [{', '.join(f'({weight}, {team})' for weight, team in step)}]"
            for n, step in enumerate(steps, start=1)
        )


def _brackets_match(text: str) -> bool:
    waiting = []
    for sign in text:
        if sign in "([":
            waiting.append({"(": ")", "[": "]"}[sign])
        elif sign in ")]" and (not waiting or waiting.pop() != sign):
            return False
    return not waiting


def _is_lift(lift: object) -> bool:
    if not (isinstance(lift, list) and len(lift) == 2 and isinstance(lift[1], list)):
        return False
    return all(type(number) is int for number in [lift[0], *lift[1]])
