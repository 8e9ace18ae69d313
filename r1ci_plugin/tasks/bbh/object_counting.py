"""Object counting: how many things of one kind are in a list of counted things. Things of other kinds are listed to
be left out.
"""

from __future__ import annotations

from random import Random
from typing import Any

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import IntegerTask, joined, shuffled, with_article
from r1ci_plugin.tasks.bbh.lexicon import ALSO, COUNTABLES, number_word, plural

_SHAPES = {
    1: ((2, 3), (0, 0), 9),
    2: ((3, 4), (1, 2), 9),
    3: ((3, 6), (2, 5), 6),
    4: ((5, 9), (4, 8), 20),
    5: ((7, 12), (6, 10), 99),
}
"""Level to (kinds of things that count, kinds that don't, greatest quantity of each)."""


@task(
    "bbh/object_counting",
    summary="Count the things of one kind in a list of things",
    capabilities=("math",),
    answer_kind="integer",
    levels=5,
    knobs="2-3 things that all count, then 5-6, 5-11, 9-17, 13-22 things; quantities in digits on levels 1-2, in "
    "words above; some given away from level 4",
    source="BIG-Bench Hard object_counting, rules written anew",
    default_level=2,
    chance=0.08,
    family="object_counting",
)
class ObjectCounting(IntegerTask):
    def generate(self, rng: Random, level: int) -> Draft:
        counting, others, greatest = _SHAPES[level]
        kind = rng.choice(sorted(COUNTABLES))
        strangers = [noun for other in sorted(COUNTABLES) if other != kind for noun in COUNTABLES[other]]
        while True:  # a noun that is of this kind too if one wants it to be: draw again
            nouns = rng.sample(COUNTABLES[kind], rng.randint(*counting)) + rng.sample(strangers, rng.randint(*others))
            if not any(ALSO.get(noun) == kind for noun in nouns):
                break
        nouns = shuffled(rng, nouns)
        things = _drawn(rng, nouns, greatest)
        while _total(things, kind) in [count for _, count in things]:  # no quantity may be the answer
            things = _drawn(rng, nouns, greatest)
        gone = _given_away(rng, things) if level >= 4 else []
        return self.draft(_prompt(things, gone, kind, digits=level <= 2), things=things, gone=gone, kind=kind)

    def oracle(self, payload: Payload) -> str:
        return str(_total(payload["things"], payload["kind"]) - _total(payload["gone"], payload["kind"]))


def _drawn(rng: Random, nouns: list[str], greatest: int) -> list[list[Any]]:
    return [[noun, rng.randint(1, greatest)] for noun in nouns]


def _total(things: list[list[Any]], kind: str) -> int:
    return sum(count for noun, count in things if noun in COUNTABLES[kind])


def _given_away(rng: Random, things: list[list[Any]]) -> list[list[Any]]:
    """Parts of two of the things there are more than one of."""
    several = [thing for thing in things if thing[1] > 1]
    return [[noun, rng.randint(1, count - 1)] for noun, count in rng.sample(several, min(2, len(several)))]


def _prompt(things: list[list[Any]], gone: list[list[Any]], kind: str, digits: bool) -> str:
    sentences = [f"I have {_listed(things, digits)}."]
    if gone:
        sentences.append(f"I give away {_listed(gone, digits)}.")
    return " ".join([*sentences, f"How many {kind} do I have{' now' if gone else ''}?"])


def _listed(things: list[list[Any]], digits: bool) -> str:
    return joined([_counted(noun, count, digits) for noun, count in things])


def _counted(noun: str, count: int, digits: bool) -> str:
    if digits:
        return f"{count} {noun if count == 1 else plural(noun)}"
    return with_article(noun) if count == 1 else f"{number_word(count)} {plural(noun)}"
