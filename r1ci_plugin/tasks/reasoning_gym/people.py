"""Tasks on people, objects and courses told in words."""

from __future__ import annotations

import re
from itertools import product
from random import Random
from typing import Any

from r1ci_plugin.tasks.answers import label
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder, plain, question, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item

MEN = (
    "James",
    "John",
    "Robert",
    "Michael",
    "William",
    "David",
    "Richard",
    "Joseph",
    "Thomas",
    "Charles",
    "Peter",
    "Daniel",
    "Henry",
    "George",
    "Edward",
    "Paul",
    "Simon",
    "Martin",
    "Frank",
    "Oscar",
)
WOMEN = (
    "Mary",
    "Patricia",
    "Jennifer",
    "Linda",
    "Elizabeth",
    "Barbara",
    "Susan",
    "Jessica",
    "Sarah",
    "Margaret",
    "Anna",
    "Emma",
    "Alice",
    "Laura",
    "Clara",
    "Helen",
    "Julia",
    "Ruth",
    "Nora",
    "Eva",
)


def wonderland(rng: Random, largest: int, kinds: int) -> Item:
    """Siblings, friends or colleagues, where the speaker must be counted too. The library asks of strangers in some
    questions."""
    kind = rng.choice(("siblings", "friends", "colleagues")[:kinds])
    she, he = rng.choice(WOMEN), rng.choice(MEN)
    men, women, others, more = (rng.randint(1, largest) for _ in range(4))
    if kind == "siblings":
        told = (
            f"{she} has {men} brothers and {women} sisters, all of the same two parents. "
            f"How many sisters does {he}, a brother of {she}, have?"
        )
    elif kind == "friends":
        told = (
            f"{she} has {men} male friends and {women} female friends. They all are friends with each other and have "
            "no other friends. "
            f"How many female friends does {he}, a male friend of {she}, have?"
        )
    else:
        told = (
            f"{she} has {men} male colleagues and {women} female colleagues, and all these people, {she} included, "
            "are colleagues of each other. "
            f"{he} has {others} male colleagues and {more} female colleagues, and all these people, {he} included, "
            "are colleagues of each other. "
            f"Nobody has other colleagues, and the two circles share only Matilda, who is a colleague of both {she} "
            f"and {he}. "
            "How many female colleagues does Matilda have?"
        )
    answer = women + 1 if kind != "colleagues" else women - 1 + more - 1 + 1
    given = {"kind": kind, "women": women, "more": more}
    return Item(f"{told}\n\nThe answer is one integer.", str(answer), given)


@plain(
    "aiw",
    "Siblings, friends and colleagues of Alice",
    ("logical",),
    "integer",
    item=wonderland,
    chance=0.08,
    knobs="numbers up to 20 ... 300, kinds of question 1 to 3",
    givens="kind women more",
    configs=ladder(largest=[30, 30, 50, 100, 300], kinds=[2, 3, 3, 3, 3]),
)
def aiw(kind: str, women: int, more: int) -> int:
    """In her circle Matilda knows the other women and the asker; in his, the other women alone."""
    return women + 1 if kind != "colleagues" else women + more - 1


RELATIONS = {
    "parent": ("father", "mother"),
    "child": ("son", "daughter"),
    "spouse": ("husband", "wife"),
    "sibling": ("brother", "sister"),
    "grandparent": ("grandfather", "grandmother"),
    "grandchild": ("grandson", "granddaughter"),
    "aunt": ("uncle", "aunt"),
    "niece": ("nephew", "niece"),
    "cousin": ("cousin", "cousin"),
    "parent-in-law": ("father-in-law", "mother-in-law"),
    "child-in-law": ("son-in-law", "daughter-in-law"),
    "sibling-in-law": ("brother-in-law", "sister-in-law"),
}


