"""statistical_counting: the total score of the runs of equal letters in a string.

A run is maximal: AAA is one run of three, not two runs of two. The prompt says so.
"""

from __future__ import annotations

import string
from itertools import groupby
from random import Random

from r1ci_plugin.tasks.answers import integer
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task

LEVELS = {1: (8, 12, 6), 2: (20, 30, 9), 3: (40, 60, 12), 4: (80, 120, 16), 5: (200, 300, 26)}
"""Level to the shortest and longest string and the number of letters in use."""


def score(text: str) -> int:
    """The place in the alphabet of every maximal run of two letters or more, summed."""
    return sum(string.ascii_uppercase.index(letter) + 1 for letter, run in groupby(text) if len(list(run)) >= 2)


@task(
    "symbench/statistical_counting",
    summary="Score the runs of equal letters in a string",
    capabilities=("math", "order"),
    answer_kind="integer",
    levels=5,
    chance=0.06,
    knobs="length 8-12, 20-30, 40-60, 80-120, 200-300; letters 6, 9, 12, 16, 26",
    source="rules of SymBench, written anew",
    family="statistical_counting",
    membership="stated",
)
class StatisticalCounting(Task):
    def generate(self, rng: Random, level: int) -> Draft:
        shortest, longest, letters = LEVELS[level]
        length = rng.randint(shortest, longest)
        text = ""
        while len(text) < length or score(text) == 0:
            text = (text if len(text) < length else "") + rng.choice(string.ascii_uppercase[:letters]) * rng.choice(
                (1, 1, 1, 2, 2, 3, 4)
            )
        prompt = (
            f'Score the string "{text}": every maximal run of two or more equal letters scores the place of its letter '
            "in the alphabet (A is 1, B is 2, C is 3, and so on), whatever its length; single letters score nothing. "
            "Answer with the total as an integer."
        )
        return Draft(prompt, {"string": text, "answer": score(text)})

    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(integer(answer), payload["answer"])

    def oracle(self, payload: Payload) -> str:
        return str(score(payload["string"]))
