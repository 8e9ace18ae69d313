"""Tracking shuffled objects, three sizes: pairs of people swap what they hold; what has one of them at the end?"""

from __future__ import annotations

from random import Random

from r1ci_plugin.tasks.base import Draft, Payload, TaskInfo, task
from r1ci_plugin.tasks.bbh.common import OptionTask, joined, letter_of, shuffled
from r1ci_plugin.tasks.bbh.lexicon import COLOURS, NAMES, number_word

_SWAPS = {1: (1, 2), 2: (2, 4), 3: (3, 7), 4: (8, 14), 5: (15, 30)}
"""Level to the least and greatest number of swaps."""
_THINGS = {
    "ball": tuple(f"{colour} ball" for colour in COLOURS),
    "present": tuple(f"{colour} present" for colour in COLOURS),
    "book": (
        "book on birds",
        "book on chess",
        "book on tea",
        "book on ships",
        "book on bridges",
        "book on bees",
        "book on glass",
        "book on maps",
        "book on moss",
        "book on clocks",
    ),
    "seat": (
        "window seat",
        "aisle seat",
        "front seat",
        "back seat",
        "middle seat",
        "corner seat",
        "balcony seat",
        "box seat",
    ),
}
"""What is swapped to the things there are."""


def _facts(size: int) -> dict[str, object]:
    return {
        "summary": f"Follow {number_word(size)} things that change hands",
        "capabilities": ("order",),
        "answer_kind": "option",
        "levels": 5,
        "knobs": "1-2, 2-4, 3-7, 8-14, 15-30 swaps",
        "source": f"BIG-Bench Hard tracking_shuffled_objects_{number_word(size)}_objects, rules written anew",
        "default_level": 3,
        "chance": 1 / size,
        "answer_in_prompt": True,
        "family": "tracking_shuffled_objects",
        "params": {"size": size},
    }


@task("bbh/tracking_shuffled_objects_three_objects", **_facts(3))  # type: ignore[arg-type]
@task("bbh/tracking_shuffled_objects_five_objects", **_facts(5))  # type: ignore[arg-type]
@task("bbh/tracking_shuffled_objects_seven_objects", **_facts(7))  # type: ignore[arg-type]
class TrackingShuffledObjects(OptionTask):
    def __init__(self, info: TaskInfo, size: int) -> None:
        super().__init__(info)
        self.size = size

    def generate(self, rng: Random, level: int) -> Draft:
        people = rng.sample(NAMES, self.size)
        kind = rng.choice(sorted(_THINGS))
        things = rng.sample(_THINGS[kind], self.size)
        swaps, asked = _course(rng, people, _SWAPS[level])
        start = [list(pair) for pair in zip(people, things, strict=True)]
        prompt = _prompt(start, swaps, asked, kind)
        return self.choice(prompt, shuffled(rng, things), start=start, swaps=swaps, asked=asked)

    def oracle(self, payload: Payload) -> str:
        return letter_of(payload["options"], _at_the_end(dict(payload["start"]), payload["swaps"])[payload["asked"]])


def _course(rng: Random, people: list[str], count: tuple[int, int]) -> tuple[list[list[str]], str]:
    """Swaps, and whom to ask: of so many people one in so many holds at the end what it began with, as after long
    shuffling. Few swaps among many people leave most of them what they had, which would be the best guess.
    """
    if len(people) == 3:  # one in three by nature, after any number of swaps
        return _swaps(rng, people, count), rng.choice(people)
    stays = rng.random() < 1 / len(people)
    while True:
        swaps = _swaps(rng, people, count)
        end = _at_the_end({name: name for name in people}, swaps)
        if fitting := [name for name in people if (end[name] == name) == stays]:
            return swaps, rng.choice(fitting)


def _swaps(rng: Random, people: list[str], count: tuple[int, int]) -> list[list[str]]:
    return [rng.sample(people, 2) for _ in range(rng.randint(*count))]


def _at_the_end(holds: dict[str, str], swaps: list[list[str]]) -> dict[str, str]:
    holds = dict(holds)
    for one, other in swaps:
        holds[one], holds[other] = holds[other], holds[one]
    return holds


def _prompt(start: list[list[str]], swaps: list[list[str]], asked: str, kind: str) -> str:
    begin = joined([f"{name} has the {thing}" for name, thing in start])
    words = ["First", *["Then"] * (len(swaps) - 2), "Finally"] if len(swaps) > 1 else ["Then"]
    course = " ".join(f"{word}, {one} and {other} swap." for word, (one, other) in zip(words, swaps, strict=True))
    return f"Each person has a {kind}: {begin}. {course} What does {asked} have at the end?"