class Family:
    """Marriages with their children, and what one member is to another."""

    def __init__(self, couples: list[list[Any]]) -> None:
        self.parents: dict[str, list[str]] = {}
        self.spouse: dict[str, str] = {}
        for husband, wife, children in couples:
            self.spouse.update({husband: wife, wife: husband})
            self.parents.update({child: [husband, wife] for child in children})

    def siblings(self, name: str) -> list[str]:
        mine = self.parents.get(name)
        return [other for other, parents in self.parents.items() if parents == mine and other != name]

    def children(self, name: str) -> list[str]:
        return [child for child, parents in self.parents.items() if name in parents]

    def kin(self, name: str) -> dict[str, set[str]]:
        """Those to whom `name` stands in each relation."""
        wed = [self.spouse[name]] if name in self.spouse else []
        own, brothers = self.children(name), self.siblings(name)
        parents = self.parents.get(name, [])
        uncles = [other for parent in parents for other in self.siblings(parent)]
        return {
            "parent": set(own),
            "child": set(parents),
            "spouse": set(wed),
            "sibling": set(brothers),
            "grandparent": {c for child in own for c in self.children(child)},
            "grandchild": {p for parent in parents for p in self.parents.get(parent, [])},
            "aunt": {
                c for other in [*brothers, *(b for w in wed for b in self.siblings(w))] for c in self.children(other)
            },
            "niece": {p for other in uncles for p in [other, *([self.spouse[other]] if other in self.spouse else [])]},
            "cousin": {c for other in uncles for c in self.children(other)},
            "parent-in-law": {self.spouse[child] for child in own if child in self.spouse},
            "child-in-law": {p for w in wed for p in self.parents.get(w, [])},
            "sibling-in-law": {b for w in wed for b in self.siblings(w)}
            | {self.spouse[b] for b in brothers if b in self.spouse},
        }


def _told(husband: str, wife: str, children: list[str], female: set[str]) -> str:
    """What the story says of a couple."""
    married = f"{husband} (male) is married to {wife} (female)."
    if not children:
        return married
    named = ", ".join(f"{child} ({'female' if child in female else 'male'})" for child in children)
    return f"{married} Their children are {named}."


def family_story(rng: Random, low: int, high: int) -> Item:
    """Three generations: a couple, their children, some of them married, and grandchildren."""
    men, women = rng.sample(MEN, len(MEN)), rng.sample(WOMEN, len(WOMEN))
    female = set(women)
    couples: list[list[Any]] = [[men.pop(), women.pop(), []]]
    size = rng.randint(low, high)
    # every couple but the first holds a child of another one, who is counted once
    while len(couples) * 2 + sum(len(couple[2]) for couple in couples) - (len(couples) - 1) < size:
        couple = rng.choice(couples)
        child = (women if rng.random() < 0.5 else men).pop()
        couple[2].append(child)
        if couple is couples[0] and rng.random() < 0.7:
            couples.append([men.pop(), child, []] if child in female else [child, women.pop(), []])
    names = sorted({name for husband, wife, children in couples for name in (husband, wife, *children)})
    family = Family(couples)
    kind = rng.choice([kind for kind in RELATIONS if any(family.kin(name)[kind] for name in names)])
    first = rng.choice([name for name in names if family.kin(name)[kind]])
    second = rng.choice(sorted(family.kin(first)[kind]))
    sexes = {name: int(name in female) for name in names}
    order = rng.sample(couples, len(couples))
    told = [_told(husband, wife, children, female) for husband, wife, children in order]
    labels = ", ".join(sorted({word for pair in RELATIONS.values() for word in pair}))
    asked = f"What is {first} to {second}? The answer is one of these words: {labels}."
    return Item(
        f"{' '.join(told)}\n\n{asked}",
        RELATIONS[kind][sexes[first]],
        {"couples": couples, "sexes": sexes, "first": first, "second": second},
    )


