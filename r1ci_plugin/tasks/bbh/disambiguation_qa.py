"""Disambiguation: whom does a pronoun mean, or is that open? Written from templates, with truth by construction.

The convention, as in the published task: where the reason or the deed fits one role only (the doctor heals, the
patient is ill), the pronoun means that role; where it fits both people alike, it is ambiguous. Where the pronoun's
gender fits one of two first names only, it means that one. The templates are few and plainly say which case they are,
so this is a stand-in for the human-written questions, not a sample of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import OptionTask, letter_of, shuffled

AMBIGUOUS: Final = "It is ambiguous"
_PRONOUNS: Final = ("he", "she")


@dataclass(frozen=True)
class Roles:
    """Two roles that meet, and what fits one of them only."""

    first: str
    second: str
    of_first: tuple[str, ...]
    """Ends of "because PRONOUN ..." that fit the first role only."""
    of_second: tuple[str, ...]
    leaning: tuple[str, ...]
    """Those of OPEN_ENDS that do not fit both alike: it is the reader who has a question for the librarian."""

    @property
    def of_both(self) -> list[str]:
        """Ends that leave it open which of the two is meant."""
        return [end for end in OPEN_ENDS if end not in self.leaning]


ROLES: Final[tuple[Roles, ...]] = (
    Roles(
        "patient",
        "doctor",
        ("felt dizzy every morning", "needed a new prescription", "had broken a toe"),
        ("knew every treatment for the illness", "held consultations on Mondays", "had studied medicine"),
        ("had a question", "had slept badly", "was worried", "had made a mistake", "was feeling lonely"),
    ),
    Roles(
        "tenant",
        "landlord",
        ("was late with the rent", "wanted to move out of the flat", "rented the flat on the first floor"),
        ("owned the whole building", "collected the rent", "wanted to sell the house"),
        ("had a question", "had moved recently", "was worried"),
    ),
    Roles(
        "pupil",
        "teacher",
        ("had not done the homework", "was afraid of the exam", "had failed the test"),
        ("had marked the tests", "taught the class", "had set the exam"),
        ("had a question", "had made a mistake", "was worried"),
    ),
    Roles(
        "customer",
        "waiter",
        ("wanted to order a dessert", "had not been served yet", "did not like the soup"),
        ("had spilled the soup while serving it", "was carrying the trays", "had written the order down wrongly"),
        ("had a question", "had made a mistake", "was about to leave"),
    ),
    Roles(
        "client",
        "lawyer",
        ("had been accused of theft", "needed to be defended in court", "was being sued"),
        ("knew the law well", "defended people in court", "had won every trial as counsel"),
        ("had a question", "was worried", "had made a mistake", "had important news"),
    ),
    Roles(
        "passenger",
        "driver",
        ("had bought a ticket for the ride", "wanted to get off at the next stop", "sat in the back seat"),
        ("was steering the bus", "had missed the turn at the wheel", "drove the route every day"),
        ("had a question", "was about to leave", "was passing through town", "had made a mistake"),
    ),
    Roles(
        "reader",
        "librarian",
        ("wanted to borrow an atlas", "had lost a borrowed book", "had to pay a late fee"),
        ("worked at the library desk", "kept the catalogue", "collected the late fees"),
        ("had a question", "had made a mistake"),
    ),
    Roles(
        "suspect",
        "detective",
        ("had no alibi", "was under arrest", "had left fingerprints at the scene"),
        ("was leading the investigation", "had found the fingerprints", "had a badge"),
        ("had a question", "was worried", "had made a mistake", "had important news", "was about to leave"),
    ),
    Roles(
        "apprentice",
        "carpenter",
        ("was in the first year of training", "had to learn the trade", "was still learning to saw"),
        ("owned the workshop", "had thirty years in the trade", "trained newcomers"),
        ("had a question", "had made a mistake", "was worried", "had moved recently"),
    ),
    Roles(
        "guest",
        "hotel manager",
        ("wanted to check out of the room", "was on holiday", "had lost the room key"),
        ("ran the hotel", "was responsible for the staff", "employed the cleaners"),
        ("had a question", "was about to leave", "was passing through town", "had slept badly", "had moved recently"),
    ),
    Roles(
        "farmer",
        "vet",
        ("had a sick cow", "kept forty sheep", "owned the barn"),
        ("knew how to treat cows", "had brought the vaccines", "had studied animal medicine"),
        ("had a question", "was worried", "was passing through town", "had made a mistake"),
    ),
    Roles(
        "author",
        "publisher",
        ("had finished the manuscript", "was writing a second novel", "had invented the story"),
        ("printed the books", "paid the advance", "ran the publishing house"),
        ("had a question", "had important news", "was worried"),
    ),
)
MEETINGS: Final = (
    "met",
    "spoke with",
    "had lunch with",
    "took a walk with",
    "shared a taxi with",
    "played chess with",
    "argued with",
    "sat next to",
    "danced with",
    "travelled with",
)
"""What two people do alike, so that the deed says nothing about the pronoun."""
OPEN_ENDS: Final = (
    "had some time that day",
    "was in a good mood",
    "liked to talk",
    "had a question",
    "had moved recently",
    "was about to leave",
    "had important news",
    "was feeling lonely",
    "had slept badly",
    "was passing through town",
    "had made a mistake",
    "was worried",
    "was bored",
    "was early that day",
    "lived nearby",
    "had nothing else to do",
    "enjoyed company",
    "was getting tired",
)
"""Ends that fit any two people alike of whom nothing but their names is known."""
TIMES: Final = (
    "",
    "on Monday",
    "on Tuesday",
    "on Friday",
    "in the morning",
    "after lunch",
    "in the evening",
    "last week",
    "twice",
    "at noon",
)
BYSTANDERS: Final = ("A neighbour", "The cook", "A tourist", "The porter", "A musician", "The gardener")
REACTIONS: Final = ("laughed", "nodded", "wondered", "went on", "said nothing", "smiled")
WOMEN: Final = ("Anna", "Clara", "Julia", "Martha", "Sophie", "Laura", "Emily", "Helen", "Maria", "Diana")
MEN: Final = ("Peter", "Thomas", "Robert", "Daniel", "George", "Henry", "Martin", "Oliver", "Philip", "Stephen")


@task(
    "bbh/disambiguation_qa",
    summary="Whom does a pronoun mean, or is it open?",
    capabilities=("logical",),
    answer_kind="option",
    levels=3,
    knobs="first names whose gender decides; roles whose duties decide; roles with a second sentence about somebody "
    "else",
    source="BIG-Bench Hard disambiguation_qa, written anew from templates with truth by construction",
    default_level=2,
    chance=1 / 3,
    answer_in_prompt=True,
    family="disambiguation_qa",
)
class DisambiguationQA(OptionTask):
    def generate(self, rng: Random, level: int) -> Draft:
        wanted = rng.choice(("first", "second", "open"))
        givens = _by_gender(rng, wanted) if level == 1 else _by_role(rng, wanted)
        meeting, time = rng.choice(MEETINGS), rng.choice(TIMES)
        deed = f"{givens['first']} {meeting} {givens['second']}{time and ' '}{time}"
        sentence = f"{deed} because {givens['pronoun']} {givens['end']}."
        if level == 3:
            sentence += f" {rng.choice(BYSTANDERS)} saw it and {rng.choice(REACTIONS)}."
        sentence = sentence[0].upper() + sentence[1:]
        options = shuffled(rng, [givens["first"], givens["second"], AMBIGUOUS])
        prompt = f'Whom does the word "{givens["pronoun"]}" mean in this text, or is it ambiguous?\n{sentence}'
        return self.choice(prompt, options, **givens)

    def oracle(self, payload: Payload) -> str:
        return letter_of(payload["options"], _meant(payload))


def _by_gender(rng: Random, wanted: str) -> dict[str, str]:
    pronoun = rng.choice(("he", "she"))
    fitting, others = (MEN, WOMEN) if pronoun == "he" else (WOMEN, MEN)
    if wanted == "open":
        first, second = rng.sample(fitting, 2)
    else:
        first, second = rng.choice(fitting), rng.choice(others)
        if wanted == "second":
            first, second = second, first
    return {"first": first, "second": second, "pronoun": pronoun, "end": rng.choice(OPEN_ENDS)}


def _by_role(rng: Random, wanted: str) -> dict[str, str]:
    roles = rng.choice(ROLES)
    ends = {"first": roles.of_first, "second": roles.of_second, "open": roles.of_both}[wanted]
    first, second = shuffled(rng, (roles.first, roles.second))
    return {
        "first": f"the {first}",
        "second": f"the {second}",
        "pronoun": rng.choice(_PRONOUNS),
        "end": rng.choice(ends),
    }


def _meant(givens: Payload) -> str:
    """One of the two people, or AMBIGUOUS."""
    first, second, pronoun, end = (givens[key] for key in ("first", "second", "pronoun", "end"))
    for roles in ROLES:
        if {first, second} == {f"the {roles.first}", f"the {roles.second}"}:
            if end in roles.of_first:
                return f"the {roles.first}"
            if end in roles.of_second:
                return f"the {roles.second}"
    fitting = [name for name in (first, second) if name in (MEN if pronoun == "he" else WOMEN)]
    return str(fitting[0]) if len(fitting) == 1 else AMBIGUOUS
