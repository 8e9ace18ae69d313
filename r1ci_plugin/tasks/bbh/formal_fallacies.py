"""Formal fallacies: does a conclusion follow from premises about who is what? Exact, by going through all kinds of
people there could be.

Every statement says of everybody that at least one of some literals holds (a clause: `[-1, 2]` is "whoever is the
first is the second"). Statements about everybody entail another one if and only if no single kind of person obeys all
of the first and breaks the last, so the solver looks at each assignment of yes and no to the properties.
"""

from __future__ import annotations

from itertools import pairwise, product
from random import Random

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import LabelTask, shuffled
from r1ci_plugin.tasks.bbh.lexicon import NAMES

_PROPERTIES = {1: 2, 2: 3, 3: 4, 4: 5, 5: 7}
"""Level to the number of properties a chain of premises runs through."""
_RELATIONS = (
    "a cousin of",
    "a friend of",
    "a neighbour of",
    "a colleague of",
    "a classmate of",
    "a pupil of",
    "an ancestor of",
    "a rival of",
    "an admirer of",
    "a guest of",
    "a customer of",
    "a creditor of",
    "a partner of",
    "a fan of",
)
_LABELS = {"valid": "valid", "invalid": "invalid"}
_OPENINGS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth")

Clause = list[int]
"""Literals of which at least one holds of everybody: +n for property n, -n for its absence, counted from 1."""


@task(
    "bbh/formal_fallacies",
    summary="Does a conclusion follow from its premises?",
    capabilities=("logical",),
    answer_kind="label",
    levels=5,
    knobs="chains through 2, 3, 4, 5, 7 properties; negations from level 2; necessary, sufficient, neither-nor from "
    "level 3; cases from level 4",
    source="BIG-Bench Hard formal_fallacies, rules written anew",
    default_level=3,
    chance=0.5,
    answer_in_prompt=True,
    family="formal_fallacies",
)
class FormalFallacies(LabelTask):
    labels = _LABELS

    def generate(self, rng: Random, level: int) -> Draft:
        wanted = rng.random() < 0.5
        while True:  # a few draws: between a third and two thirds of all arguments are valid
            premises, conclusion = _draw(rng, level)
            if _follows(premises, conclusion) == wanted:
                break
        names = rng.sample(NAMES, _PROPERTIES[level])
        properties = [
            f"{relation} {name}" for relation, name in zip(rng.sample(_RELATIONS, len(names)), names, strict=True)
        ]
        told = [_sentence(rng, clause, properties, level) for clause in premises]
        lines = [f"{opening}, {text}." for opening, text in zip(_OPENINGS, told, strict=False)]
        claim = f"Therefore, {_sentence(rng, conclusion, properties, level)}."
        asked = "Does the last statement follow from the others? Answer valid if it does and invalid if not."
        prompt = f"{' '.join(lines)} {claim}\n{asked}"
        return self.draft(prompt, premises=premises, conclusion=conclusion)

    def oracle(self, payload: Payload) -> str:
        return "valid" if _follows(payload["premises"], payload["conclusion"]) else "invalid"


def _draw(rng: Random, level: int) -> tuple[list[Clause], Clause]:
    """A chain of implications, maybe with one of them flipped, and a conclusion about its ends, maybe turned round."""
    literals = [number if level == 1 or rng.random() < 0.6 else -number for number in range(1, _PROPERTIES[level] + 1)]
    premises = [[-one, other] for one, other in pairwise(literals)]
    if level >= 4:  # "whoever is p is q or r" with "whoever is r is s" for "whoever is q is s": a case to be closed
        place = rng.randrange(len(literals) - 2)
        one, middle, other = literals[place : place + 3]
        premises[place] = [-one, middle, other]
    if rng.random() < 0.4:
        place = rng.randrange(len(premises))
        premises[place] = [-literal for literal in premises[place]]
    first, last = literals[0], literals[-1]
    forms = [[-first, last], [-last, first]]
    if level > 1:
        forms += [[-first, last], [first, last], [-first, -last]]
    return shuffled(rng, premises), rng.choice(forms)


def _follows(premises: list[Clause], conclusion: Clause) -> bool:
    """No kind of person obeys the premises and breaks the conclusion."""
    size = max(abs(literal) for clause in (*premises, conclusion) for literal in clause)
    return not any(
        all(_holds(clause, kind) for clause in premises) and not _holds(conclusion, kind)
        for kind in product((False, True), repeat=size)
    )


def _holds(clause: Clause, kind: tuple[bool, ...]) -> bool:
    return any(kind[abs(literal) - 1] == (literal > 0) for literal in clause)


def _sentence(rng: Random, clause: Clause, properties: list[str], level: int) -> str:
    """One of several wordings of a clause. What is not stands last: "is not a fan of X or a cousin of Y" could also
    mean neither of both."""
    words = {
        sign * number: f"{'' if sign > 0 else 'not '}{text}"
        for number, text in enumerate(properties, 1)
        for sign in (1, -1)
    }
    one, *others = shuffled(rng, clause) if level > 1 and len(clause) == 2 else clause
    others.sort(key=lambda literal: literal < 0)
    said, then = words[-one], " or ".join(words[literal] for literal in others)
    wordings = [f"whoever is {said} is {then}", f"everybody who is {said} is {then}"]
    if level >= 3:
        wordings += [f"being {said} is sufficient for being {then}", f"being {then} is necessary for being {said}"]
    if level >= 3 and all(literal > 0 for literal in clause):
        wordings = [f"nobody is neither {' nor '.join(words[literal] for literal in clause)}", *wordings]
    if all(literal < 0 for literal in clause) and len(clause) == 2:
        wordings.append(f"nobody is both {words[-clause[0]]} and {words[-clause[1]]}")
    return rng.choice(wordings)
