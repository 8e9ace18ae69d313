"""Tasks that ask for an assignment: digits to letters, colours to vertices, numbers to an expression."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from random import Random

from r1ci_plugin.tasks.answers import Unparseable, integer, json_value, text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.expressions import numbers, parse, value
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder
from r1ci_plugin.tasks.reasoning_gym.library import Item


class Assignment(Gym):
    """A task without stored answer: the assignment itself is judged."""

    def stored(self, item: Item) -> Payload:
        return {}


def sum_puzzle(rng: Random, words: int, low: int, high: int) -> Item:
    """A sum of random numbers with every digit replaced by a letter."""
    addends = [rng.randint(10 ** (size - 1), 10**size - 1) for size in (rng.randint(low, high) for _ in range(words))]
    letters = dict(zip("0123456789", rng.sample("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10), strict=True))
    *rows, total = ["".join(letters[digit] for digit in str(number)) for number in (*addends, sum(addends))]
    width = max(map(len, [*rows, total])) + 2
    drawn = [f"{row:>{width}}" for row in rows[:-1]] + [
        "+" + f"{rows[-1]:>{width - 1}}",
        "-" * width,
        f"{total:>{width}}",
    ]
    picture = "\n".join(drawn)
    return Item(
        f"Solve this cryptarithm:\n\n{picture}\n\nDifferent letters stand for different digits, and no number begins "
        "with 0. "
        "The answer is a digit for every letter, in the form A=1,B=2,C=3",
        "",
        {"words": rows, "total": total},
    )


def columns(words: list[str], total: str) -> Iterator[dict[str, int]]:
    """All solutions of a cryptarithm, digit by digit from the right."""
    heads = {word[0] for word in (*words, total)}
    width = len(total)

    def place(column: int, row: int, carry: int, digits: dict[str, int]) -> Iterator[dict[str, int]]:
        if column == width:
            if carry == 0:
                yield digits
            return
        if row == len(words):
            letter, digit = total[-1 - column], carry % 10
            if (
                digits.get(letter, digit) != digit
                or (letter not in digits and digit in digits.values())
                or (digit == 0 and letter in heads)
            ):
                return
            yield from place(column + 1, 0, carry // 10, {**digits, letter: digit})
            return
        if column >= len(words[row]):
            yield from place(column, row + 1, carry, digits)
            return
        letter = words[row][-1 - column]
        if letter in digits:
            yield from place(column, row + 1, carry + digits[letter], digits)
            return
        for digit in range(letter in heads, 10):
            if digit not in digits.values():
                yield from place(column, row + 1, carry + digit, {**digits, letter: digit})

    yield from place(0, 0, 0, {})


@gym(
    "cryptarithm",
    "Digits for letters such that a sum is right",
    ("math", "search"),
    "json",
    item=sum_puzzle,
    knobs="2 to 4 addends of 2 to 6 letters",
    givens="words total",
    configs=ladder(words=[2, 2, 2, 3, 4], low=[2, 3, 3, 3, 4], high=[3, 3, 5, 5, 6]),
)
class Cryptarithm(Assignment):
    """Any assignment that makes the sum right."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        digits: dict[str, int] = {}
        body = " ".join(re.sub(r"[\"'{}]", " ", text(answer)).replace(":", "=").split())
        for part in re.split(r" ?[,;] ?| ", re.sub(r" ?= ?", "=", body)):
            match = re.fullmatch(r"([A-Za-z])=([0-9])", part)
            if not match or match[1].upper() in digits:
                raise Unparseable(f"not one digit a letter of the form A=1: {part[:20]!r}")
            digits[match[1].upper()] = int(match[2])
        words, total = payload["words"], payload["total"]
        if set(digits) != set("".join((*words, total))):
            return Verdict.wrong("not exactly the letters of the puzzle have a digit")
        if len(set(digits.values())) < len(digits) or any(digits[word[0]] == 0 for word in (*words, total)):
            return Verdict.wrong("two letters share a digit, or a number begins with 0")
        found = [int("".join(str(digits[letter]) for letter in word)) for word in (*words, total)]
        return (
            Verdict.correct()
            if sum(found[:-1]) == found[-1]
            else Verdict.wrong(f"{sum(found[:-1])} is not {found[-1]}")
        )

    def oracle(self, payload: Payload) -> str:
        digits = next(columns(payload["words"], payload["total"]))
        return ",".join(f"{letter}={digit}" for letter, digit in sorted(digits.items()))


