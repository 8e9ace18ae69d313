"""How the scripted teacher works out an answer in words, for tasks where words are enough.

Every entry reads the *prompt* alone, like the scripts, and returns the steps as sentences and the answer they end in.
Left out: tasks on which words are a guess; for them the teacher has no text form.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from r1ci_plugin.sft.scripts.bbh import counted
from r1ci_plugin.sft.scripts.registry import find

Worked = tuple[str, str]
"""The steps, and the answer."""
WORDS: dict[str, Callable[[str], Worked]] = {}
"""Task name to the function that works it out."""


def words(*names: str) -> Callable[[Callable[[str], Worked]], Callable[[str], Worked]]:
    """Declare the words of one task, or of several that ask alike."""

    def add(function: Callable[[str], Worked]) -> Callable[[str], Worked]:
        WORDS.update(dict.fromkeys(names, function))
        return function

    return add


@words("symbench/letters")
def letters(prompt: str) -> Worked:
    letter, word = find(r'letter "(.)".*word "(\w+)"', prompt)
    places = [place for place, other in enumerate(word, 1) if other == letter]
    spelled = ", ".join(f"{place} {other}" for place, other in enumerate(word, 1))
    return (
        f"I number the letters of the word: {spelled}. I keep the places that hold {letter}.",
        f"Count: {len(places)}, Positions: {places}",
    )


@words("symbench/number_multiply")
def number_multiply(prompt: str) -> Worked:
    (expression,) = find(r"What is (.*?)\?", prompt)
    first, *others = (int(factor.strip("()")) for factor in expression.split(" * "))
    steps = []
    for factor in others:
        parts = [int(digit) * 10**place for place, digit in enumerate(reversed(str(abs(factor)))) if digit != "0"]
        products = " + ".join(str(first * part * (1 if factor > 0 else -1)) for part in reversed(parts))
        steps.append(f"{first} * {factor} = {products} = {first * factor}.")
        first *= factor
    return f"I multiply step by step, digit by digit. {' '.join(steps)}", str(first)


@words("bbh/object_counting")
def object_counting(prompt: str) -> Worked:
    total, steps = 0, []
    for sign, number, name in counted(prompt):
        total += number if sign == "+" else -number
        steps.append(f"{sign}{number} for {name} makes {total}.")
    return f"I count only what is asked for. {' '.join(steps)}", str(total)


@words("bbh/navigate")
def navigate(prompt: str) -> Worked:
    (orders,) = find(r"starting point\? (.*) Answer Yes", prompt)
    place, face, steps = 0j, 1j, []
    ways = {"forward": 1, "backward": -1, "left": 1j, "right": -1j, "around": -1}
    for turn, count, way in re.findall(r"Turn (\w+)|Take (\d+) steps? (\w+)", orders):
        if turn:
            face *= ways[turn]
            continue
        place += int(count) * ways[way] * face
        steps.append(f"{count} {way}: ({place.real:.0f}, {place.imag:.0f}).")
    return (
        f"I start at (0, 0), face along the second number, and write down every place I reach. {' '.join(steps)}",
        "No" if place else "Yes",
    )


@words("bbh/web_of_lies")
def web_of_lies(prompt: str) -> Worked:
    claims, asked = find(r"(.*) Does (\w+) tell the truth\?", prompt)
    said = re.findall(r"(\w+) (?:says (\w+) )?(tells the truth|lies)\.", claims)
    honest: dict[str, bool] = {}
    steps = []
    while asked not in honest:
        for name, other, claim in said:
            if name in honest or (other and other not in honest):
                continue
            is_so = honest[other] if other else True
            honest[name] = is_so == (claim != "lies")
            steps.append(f"{name} {'tells the truth' if honest[name] else 'lies'}.")
    return f"I start from what is given and follow who speaks of whom. {' '.join(steps)}", (
        "Yes" if honest[asked] else "No"
    )


@words(*(f"bbh/tracking_shuffled_objects_{count}_objects" for count in ("three", "five", "seven")))
def tracking_shuffled_objects(prompt: str) -> Worked:
    start, swaps, asked, options = find(
        r": (.*?)\. (?=First|Then|Finally)(.*?)\. What does (\w+) have at the end\?\nOptions:\n(.*)", prompt
    )
    has = dict(re.findall(r"(\w+) has the ([^,]+)", start))
    steps = []
    for one, other in re.findall(r"(\w+) and (\w+) swap", swaps):
        has[one], has[other] = has[other], has[one]
        steps.append(f"{one} and {other} swap: {one} has the {has[one]}, {other} has the {has[other]}.")
    chosen = next(option[:3] for option in options.splitlines() if option[4:] == has[asked])
    return f"I follow the swaps. {' '.join(steps)} At the end {asked} has the {has[asked]}.", chosen


@words("reasoning_gym/chain_sum")
def chain_sum(prompt: str) -> Worked:
    (expression,) = find(r"problem: (.*?) =", prompt)
    first, *rest = expression.split()
    total, steps = int(first), []
    for sign, number in zip(rest[::2], rest[1::2], strict=True):
        before, total = total, total + int(number) if sign == "+" else total - int(number)
        steps.append(f"{before} {sign} {number} = {total}.")
    return f"I add from left to right. {' '.join(steps)}", str(total)


@words("reasoning_gym/spell_backward")
def spell_backward(prompt: str) -> Worked:
    (word,) = find(r"\): (\w+)", prompt)
    return (
        f"The letters of the word are {' '.join(word)}. From the last to the first they are {' '.join(word[::-1])}.",
        word[::-1],
    )


@words("reasoning_gym/count_bits")
def count_bits(prompt: str) -> Worked:
    number = int(find(r"number (\d+)", prompt)[0])
    powers = [1 << place for place in range(number.bit_length()) if number >> place & 1]
    return f"As a sum of powers of two it is {' + '.join(map(str, reversed(powers)))}. I count them.", str(len(powers))


@words("reasoning_gym/word_sequence_reversal")
def word_sequence_reversal(prompt: str) -> Worked:
    (listed,) = find(r"list of words: (.*?)\n", prompt)
    items = listed.split(", ")
    numbered = ", ".join(f"{place} {item}" for place, item in enumerate(items, 1))
    return f"I number the words: {numbered}. I write them from the last number to the first.", ", ".join(items[::-1])


@words("reasoning_gym/simple_geometry")
def simple_geometry(prompt: str) -> Worked:
    angles = [float(angle) for angle in re.findall(r"([\d.]+)°", prompt)]
    whole, known = 180 * (len(angles) - 1), sum(angles)
    return (
        f"A polygon with {len(angles) + 1} sides has angles of {whole} degrees together. The known ones are "
        f"{known:g} together. What is left is {whole} - {known:g} = {whole - known:g}.",
        f"{whole - known:g}",
    )
