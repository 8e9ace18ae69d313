"""Tasks on strings of letters, digits and tokens."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

from r1ci_plugin.tasks.answers import text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder, plain, question, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item
from r1ci_plugin.tasks.reasoning_gym.words import LETTERS, list_of_lists


def pair_question(explanation: str, lines: dict[str, str], truth: bool) -> Item:
    """A True/False question on named strings."""
    stated = "\n".join(f"{name}: {string}" for name, string in lines.items())
    return Item(
        f"{explanation}\n\n{stated}\n\nThe answer is True or False.", str(truth), {"strings": list(lines.values())}
    )


def same_pattern(first: str, second: str) -> bool:
    return len(set(zip(first, second, strict=True))) == len(set(first)) == len(set(second))


def string_pair(rng: Random, low: int, high: int) -> Item:
    """Two strings, isomorphic in half of the cases: one letter of the image is changed in the others."""
    pool = rng.sample(LETTERS, rng.randint(4, 12))
    first = "".join(rng.choice(pool) for _ in range(rng.randint(low, high)))
    image = dict(zip(LETTERS, rng.sample(LETTERS, 26), strict=True))
    second = "".join(image[letter] for letter in first)
    if rng.random() < 0.5:
        spoilt = second
        while same_pattern(first, spoilt):
            place = rng.randrange(len(second))
            spoilt = second[:place] + rng.choice(LETTERS) + second[place + 1 :]
        second = spoilt
    return pair_question(
        "Two strings are isomorphic if replacing every letter of the first one gives the second one, where equal "
        "letters are always replaced "
        "by the same letter and different letters by different letters (a letter may be replaced by itself). Are "
        "these two strings isomorphic?",
        {"First": first, "Second": second},
        same_pattern(first, second),
    )


@plain(
    "isomorphic_strings",
    "Are two strings isomorphic",
    ("logical",),
    "boolean",
    item=string_pair,
    chance=0.5,
    answer_in_prompt=True,
    knobs="length 6 to 100",
    givens="strings",
    configs=ladder(low=[6, 8, 12, 20, 50], high=[8, 12, 20, 50, 100]),
)
def isomorphic_strings(strings: list[str]) -> bool:
    return same_pattern(*strings)


def note_and_magazine(rng: Random, low: int, high: int) -> Item:
    """A note and a magazine; in half of the cases the magazine lacks one letter of the note."""
    note = [rng.choice(LETTERS) for _ in range(rng.randint(low, high))]
    rest = [rng.choice(LETTERS) for _ in range(rng.randint(len(note) // 2, 3 * len(note)))]
    magazine = note + rest
    if rng.random() < 0.5:
        missing = rng.choice(note)
        kept = note.count(missing) - 1
        magazine = [c for c in magazine if c != missing] + [missing] * kept
    return pair_question(
        "Can the note be put together from letters cut out of the magazine, each letter of the magazine used at most "
        "once?",
        {"Note": "".join(note), "Magazine": "".join(rng.sample(magazine, len(magazine)))},
        not Counter(note) - Counter(magazine),
    )


@plain(
    "ransom_note",
    "Can the note be cut from the magazine",
    ("logical",),
    "boolean",
    item=note_and_magazine,
    chance=0.5,
    answer_in_prompt=True,
    knobs="note length 4 to 150",
    givens="strings",
    configs=ladder(low=[4, 8, 15, 30, 80], high=[8, 15, 30, 80, 150]),
)
def ransom_note(strings: list[str]) -> bool:
    return not Counter(strings[0]) - Counter(strings[1])


@plain(
    "binary_alternation",
    "Fewest swaps that make a binary string alternate",
    ("math", "optimisation"),
    "integer",
    chance=0.25,
    knobs="length 6 to 200",
    givens="string",
    form="The answer is one integer.",
    configs=[
        {"min_n": low, "max_n": high, "p_solvable": 0.9}
        for low, high in [(10, 14), (12, 24), (20, 40), (40, 100), (100, 200)]
    ],
)
def binary_alternation(string: str) -> int:
    ones = string.count("1")
    starts = [first for first in "01" if ones == len(string[first == "0" :: 2])]
    return min(
        (sum(c != "01"[(i + int(first)) % 2] for i, c in enumerate(string)) // 2 for first in starts), default=-1
    )


@plain(
    "ab",
    "Rewrite a string of facing tokens until nothing reacts",
    ("logical", "order"),
    "words",
    write=" ".join,
    knobs="8 to 50 tokens",
    givens=question,
    form="The answer is the list of tokens of the final state, separated by spaces.",
    keep=lambda item: bool(item.answer.split()),
    configs=ladder(length=[8, 12, 18, 30, 50]),
)
def ab(question: str) -> list[str]:
    tokens = question.split("following program:")[1].split("Return")[0].split()
    place = 0
    while place < len(tokens) - 1:
        left, right = tokens[place], tokens[place + 1]
        if left[1] != "#" or right[0] != "#":
            place += 1
            continue
        tokens[place : place + 2] = [] if left[0] == right[1] else [right, left]
        place = max(place - 1, 0)
    return tokens


def program(rng: Random, low: int, high: int) -> Item:
    """A program that prints random letters, reaching each by a small step or by a multiplying loop on the next
    cells."""
    code, now, word = "", -1, ""
    for _ in range(rng.randint(low, high)):
        wanted = rng.choice(LETTERS)
        step = ord(wanted) - now
        if now < 0 or abs(step) > 9:
            times = rng.randint(7, 12)
            code += (
                ">" * (now >= 0)
                + "+" * times
                + "[>"
                + "+" * (ord(wanted) // times)
                + "<-]>"
                + "+" * (ord(wanted) % times)
            )
        else:
            code += "+" * step + "-" * -step
        code, now, word = code + ".", ord(wanted), word + wanted
    return Item(
        "This is a program in the language Brainf***. All cells are 0 at the start and hold bytes. What does it "
        "print?\n\n"
        f"{code}\n\nThe answer is the printed text alone.",
        word,
        {"code": code},
    )


@plain(
    "bf",
    "Output of a Brainf*** program",
    ("logical",),
    "text",
    item=program,
    knobs="3 to 20 printed letters",
    givens="code",
    configs=ladder(low=[3, 4, 6, 8, 12], high=[4, 6, 8, 12, 20]),
)
def bf(code: str) -> str:
    """Cells are bytes that wrap; the tape grows to the right."""
    jumps, opened = {}, []
    for place, sign in enumerate(code):
        if sign == "[":
            opened.append(place)
        elif sign == "]":
            jumps[place], jumps[opened[-1]] = opened[-1], place
            opened.pop()
    tape, cell, place, printed = [0] * 30_000, 0, 0, ""
    while place < len(code):
        sign = code[place]
        cell += (sign == ">") - (sign == "<")
        tape[cell] = (tape[cell] + (sign == "+") - (sign == "-")) % 256
        printed += chr(tape[cell]) if sign == "." else ""
        if (sign == "[" and not tape[cell]) or (sign == "]" and tape[cell]):
            place = jumps[place]
        place += 1
    return printed.strip()


@gym(
    "palindrome_generation",
    "Arrange letters to a palindrome",
    ("logical", "search"),
    "word",
    knobs="5 to 60 letters",
    givens="letters",
    form="The answer is the palindrome alone.",
    configs=spans(5, length=[(5, 8), (7, 10), (10, 16), (16, 30), (30, 60)]),
)
class PalindromeGeneration(Gym):
    """Any palindrome of exactly these letters is right."""

    def stored(self, item: Item) -> Payload:
        return {}

    def check(self, payload: Payload, answer: str) -> Verdict:
        got = text(answer).lower()
        if sorted(got) != sorted(payload["letters"]):
            return Verdict.wrong("the letters are not the given ones")
        return Verdict.correct() if got == got[::-1] else Verdict.wrong("not a palindrome", 0.5)

    def oracle(self, payload: Payload) -> str:
        counts: Counter[str] = Counter(payload["letters"])
        half = "".join(letter * (count // 2) for letter, count in sorted(counts.items()))
        middle = "".join(letter for letter, count in counts.items() if count % 2)
        return half + middle + half[::-1]


def partitions(string: str) -> list[list[str]]:
    """All ways to cut a string into palindromes."""
    if not string:
        return [[]]
    heads = (string[:size] for size in range(1, len(string) + 1))
    return [[head, *rest] for head in heads if head == head[::-1] for rest in partitions(string[len(head) :])]


@gym(
    "palindrome_partitioning",
    "All cuts of a string into palindromes",
    ("logical", "search"),
    "json",
    knobs="5 to 20 letters, palindromes up to 3 ... 7",
    givens="string",
    max_answer_chars=20_000,
    configs=spans(
        5,
        string_len=[(5, 7), (7, 10), (10, 13), (13, 16), (15, 20)],
        substring_palindrome_len=[(1, 3), (1, 4), (1, 5), (1, 5), (1, 7)],
    ),
)
class PalindromePartitioning(Gym):
    """The set of all partitions, in any order, none repeated."""

    def keep(self, item: Item) -> bool:
        return len(item.answer) <= 4_000 and len(partitions(item.meta["string"])) > 1

    def prompt(self, item: Item) -> str:
        return (
            "A palindrome is a text that reads the same backward as forward. Find all ways to cut the string below "
            "into consecutive pieces "
            f"that are all palindromes. A single letter is a palindrome.\n\nString: {item.meta['string']}\n\n"
            "The answer is a JSON list of lists, one list of pieces for each way, in any order, e.g. "
            '[["a","a","b"],["aa","b"]].'
        )

    def stored(self, item: Item) -> Payload:
        return {}

    def check(self, payload: Payload, answer: str) -> Verdict:
        found = [tuple(pieces) for pieces in list_of_lists(answer)]
        expected = {tuple(pieces) for pieces in partitions(payload["string"])}
        if set(found) == expected and len(found) == len(expected):
            return Verdict.correct()
        shared = len(set(found) & expected)
        return Verdict.wrong(
            f"{shared} of {len(expected)} ways are there", 0.9 * shared / max(len(found), len(expected))
        )

    def oracle(self, payload: Payload) -> str:
        return json.dumps(partitions(payload["string"]))
