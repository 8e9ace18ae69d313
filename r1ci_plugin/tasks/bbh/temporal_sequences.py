"""Temporal sequences: everybody's sightings of one person fill the day but for one gap. When could the person have
been somewhere else?
"""

from __future__ import annotations

import itertools
from random import Random

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import OptionTask, letter_of, shuffled
from r1ci_plugin.tasks.bbh.lexicon import NAMES

_SIGHTINGS = {1: (6, 6), 2: (6, 7), 3: (6, 9), 4: (8, 11), 5: (10, 15)}
"""Level to the least and greatest number of sightings."""
_STEP = {1: 60, 2: 60, 3: 60, 4: 30, 5: 15}
"""Level to the minutes all times are multiples of."""
_PLACES = (
    "the bakery",
    "the library",
    "the swimming pool",
    "the theatre",
    "the harbour",
    "the museum",
    "the dentist",
    "the post office",
    "the stadium",
    "the botanic garden",
    "the workshop",
    "the chess club",
)
_DOINGS = (
    "reading in the park",
    "waiting for a bus",
    "painting a fence",
    "repairing a bicycle",
    "playing tennis",
    "feeding ducks",
    "buying vegetables",
    "writing letters in a cafe",
    "walking two dogs",
    "washing a car",
    "talking to a neighbour",
    "flying a kite",
    "drawing the old bridge",
    "stacking firewood",
    "sweeping the yard",
    "practising the violin",
    "fishing at the lake",
    "planting tulips",
)
_OPTIONS = 4


@task(
    "bbh/temporal_sequences",
    summary="Find the only gap in a day of sightings",
    capabilities=("order", "logical"),
    answer_kind="option",
    levels=5,
    knobs="6, 6-7, 6-9, 8-11, 10-15 sightings; hours, half hours from level 4, quarters on level 5; in random order "
    "from level 3",
    source="BIG-Bench Hard temporal_sequences, rules written anew",
    default_level=3,
    chance=1 / _OPTIONS,
    answer_in_prompt=True,
    family="temporal_sequences",
)
class TemporalSequences(OptionTask):
    def generate(self, rng: Random, level: int) -> Draft:
        step, count = _STEP[level], rng.randint(*_SIGHTINGS[level])
        day = 24 * 60 // step
        points = sorted(rng.sample(range(5 * day // 24, 23 * day // 24 + 1), count + 3))
        cuts = [point * step for point in points]
        pairs = _pairs(rng, count + 2)
        gap = rng.choice(pairs)
        spans = [list(span) for place, span in enumerate(itertools.pairwise(cuts)) if place not in gap]
        told = shuffled(rng, spans) if level >= 3 else spans
        options = [_span([cuts[first], cuts[second + 1]]) for first, second in pairs]
        return self.choice(_prompt(rng, told, [cuts[0], cuts[-1]]), options, seen=told, day=[cuts[0], cuts[-1]])

    def oracle(self, payload: Payload) -> str:
        free, end = payload["day"]
        for start, stop in sorted(payload["seen"]):
            if start > free:
                end = start
                break
            free = stop
        return letter_of(payload["options"], _span([free, end]))


def _pairs(rng: Random, stretches: int) -> list[tuple[int, int]]:
    """Pairs of neighbouring stretches of the day, an option each, in random order. One is to be the gap and the others
    are two sightings each, so that every option runs between times of the prompt and stands there as such nowhere.
    """
    blocks = shuffled(rng, [2] * _OPTIONS + [1] * (stretches - 2 * _OPTIONS))
    starts = itertools.accumulate(blocks, initial=0)
    return shuffled(rng, [(start, start + 1) for start, block in zip(starts, blocks, strict=False) if block == 2])


def _prompt(rng: Random, seen: list[list[int]], day: list[int]) -> str:
    who, *witnesses = rng.sample(NAMES, len(seen) + 1)
    place = rng.choice(_PLACES)
    doings = rng.sample(_DOINGS, len(seen))
    told = " ".join(
        f"{name} saw {who} {doing} from {_span(span)}."
        for name, doing, span in zip(witnesses, doings, seen, strict=True)
    )
    return (
        f"{who} got up at {_clock(day[0])} and was at {place} later that day, for the whole time that nobody else "
        f"reports. {told} From {_clock(day[1])} on {place} was closed. When was {who} at {place}?"
    )


def _span(span: list[int]) -> str:
    return f"{_clock(span[0])} to {_clock(span[1])}"


def _clock(minutes: int) -> str:
    """`9am`, `12:30pm`."""
    hour, minute = divmod(minutes, 60)
    return f"{(hour - 1) % 12 + 1}{f':{minute:02}' if minute else ''}{'am' if hour < 12 else 'pm'}"