def reached(terms: list[int], target: int) -> str:
    """An expression over all the numbers whose parts are whole, or the empty text. Works back from the target."""
    if len(terms) == 1:
        return str(terms[0]) if terms[0] == target else ""
    for size in range(1, len(terms) // 2 + 1):
        for chosen in combinations(range(len(terms)), size):
            small = [terms[i] for i in chosen]
            rest = [term for i, term in enumerate(terms) if i not in chosen]
            for number, written in values(tuple(small)).items():
                for needed, form in wanted(number, target):
                    if found := reached(rest, needed):
                        return form.format(
                            f"({found})" if len(rest) > 1 else found, f"({written})" if size > 1 else written
                        )
    return ""


def wanted(number: int, target: int) -> Iterator[tuple[int, str]]:
    """What the rest must be for `number` to complete it to the target, and how the two are put together."""
    yield target - number, "{0} + {1}"
    yield target + number, "{0} - {1}"
    yield number - target, "{1} - {0}"
    if number and target % number == 0:
        yield target // number, "{0} * {1}"
    if number:
        yield target * number, "{0} / {1}"
    if target and number % target == 0 and number:
        yield number // target, "{1} / {0}"


def values(terms: tuple[int, ...]) -> dict[int, str]:
    """Every whole value of an expression over all the numbers, with one way to write it."""
    if len(terms) == 1:
        return {terms[0]: str(terms[0])}
    found: dict[int, str] = {}
    for i in range(1, len(terms)):
        for chosen in combinations(range(len(terms)), i):
            rest = [term for j, term in enumerate(terms) if j not in chosen]
            for a, left in values(tuple(terms[j] for j in chosen)).items():
                for b, right in values(tuple(rest)).items():
                    for result, form in (
                        (a + b, "+"),
                        (a - b, "-"),
                        (a * b, "*"),
                        *(((a // b, "/"),) if b and a % b == 0 else ()),
                    ):
                        found.setdefault(
                            result, f"({left}) {form} ({right})" if len(terms) > 2 else f"{left} {form} {right}"
                        )
    return found


def countdown_item(rng: Random, count: int, largest: int, high: int) -> Item:
    """Numbers and a target that a random expression over all of them reaches with whole values on the way."""
    while True:
        terms = [rng.randint(1, largest) for _ in range(count)]
        pool = list(terms)
        while len(pool) > 1:
            a, b = (pool.pop(rng.randrange(len(pool))) for _ in range(2))
            pool.append(rng.choice([a + b, a - b, a * b, *([a // b] if b and a % b == 0 else [])]))
        if 10 <= pool[0] <= high and pool[0] not in terms:
            break
    stated = ", ".join(map(str, terms))
    return Item(
        f"Make {pool[0]} from the numbers {stated}, using each of them exactly once, with +, -, *, / and brackets.\n\n"
        "The answer is the expression alone, without an equals sign.",
        "",
        {"terms": terms, "target": pool[0]},
    )


@gym(
    "countdown",
    "Reach a target from given numbers",
    ("math", "search"),
    "expression",
    item=countdown_item,
    knobs="3 to 5 numbers up to 20 ... 100, target up to 200 ... 999",
    givens="terms target",
    configs=ladder(count=[3, 3, 4, 5, 5], largest=[20, 50, 50, 50, 100], high=[200, 500, 500, 999, 999]),
)
class Countdown(Assignment):
    """The expression is read by our own grammar and computed in fractions; its numerals must be the given numbers."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        tree = parse(text(answer))
        if any(node.kind in ("**", "<<", ">>") for node in tree.walk()):
            raise Unparseable("only + - * / and brackets are allowed")
        if Counter(map(integer, numbers(tree))) != Counter(payload["terms"]):
            return Verdict.wrong("not each number is used exactly once")
        found = value(tree)
        return Verdict.correct() if found == payload["target"] else Verdict.wrong(f"the value is {found}")

    def oracle(self, payload: Payload) -> str:
        return reached(payload["terms"], payload["target"])


def colouring(vertices: list[int], edges: list[list[int]], colours: list[int]) -> dict[int, int]:
    """A proper colouring by backtracking, always at the vertex with the fewest colours left; empty if there is none."""
    near: dict[int, set[int]] = {vertex: set() for vertex in vertices}
    for a, b in edges:
        near[a].add(b)
        near[b].add(a)

    def extend(chosen: dict[int, int]) -> dict[int, int]:
        if len(chosen) == len(vertices):
            return chosen
        left = {
            v: [c for c in colours if all(chosen.get(n) != c for n in near[v])] for v in vertices if v not in chosen
        }
        vertex = min(left, key=lambda v: (len(left[v]), -len(near[v]), v))
        for colour in left[vertex]:
            if found := extend({**chosen, vertex: colour}):
                return found
        return {}

    return extend({})


def graph_given(item: Item) -> Payload:
    puzzle = item.meta["puzzle"]
    return {"vertices": puzzle["vertices"], "edges": puzzle["edges"], "colours": puzzle["color_options"]}


@gym(
    "graph_color",
    "Colour a graph with few colours",
    ("logical", "search"),
    "json",
    givens=graph_given,
    chance=0.08,
    knobs="6 to 25 vertices, 3 or 4 colours, edges 0.15 to 0.4",
    form="The answer is the JSON map alone.",
    configs=[
        {"min_num_vertices": low, "max_num_vertices": high, "edge_probability": edges, "num_colors": colours}
        for low, high, edges, colours in [
            (6, 7, 0.4, 3),
            (8, 10, 0.3, 3),
            (10, 14, 0.25, 3),
            (15, 20, 0.2, 4),
            (20, 25, 0.2, 4),
        ]
    ],
)
class GraphColor(Assignment):
    """Every vertex has one of the colours, and no edge joins two of the same."""

    def keep(self, item: Item) -> bool:
        return len(item.meta["puzzle"]["edges"]) >= len(item.meta["puzzle"]["vertices"]) // 2

    def check(self, payload: Payload, answer: str) -> Verdict:
        found = json_value(text(answer) if answer[0] == "`" else answer)
        if not isinstance(found, dict):
            raise Unparseable("not a JSON map of vertices to colours")
        chosen = {integer(str(vertex)): integer(str(colour)) for vertex, colour in found.items()}
        if set(chosen) != set(payload["vertices"]) or not set(chosen.values()) <= set(payload["colours"]):
            return Verdict.wrong("not exactly the given vertices have one of the given colours")
        clashes = sum(chosen[a] == chosen[b] for a, b in payload["edges"])
        return Verdict.wrong(f"{clashes} edges join the same colour", 0.5 / clashes) if clashes else Verdict.correct()

    def oracle(self, payload: Payload) -> str:
        return json.dumps(
            {str(v): c for v, c in sorted(colouring(payload["vertices"], payload["edges"], payload["colours"]).items())}
        )
