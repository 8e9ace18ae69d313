"""Einstein puzzles: who lives where, from clues."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from r1ci_plugin.tasks.answers import words
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder
from r1ci_plugin.tasks.reasoning_gym.library import Item

Clue = tuple[str, str, str]
"""A relation between two values, or between a value and a house number."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "name": ("Alice", "Bob", "Carol", "Dave", "Erin", "Frank"),
    "drink": ("tea", "coffee", "milk", "water", "juice", "cocoa"),
    "pet": ("cat", "dog", "bird", "fish", "horse", "rabbit"),
    "colour": ("red", "blue", "green", "white", "yellow", "black"),
    "fruit": ("apple", "mango", "pear", "plum", "grape", "cherry"),
}
TEXTS = {
    "same": "{0} and {1} belong to the same house.",
    "left": "The house of {0} is directly left of the house of {1}.",
    "near": "The houses of {0} and {1} are next to each other.",
    "before": "The house of {0} is somewhere left of the house of {1}.",
    "at": "{0} belongs to house {1}.",
    "not": "{0} does not belong to house {1}.",
}


def fits(relation: str, a: int, b: int) -> bool:
    """Whether houses a and b stand in the relation."""
    holds = {"same": a == b, "left": b - a == 1, "near": abs(a - b) == 1, "before": a < b, "at": a == b, "not": a != b}
    return holds[relation]


def solutions(rows: list[list[str]], clues: list[Clue]) -> Iterator[dict[str, int]]:
    """All ways to give every value a house (from 1), each category using every house once."""
    houses = range(1, len(rows[0]) + 1)
    group = {value: row for row in rows for value in row}
    options = {value: set(houses) for value in group}
    for relation, a, b in clues:
        if relation in ("at", "not"):
            options[a] = {house for house in options[a] if fits(relation, house, int(b))}
    links = [clue for clue in clues if clue[0] not in ("at", "not")]

    def extend(left: dict[str, set[int]], placed: dict[str, int]) -> Iterator[dict[str, int]]:
        if not left:
            yield placed
            return
        value = min(left, key=lambda v: (len(left[v]), v))
        for house in sorted(left[value]):
            now = {**placed, value: house}
            rest = {other: set(spots) for other, spots in left.items() if other != value}
            for other in group[value]:
                if other in rest:
                    rest[other].discard(house)
            for relation, a, b in links:
                if a == value and b in rest:
                    rest[b] = {spot for spot in rest[b] if fits(relation, house, spot)}
                elif b == value and a in rest:
                    rest[a] = {spot for spot in rest[a] if fits(relation, spot, house)}
                elif value in (a, b) and a in now and b in now and not fits(relation, now[a], now[b]):
                    break
            else:
                if all(rest.values()):
                    yield from extend(rest, now)

    yield from extend(options, {})


def unique(rows: list[list[str]], clues: list[Clue]) -> bool:
    found = solutions(rows, clues)
    return next(found, None) is not None and next(found, None) is None


def true_clues(truth: dict[str, int], people: int) -> list[Clue]:
    """Every clue that holds."""
    values = list(truth)
    pairs = [
        (r, a, b)
        for r in ("same", "left", "near", "before")
        for a in values
        for b in values
        if a != b and fits(r, truth[a], truth[b])
    ]
    fixed = [
        (r, a, str(h)) for r in ("at", "not") for a in values for h in range(1, people + 1) if fits(r, truth[a], h)
    ]
    return pairs + fixed


def puzzle(rng: Random, people: int, categories: int) -> Item:
    """Clues added at random until one solution is left, then thinned out."""
    rows = [rng.sample(CATEGORIES[name], people) for name in list(CATEGORIES)[:categories]]
    truth = {value: house for row in rows for house, value in enumerate(rng.sample(row, people), 1)}
    pool = true_clues(truth, people)
    by_kind = {relation: [clue for clue in pool if clue[0] == relation] for relation in TEXTS}
    clues: list[Clue] = []
    while len(clues) < people * categories or not unique(rows, clues):
        kind = rng.choice([relation for relation in TEXTS if relation != "at" or rng.random() < 0.3])
        fresh = [clue for clue in by_kind[kind] if clue not in clues]
        if fresh:
            clues.append(rng.choice(fresh))
    for clue in rng.sample(clues, len(clues)):
        rest = [other for other in clues if other != clue]
        if unique(rows, rest):
            clues = rest
    told = "\n".join(
        f"{n}. {TEXTS[r].format(a[0].upper() + a[1:] if r in ('same', 'at', 'not') else a, b)}"
        for n, (r, a, b) in enumerate(clues, 1)
    )
    kinds = "\n".join(f"- {name}: {', '.join(sorted(row))}" for name, row in zip(CATEGORIES, rows, strict=False))
    return Item(
        f"There are {people} houses in a row, numbered 1 to {people} from left to right. Exactly one value of each of "
        "these kinds belongs to each house:\n"
        f"{kinds}\n\nClues:\n{told}\n\nThe answer is the list of names from house 1 to house {people}, separated by "
        "commas.",
        "",
        {"rows": rows, "clues": clues},
    )


@gym(
    "zebra_puzzles",
    "Einstein puzzle: who lives in which house",
    ("logical", "search"),
    "words",
    chance=0.05,
    item=puzzle,
    knobs="4 or 5 houses, 2 to 4 kinds of value",
    givens="rows clues",
    configs=ladder(people=[4, 4, 4, 5, 5], categories=[2, 3, 4, 3, 4]),
)
class ZebraPuzzles(Gym):
    """The clues leave one solution. The library takes long for a question and asks for one name only, a guess in
    four."""

    def stored(self, item: Item) -> Payload:
        return {}

    def names(self, payload: Payload) -> list[str]:
        truth = next(solutions(payload["rows"], [(r, a, b) for r, a, b in payload["clues"]]))
        return sorted(payload["rows"][0], key=lambda name: truth[name])

    def check(self, payload: Payload, answer: str) -> Verdict:
        got, expected = [word.lower() for word in words(answer)], [name.lower() for name in self.names(payload)]
        if got == expected:
            return Verdict.correct()
        right = sum(a == b for a, b in zip(got, expected, strict=False))
        return Verdict.wrong(f"{right} of {len(expected)} names are right", 0.5 * right / max(len(got), len(expected)))

    def oracle(self, payload: Payload) -> str:
        return ", ".join(self.names(payload))