@gym(
    "family_relationships",
    "What one member of a family is to another",
    ("logical",),
    "label",
    chance=0.1,
    answer_in_prompt=True,
    item=family_story,
    knobs="5 to 25 people",
    givens="couples sexes first second",
    configs=ladder(low=[5, 7, 10, 14, 18], high=[6, 10, 14, 18, 25]),
)
class FamilyRelationships(Gym):
    """The library mixes up nieces with aunts, and the children-in-law with the parents-in-law; families here are our
    own."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(
            label(answer, sorted({word for pair in RELATIONS.values() for word in pair})), payload["answer"]
        )

    def oracle(self, payload: Payload) -> str:
        kin = Family(payload["couples"]).kin(payload["first"])
        kind = next(kind for kind, others in kin.items() if payload["second"] in others)
        return RELATIONS[kind][payload["sexes"][payload["first"]]]


def who(question: str) -> list[str]:
    """Everybody of whom the statement of the last line is made."""
    story, asked = question.strip().rsplit("\n", 1)
    fact = asked.removeprefix("Who ").split("?")[0]
    return [
        match[1]
        for sentence in story.split(". ")
        if (match := re.fullmatch(r"(\S+) " + re.escape(fact), sentence.strip(" .")))
    ]


@plain(
    "needle_haystack",
    "Who likes a certain thing, in a long list",
    ("search",),
    "word",
    answer_in_prompt=True,
    knobs="8 to 200 statements",
    givens=question,
    keep=lambda item: who(item.question) == [item.answer],
    configs=spans(5, num_statements=[(8, 12), (15, 25), (30, 50), (60, 100), (150, 200)]),
)
def needle_haystack(question: str) -> str:
    return who(question)[0]


@plain(
    "course_schedule",
    "Can all courses be finished",
    ("logical", "order"),
    "boolean",
    chance=0.5,
    answer_in_prompt=True,
    knobs="4 to 60 courses",
    givens="prerequisites",
    form="The answer is True or False.",
    configs=spans(
        5,
        num_courses=[(5, 6), (6, 9), (9, 15), (15, 30), (30, 60)],
        cycle_length=[(3, 3), (3, 4), (3, 5), (4, 8), (5, 15)],
    ),
)
def course_schedule(prerequisites: list[list[int]]) -> bool:
    left = [(course, before) for course, before in prerequisites]
    while left:
        waiting = {course for course, _ in left}
        rest = [(course, before) for course, before in left if before in waiting]
        if len(rest) == len(left):
            return False
        left = rest
    return True


COLOURS = ("gray", "red", "blue", "green", "brown", "cyan", "purple", "yellow")
SHAPES = ("cube", "sphere", "cylinder")


def light(examples: list[list[Any]], asked: list[int], objects: int) -> str:
    """What the detector does, over all sets of blickets that explain the examples."""
    fitting = [
        blickets
        for blickets in product((False, True), repeat=objects)
        if all(any(blickets[i] for i in shown) == lit for shown, lit in examples)
    ]
    seen = {any(blickets[i] for i in asked) for blickets in fitting}
    return "undetermined" if len(seen) == 2 else "on" if seen == {True} else "off"


def blicket_item(rng: Random, objects: int, shown: int) -> Item:
    """Examples of a detector; the three answers are drawn equally often."""
    wanted = rng.choice(("on", "off", "undetermined"))
    names = [
        f"{colour} {material} {shape}" for colour in COLOURS for material in ("metal", "rubber") for shape in SHAPES
    ]
    while True:
        chosen = rng.sample(names, objects)
        blickets = {i for i in range(objects) if rng.random() < 0.35}
        examples: list[list[Any]] = [
            [picked, bool(blickets & set(picked))]
            for picked in (rng.sample(range(objects), rng.randint(1, objects - 1)) for _ in range(shown))
        ]
        asked = rng.sample(range(objects), rng.randint(1, 3))
        if light(examples, asked, objects) == wanted:
            break

    def listed(picked: list[int]) -> str:
        return ", ".join(chosen[i] for i in picked)

    stated = "\n".join(f"{listed(picked)}: {'on' if lit else 'off'}" for picked, lit in examples)
    return Item(
        "Some objects are blickets. A detector's light is on if at least one blicket lies on the detector, and off "
        "otherwise. "
        f"Observed so far, objects and light:\n\n{stated}\n\nNow these lie on the detector: {listed(asked)}\n\n"
        "What is the light? The answer is on, off, or undetermined where the observations leave both possible.",
        wanted,
        {"examples": examples, "asked": asked, "objects": objects},
    )


@gym(
    "acre",
    "Will these objects turn the detector on",
    ("logical",),
    "label",
    chance=0.34,
    answer_in_prompt=True,
    item=blicket_item,
    knobs="3 to 10 objects, 3 to 10 observations",
    givens="examples asked objects",
    configs=ladder(objects=[4, 5, 6, 8, 10], shown=[3, 4, 5, 7, 10]),
)
class Acre(Gym):
    """One of three labels; the library's scorer pays part of the credit for words that contain one."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(label(answer, ("on", "off", "undetermined")), payload["answer"])

    def oracle(self, payload: Payload) -> str:
        return light(payload["examples"], payload["asked"], payload["objects"])
