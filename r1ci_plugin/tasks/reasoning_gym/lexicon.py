"""English words and phrases from the texts that ship with the library, for tasks on words.

Left out: what the tasks do with them.
"""

from __future__ import annotations

import re
from functools import cache
from random import Random

from r1ci_plugin.tasks.reasoning_gym.library import data_lines

_SENTENCE_END = re.compile(r"""(?<!Dr\.)(?<!Mr\.)(?<!Mrs\.)(?<!St\.)(?:(?<=[.!?])|(?<=[.!?]["']))\s+""")
_SENTENCE = re.compile(r"""["']?[A-Z](?:(?!--["'])[^.!?])*[.!?]["']?""")


@cache
def story() -> str:
    """A public-domain story as one line, without its licence header and footer."""
    text = "\n".join(data_lines("in_the_year_2889.txt"))
    body = re.split(r"\*\*\* (?:START|END) OF [^*]*\*\*\*", text)[1]
    return re.sub(r"\s+", " ", body)


@cache
def story_words() -> list[str]:
    """Every purely alphabetic ASCII word of the story, in order, with its capitals."""
    return re.findall(r"(?<![\w'-])[A-Za-z]+(?![\w'-])", story())


@cache
def sentences() -> list[str]:
    """The whole sentences of the story, with their punctuation: no half of a speech, none with a title or a dash that
    breaks off, whose full stop or quote ends nothing."""
    return [one for one in _SENTENCE_END.split(story()) if _SENTENCE.fullmatch(one) and one.count('"') % 2 == 0]


@cache
def known_words() -> frozenset[str]:
    """Lower-case English words: the library's word lists and the words of the story."""
    listed = [word.strip().lower() for word in data_lines("words3to10.txt")]
    table = [cell.strip().lower() for line in data_lines("words.csv")[1:] for cell in line.split(",")]
    return frozenset(word for word in [*listed, *table, *(word.lower() for word in story_words())] if word)


@cache
def ladder_words(length: int) -> tuple[str, ...]:
    """Common words of three to five letters, upper case, sorted."""
    return tuple(sorted({line.split(",")[length - 3].strip().upper() for line in data_lines("words.csv")[1:]} - {""}))


def phrase(rng: Random, low: int, high: int) -> list[str]:
    """A run of consecutive words of the story."""
    size = rng.randint(low, high)
    start = rng.randrange(len(story_words()) - size)
    return story_words()[start : start + size]
