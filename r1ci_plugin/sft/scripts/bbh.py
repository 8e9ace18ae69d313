"""Scripts for tasks of BIG-Bench Hard. Left out: everything `registry.py` and `teacher.py` do."""

from __future__ import annotations

import re

from r1ci_plugin.sft.scripts.registry import find, rows, script
from r1ci_plugin.tasks.bbh.lexicon import COUNTABLES, NUMBER_WORDS, plural


@script("bbh/word_sorting")
def word_sorting(prompt: str) -> str:
    (words,) = find(r"alphabetically: (.*)", prompt)
    return f'print(*sorted("{words}".split()))\n'


@script("bbh/boolean_expressions")
def boolean_expressions(prompt: str) -> str:
    (expression,) = find(r"Evaluate: (.*)", prompt)
    return f"print({expression})\n"


@script("bbh/multistep_arithmetic_two")
def multistep_arithmetic(prompt: str) -> str:
    (expression,) = find(r"Compute: (.*) =", prompt)
    return f"print({expression})\n"


@script("bbh/object_counting")
def object_counting(prompt: str) -> str:
    terms = [f"{sign} {number}" for sign, number, _ in counted(prompt)]
    return f"print({' '.join(terms).removeprefix('+ ')})\n"


def counted(prompt: str) -> list[tuple[str, int, str]]:
    """The things asked for, in order: `+` or `-` for given away, how many, and their name."""
    (kind,) = find(r"How many (.*?) do I have", prompt)
    singular = {form: noun for noun in COUNTABLES[kind] for form in (noun, plural(noun))}
    found: list[tuple[str, int, str]] = []
    for sentence in prompt.split(".")[:-1]:
        sign = "-" if "give away" in sentence else "+"
        for quantity, name in re.findall(r"(?:have|away|,|and) (?:and )?([\w-]+) ([a-z ]+?)(?=,| and |$)", sentence):
            if name in singular:
                found.append((sign, _quantity(quantity), name))
    return found


def _quantity(text: str) -> int:
    if text in ("a", "an"):
        return 1
    return int(text) if text.isdigit() else NUMBER_WORDS[text.replace("-", " ")]


@script("bbh/navigate")
def navigate(prompt: str) -> str:
    (orders,) = find(r"starting point\? (.*) Answer Yes", prompt)
    return f"""\
import re
place, face = 0, 1
turns = {{"around": -1, "left": 1j, "right": -1j}}
steps = {{"forward": 1, "backward": -1, "left": 1j, "right": -1j}}
for turn, count, way in re.findall(r"Turn (\\w+)|Take (\\d+) steps? (\\w+)", "{orders}"):
    if turn:
        face *= turns[turn]
    else:
        place += int(count) * steps[way] * face
print("No" if place else "Yes")
"""


@script("bbh/web_of_lies")
def web_of_lies(prompt: str) -> str:
    claims, asked = find(r"(.*) Does (\w+) tell the truth\?", prompt)
    return f"""\
import re
claims = re.findall(r"(\\w+) (?:says (\\w+) )?(tells the truth|lies)\\.", "{claims}")
honest = {{}}
while "{asked}" not in honest:
    for name, other, claim in claims:
        if not other:
            honest[name] = claim != "lies"
        elif other in honest:
            honest[name] = honest[other] == (claim != "lies")
print("Yes" if honest["{asked}"] else "No")
"""


@script(*(f"bbh/tracking_shuffled_objects_{count}_objects" for count in ("three", "five", "seven")))
def tracking_shuffled_objects(prompt: str) -> str:
    start, swaps, asked, options = find(
        r": (.*?)\. (?=First|Then|Finally)(.*?)\. What does (\w+) have at the end\?\nOptions:\n(.*)", prompt
    )
    return f"""\
import re
has = dict(re.findall(r"(\\w+) has the ([^,]+)", "{start}"))
for a, b in re.findall(r"(\\w+) and (\\w+) swap", "{swaps}"):
    has[a], has[b] = has[b], has[a]
for option in {rows(options)}.splitlines():
    if option[4:] == has["{asked}"]:
        print(option[:3])
"""
