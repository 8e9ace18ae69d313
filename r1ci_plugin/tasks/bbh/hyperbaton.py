"""Hyperbaton: in which phrase do the adjectives stand in the usual English order (opinion, size, age, shape, colour,
origin, material, purpose)? The order is a convention; every adjective here belongs to one class only, and no two of a
phrase to the same.
"""

from __future__ import annotations

from random import Random
from typing import Final

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import OptionTask, chained, shuffled
from r1ci_plugin.tasks.bbh.lexicon import listed

ADJECTIVES: Final[dict[str, tuple[str, ...]]] = {
    "opinion": listed("lovely ugly nice awful wonderful dreadful charming silly terrible good splendid"),
    "size": listed("big small huge tiny large little enormous gigantic"),
    "age": listed("old new ancient modern antique brand-new archaic"),
    "shape": listed("round square triangular oval rectangular hexagonal circular"),
    "colour": listed("red green blue yellow black white purple brown pink grey"),
    "origin": listed("French Chinese Turkish Mexican Norwegian Kenyan Brazilian Polish Indian Egyptian"),
    "material": listed("wooden plastic steel cotton leather glass paper rubber silk iron"),
    "purpose": listed("cooking walking drinking sewing painting sleeping hiking cleaning"),
}
"""Class of adjectives to members, in the usual order of the classes."""
_NOUNS = listed("box cup bag hat lamp chair ship car knife table bottle shoe tent toy ball mask")
_SHAPES = {1: ((2, 2), 2), 2: ((3, 3), 2), 3: ((4, 5), 2), 4: ((5, 6), 3), 5: ((6, 8), 4)}
"""Level to (least and greatest number of adjectives, options)."""


@task(
    "bbh/hyperbaton",
    summary="Which phrase has its adjectives in the usual order?",
    capabilities=("logical", "order"),
    answer_kind="option",
    levels=5,
    knobs="2, 3, 4-5, 5-6, 6-8 adjectives; 2 options, 3 on level 4, 4 on level 5; from level 4 each option is "
    "another one with two neighbours swapped",
    source="BIG-Bench Hard hyperbaton, rules written anew",
    default_level=3,
    chance=0.5,
    answer_in_prompt=True,
    family="hyperbaton",
)
class Hyperbaton(OptionTask):
    def generate(self, rng: Random, level: int) -> Draft:
        adjectives, options = _SHAPES[level]
        kinds = rng.sample(list(ADJECTIVES), rng.randint(*adjectives))
        right = tuple(rng.choice(ADJECTIVES[kind]) for kind in ADJECTIVES if kind in kinds)
        noun = rng.choice(_NOUNS)
        if level >= 4:
            orders = chained(right, options, lambda order: _swapped(rng, order), rng)
        else:
            orders = [right, _reordered(rng, right)]
        phrases = [f"{' '.join(order)} {noun}" for order in shuffled(rng, orders)]
        return self.choice("In which phrase do the adjectives stand in the usual English order?", phrases)

    def oracle(self, payload: Payload) -> str:
        rank = {word: place for place, members in enumerate(ADJECTIVES.values()) for word in members}
        for letter, phrase in payload["options"].items():
            ranks = [rank[word] for word in phrase.split()[:-1]]
            if ranks == sorted(ranks):
                return f"({letter})"
        raise ValueError("no option is in order")


def _swapped(rng: Random, words: tuple[str, ...]) -> tuple[str, ...]:
    place = rng.randrange(len(words) - 1)
    return (*words[:place], words[place + 1], words[place], *words[place + 2 :])


def _reordered(rng: Random, words: tuple[str, ...]) -> tuple[str, ...]:
    """The same words in another order."""
    while (other := tuple(shuffled(rng, words))) == words:
        pass
    return other
