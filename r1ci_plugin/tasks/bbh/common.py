"""What the tasks of this suite share: an answer has one canonical text per question, and two answers are equal if
their canonical texts are.

A task states what it draws (`generate`), how it solves it (`oracle`), and inherits from one of the four kinds below
how an answer text is read. The payload of a generated question holds what the prompt states (and `options` where
there are any) plus `answer`, the canonical text of what the solver says. An official question (`official.py`) holds
no more than `official`, `options` and `answer`: the same verifier judges it, and `solve` hands back its label.

Left out: drawing numbers, names and words (`lexicon.py`), the official files (`official.py`, `fetch.py`).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from string import ascii_uppercase
from typing import Any, ClassVar, TypeVar

from r1ci_plugin.tasks import answers
from r1ci_plugin.tasks.answers import Unparseable
from r1ci_plugin.tasks.base import Draft, Payload, Question, Task, Verdict
from r1ci_plugin.tasks.bbh.lexicon import spelled

T = TypeVar("T")


class BBHTask(Task):
    """A task whose right answer is unique up to spelling."""

    @abstractmethod
    def canonical(self, answer: str, payload: Payload) -> str:
        """The one text that stands for all spellings of this answer. Raises Unparseable."""

    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(self.canonical(answer, payload), payload["answer"])

    def solve(self, question: Question) -> str:
        """As the base class says; an official question is answered with its label, since nothing but its text is
        known."""
        if "official" in question.payload:
            return str(question.payload["answer"])
        return super().solve(question)

    def draft(self, prompt: str, **givens: Any) -> Draft:
        """The question with these givens; its stored answer is what the solver makes of them."""
        return Draft(prompt, {**givens, "answer": self.canonical(self.oracle(givens), givens)})


class OptionTask(BBHTask):
    """Multiple choice. `payload["options"]` maps a capital letter to the option's text; a letter may be written
    small."""

    def canonical(self, answer: str, payload: Payload) -> str:
        if payload.get("free_text"):  # a published question whose answer is none of its options
            return " ".join(answers.text(answer).rstrip(".").casefold().split())
        if re.fullmatch(r"\(?[a-z]\)?", answer):
            answer = answer.upper()
        return f"({answers.option(answer, payload['options'])})"

    def choice(self, prompt: str, options: Sequence[str], **givens: Any) -> Draft:
        """A draft whose prompt ends with the lettered options, in the order given."""
        lettered = dict(zip(ascii_uppercase, options, strict=False))
        return self.draft(f"{prompt}\n{option_lines(lettered)}", options=lettered, **givens)


class LabelTask(BBHTask):
    """One of a few words."""

    labels: ClassVar[Mapping[str, str]]
    """Accepted spelling in lower case to canonical label."""

    def canonical(self, answer: str, payload: Payload) -> str:
        return answers.label(answer, self.labels)


class IntegerTask(BBHTask):
    """An exact integer, in digits or in English words."""

    def canonical(self, answer: str, payload: Payload) -> str:
        in_words = spelled(answer.strip(" .\"'`"))
        return str(answers.integer(answer) if in_words is None else in_words)


class SequenceTask(BBHTask):
    """Words in an order; commas, line ends, brackets, quotes and case are spelling."""

    def canonical(self, answer: str, payload: Payload) -> str:
        found = answers.words(answer)
        if not found:
            raise Unparseable("no words in the answer")
        return " ".join(found).lower()


def option_lines(options: Mapping[str, str]) -> str:
    """The block that lists lettered options."""
    return "\n".join(["Options:", *(f"({letter}) {text}" for letter, text in options.items())])


def letter_of(options: Mapping[str, str], text: str) -> str:
    """`(C)`, the letter of the option with exactly this text. Raises ValueError unless there is exactly one."""
    (letter,) = [letter for letter, words in options.items() if words == text]
    return f"({letter})"


def shuffled(rng: Random, items: Iterable[T]) -> list[T]:
    """The items in a random order, as a new list."""
    return rng.sample(pool := list(items), len(pool))


def chained(right: T, count: int, step: Callable[[T], T], rng: Random) -> list[T]:
    """So many different things, each a step from the next, with the right one anywhere in the chain.

    Wrong options that are all made of the right one give it away: it is the one they have in common. Where a step is as
    likely as its way back, a chain looks the same wherever the right one stands. A step may stay where it is, for
    "there is no such step": the chain is then drawn again.
    """
    while True:
        place = rng.randrange(count)
        chain = [*_walked(right, place, step), *_walked(right, count - 1 - place, step)[1:]]
        if len(set(chain)) == count:
            return chain


def _walked(start: T, steps: int, step: Callable[[T], T]) -> list[T]:
    walk = [start]
    for _ in range(steps):
        walk.append(step(walk[-1]))
    return walk


def around(right: int, count: int, width: int, rng: Random) -> list[int]:
    """So many different positive numbers out of a window of this width, with the right one anywhere in it."""
    least = right - rng.randrange(min(width, right))
    return [right, *rng.sample([number for number in range(least, least + width) if number != right], count - 1)]


def joined(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b, and c`."""
    if len(items) <= 2:
        return f" {last} ".join(items)
    return f"{', '.join(items[:-1])}, {last} {items[-1]}"


def with_article(noun: str) -> str:
    """`a pear`, `an apple`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
