"""Reasoning about coloured objects: things of several colours on a surface, in a row or in numbers, and a question on
one or some of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import OptionTask, joined, letter_of, shuffled, with_article
from r1ci_plugin.tasks.bbh.lexicon import COLOURS, listed, number_word, plural

_SURFACES = ("table", "desk", "floor", "shelf", "bed", "carpet")
_THINGS = listed(
    "mug pen notebook keychain paperclip teddy-bear bracelet envelope cup pencil candle plate ball spoon scarf ruler"
)
_SIZES = {1: (3, 3), 2: (3, 5), 3: (4, 7), 4: (6, 9), 5: (9, 14)}
"""Level to the least and greatest number of things (or of sorts of things)."""
_KINDS = {
    1: ("colour",),
    2: ("colour", "beside", "end"),
    3: ("colour", "beside", "end", "neither", "left"),
    4: ("beside", "neither", "left", "farthest", "remaining"),
    5: ("neither", "left", "farthest", "remaining"),
}
"""Level to the kinds of questions."""
_OPTIONS = {1: 5, 2: 6, 3: 7, 4: 10, 5: 18}
"""Level to the number of options."""

Thing = list[Any]
"""`[thing, colour, count]`; the count is 1 in a row."""
Scene = tuple[list[Thing], list[Any]]
"""Things and the question on them: its kind and what it asks about."""


@task(
    "bbh/reasoning_about_colored_objects",
    summary="Answer a question on coloured things on a surface",
    capabilities=("spatial", "order"),
    answer_kind="option",
    levels=5,
    knobs="3, 3-5, 4-7, 6-9, 9-14 things; from their colours to neighbours, counts, distances and removals; 5, 6, 7, "
    "10, 18 options",
    source="BIG-Bench Hard reasoning_about_colored_objects, rules written anew",
    default_level=3,
    chance=1 / 7,
    answer_in_prompt=True,
    family="reasoning_about_colored_objects",
)
class ReasoningAboutColoredObjects(OptionTask):
    def generate(self, rng: Random, level: int) -> Draft:
        kind = rng.choice(_KINDS[level])
        things, question = _SCENES.get(kind, _scene)(rng, kind, level)
        right = _answer(things, question)
        others = [text for text in _likely(rng, things, right) if text != right][: _OPTIONS[level] - 1]
        surface = rng.choice(_SURFACES)
        prompt = f"On the {surface} {_told(things, piles=kind == 'remaining')}. {_asked(question, surface)}"
        return self.choice(prompt, shuffled(rng, [right, *others]), things=things, question=question)

    def oracle(self, payload: Payload) -> str:
        return letter_of(payload["options"], _answer(payload["things"], payload["question"]))


def _likely(rng: Random, things: list[Thing], right: str) -> list[str]:
    """What might be the answer, the likeliest first: every number, and the colours there are before all others."""
    if right not in COLOURS:
        return [number_word(number) for number in range(21)]
    there = {colour for _, colour, _ in things}
    return sorted(shuffled(rng, COLOURS), key=lambda colour: colour not in there)


def _row(rng: Random, colours: Sequence[str]) -> list[Thing]:
    """Different things of these colours, one of each colour named."""
    return [[thing, colour, 1] for thing, colour in zip(rng.sample(_THINGS, len(colours)), colours, strict=True)]


def _scene(rng: Random, kind: str, level: int) -> Scene:
    """A row and a question on the colour of one thing."""
    things = _row(rng, rng.choices(COLOURS, k=rng.randint(*_SIZES[level])))
    place = rng.randrange(len(things))
    if kind == "beside":
        side = "left" if place == len(things) - 1 or (place and rng.random() < 0.5) else "right"
        return things, ["beside", side, things[place][0]]
    if kind == "end":
        return things, ["end", rng.choice(("left", "right"))]
    if kind == "farthest":
        middle = [other for other in range(len(things)) if 2 * other != len(things) - 1]
        return things, ["farthest", things[rng.choice(middle)][0]]
    return things, ["colour", things[place][0]]


def _neither(rng: Random, kind: str, level: int) -> Scene:
    """Two colours and so many things of others: the number is drawn first, since a guesser knows which are likely."""
    least, most = _SIZES[level]
    others = rng.randint(0, most - 2)
    size = rng.randint(max(least, others + 2), most)
    named = rng.sample(COLOURS, 2)
    colours = [*named, *rng.choices(named, k=size - 2 - others), *_others(rng, named, others)]
    return _row(rng, shuffled(rng, colours)), [kind, *named]


def _left(rng: Random, kind: str, level: int) -> Scene:
    """A colour and so many things of others to one side of a thing; the number is drawn first."""
    least, most = _SIZES[level]
    others = rng.randint(0, most - 1)
    size = rng.randint(max(least, others + 1), most)
    place = rng.randint(others, size - 1)
    named = rng.choice(COLOURS)
    side = shuffled(rng, [*[named] * (place - others), *_others(rng, [named], others)])
    things = _row(rng, [*side, *rng.choices(COLOURS, k=size - place)])
    asked = things[place][0]
    way = rng.choice(("left", "right"))
    return things if way == "left" else things[::-1], [kind, way, named, asked]


def _others(rng: Random, named: list[str], count: int) -> list[str]:
    return rng.choices([colour for colour in COLOURS if colour not in named], k=count)


def _remaining(rng: Random, kind: str, level: int) -> Scene:
    """Piles of things of few sorts and colours, no pair of them twice, one colour to be taken away and one sort to be
    counted; the number that remains is drawn first."""
    wanted = number_word(rng.randrange(_OPTIONS[level]))
    while True:
        sorts, colours = rng.sample(_THINGS, 4), rng.sample(COLOURS, 5)
        pairs = rng.sample([(sort, colour) for sort in sorts for colour in colours], rng.randint(*_SIZES[level]))
        things: list[Thing] = [[sort, colour, rng.randint(1, 6)] for sort, colour in pairs]
        question = [kind, rng.choice(pairs)[1], rng.choice(pairs)[0]]
        if _answer(things, question) == wanted:
            return things, question


_SCENES = {"neither": _neither, "left": _left, "remaining": _remaining}
"""Kinds of questions for a number. All numbers are equally likely as far as things suffice for them."""


def _answer(things: list[Thing], question: list[Any]) -> str:
    """A colour or a number word."""
    kind, *about = question
    names = [thing for thing, _, _ in things]
    if kind == "neither":
        return number_word(sum(colour not in about for _, colour, _ in things))
    if kind == "remaining":
        return number_word(sum(count for sort, colour, count in things if colour != about[0] and sort == about[1]))
    if kind == "end":
        return str(things[0 if about[0] == "left" else -1][1])
    place = names.index(about[-1])
    if kind == "left":
        side = things[:place] if about[0] == "left" else things[place + 1 :]
        return number_word(sum(colour != about[1] for _, colour, _ in side))
    if kind == "beside":
        return str(things[place + (1 if about[0] == "right" else -1)][1])
    if kind == "farthest":
        return str(max(enumerate(things), key=lambda item: abs(item[0] - place))[1][1])
    return str(things[place][1])


def _told(things: list[Thing], piles: bool) -> str:
    if piles:
        counted = [
            f"{number_word(count)} {colour} {sort if count == 1 else plural(sort)}" for sort, colour, count in things
        ]
        return f"there are {joined(counted)}"
    listed = [with_article(f"{colour} {thing}") for thing, colour, _ in things]
    return f"there are, in a row from left to right, {joined(listed)}"


def _asked(question: list[Any], surface: str) -> str:
    kind, *about = question
    texts = {
        "colour": "What colour is the {0}?",
        "beside": "What colour is the thing directly to the {0} of the {1}?",
        "end": "What colour is the thing at the {0} end?",
        "neither": "How many things are neither {0} nor {1}?",
        "left": "How many things to the {0} of the {2} are not {1}?",
        "farthest": "What colour is the thing farthest from the {0}?",
        "remaining": "I take away everything {0}. How many {1} are left on the {2}?",
    }
    if kind == "remaining":
        about = [about[0], plural(about[1]), surface]
    return texts[kind].format(*about)
