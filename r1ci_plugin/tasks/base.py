"""The Task API: what a task, a question and a verdict are.

A task is one class of about 25 to 80 lines with three hooks and one decorator:

    @task("symbench/letters", summary="Count a letter in a word", capabilities=("order",), answer_kind="text",
          levels=5, knobs="word length 10, 15, 20, 30, 60", source="rules of SymBench, written anew")
    class Letters(Task):
        def generate(self, rng: Random, level: int) -> Draft: ...      # the only randomness is `rng`
        def check(self, payload: Payload, answer: str) -> Verdict: ... # pure; may raise Unparseable
        def oracle(self, payload: Payload) -> str: ...                 # never sees payload["answer"]

What users call (`make`, `verify`, `solve`) wraps the hooks, so that seeding, length caps, the split between a wrong and
an unreadable answer, and the rule "the solver reads only what the prompt states" hold for every task alike.

Left out: processes and deadlines (`reward/pool.py` kills a verifier that takes too long; call `verify` on model text
only there), lookup by name (`registry.py`), the words around a question (`protocol.py`).
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, ClassVar, Literal, TypeVar

from r1ci_plugin.tasks.answers import Unparseable, peeled

Payload = dict[str, Any]
"""What the verifier needs, JSON-able. The key `answer`, if present, holds the stored truth and is hidden from the
solver.
"""

Outcome = Literal["correct", "wrong", "unparseable", "timeout", "error"]

WHOLE_SUITES = ("bbh",)
"""Suites that the paper takes whole (27 tasks of BIG-Bench Hard), so that every one of their names is stated."""

_TELLING: tuple[Outcome, ...] = ("unparseable", "wrong", "error", "correct")
"""From the verdict that says least of an answer to the one that says most."""

MAX_ANSWER_CHARS = 20_000
"""Longer answers are unparseable for every task, before any parser sees them."""


@dataclass(frozen=True, slots=True)
class Question:
    """One instance of a task. `prompt` is the bare question; `protocol` adds the words on how to answer."""

    task: str
    seed: int
    difficulty: int
    prompt: str
    payload: Payload

    @property
    def question_id(self) -> str:
        """16 hex digits of the normalised text: equal ids mean the same question, whatever seed or level drew it."""
        text = re.sub(r"\s+", " ", self.prompt).strip().lower()
        return hashlib.sha256(f"{self.task}\n{text}".encode("utf-8", "replace")).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Question:
        return cls(**{name: data[name] for name in ("task", "seed", "difficulty", "prompt", "payload")})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of one answer, with a reason a person can read."""

    outcome: Outcome
    reason: str
    graded: float = 0.0
    """Partial credit in 0..1, for reports only: the reward uses `score`."""

    @property
    def score(self) -> float:
        """1.0 if the answer is right, else 0.0."""
        return 1.0 if self.outcome == "correct" else 0.0

    @classmethod
    def correct(cls, reason: str = "right") -> Verdict:
        return cls("correct", reason, 1.0)

    @classmethod
    def wrong(cls, reason: str, graded: float = 0.0) -> Verdict:
        return cls("wrong", reason, graded)

    @classmethod
    def compare(cls, got: object, expected: object) -> Verdict:
        """The verdict of a unique answer: equal values are correct."""
        return cls.correct() if got == expected else cls.wrong(f"expected {_short(expected)}, got {_short(got)}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What `generate` returns: the bare question and what the verifier needs to judge an answer."""

    prompt: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What the registry tells of a task, for people, splits and statistics."""

    name: str
    """`suite/task`, also the parquet's `data_source` and the name in metrics."""
    summary: str
    capabilities: tuple[str, ...]
    """Any of math, spatial, logical, order, optimisation, search."""
    answer_kind: str
    """The typed parser that reads the answer, e.g. integer, expression, option, label, sequence, grid, text, json,
    plan.
    """
    levels: int
    """Difficulties are 1..levels."""
    knobs: str
    """What the levels change, in one line."""
    source: str
    """Where the rules come from."""
    licence: str = "Apache-2.0"
    default_level: int = 2
    chance: float = 0.0
    """Probability that the best blind guess is right; 0 means negligible (below 0.05)."""
    answer_in_prompt: bool = False
    """True where the answer may be copied from the prompt by nature of the task (options, a part of the givens)."""
    max_answer_chars: int = 4_000
    """Longer answers are unparseable before any parser sees them: at least four times the longest right answer."""
    human_label: bool = False
    """True where only a human label is the truth: the payload holds it and `solve` returns it."""
    family: str = ""
    """Tasks of one family, and twins across suites, share this key: splits keep them on one side."""
    membership: Literal["stated", "inferred"] = "inferred"
    """Whether a public source names the task as one of the paper's 144, or we infer it."""
    params: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments of the class, for a class that serves several tasks."""

    @property
    def suite(self) -> str:
        return self.name.partition("/")[0]


class Task(ABC):
    """One of the 144 kinds of question. Subclasses fill in the three hooks; users call the three public methods."""

    info: TaskInfo

    def __init__(self, info: TaskInfo) -> None:
        self.info = info

    @property
    def name(self) -> str:
        return self.info.name

    def make(self, seed: int, difficulty: int | None = None) -> Question:
        """The question of this seed and level, the same in every process and on every machine.

        Raises ValueError if `difficulty` is not in 1..levels; None means the task's default level.
        """
        level = self.info.default_level if difficulty is None else difficulty
        if not 1 <= level <= self.info.levels:
            raise ValueError(f"{self.name}: difficulty must be in 1..{self.info.levels}, not {level}")
        draft = self.generate(Random(f"{self.name}|{level}|{seed}"), level)
        return Question(self.name, seed, level, draft.prompt.strip(), draft.payload)

    def verify(self, question: Question, answer: str) -> Verdict:
        """Judge an answer text. Pure, never raises; on model text call it only inside the killable pool."""
        if not isinstance(answer, str):
            return Verdict("unparseable", f"an answer is a text, not {type(answer).__name__}")
        limit = self.info.max_answer_chars
        if len(answer) > limit:
            return Verdict("unparseable", f"the answer has {len(answer)} characters, at most {limit} are read")
        if not answer.strip():
            return Verdict("unparseable", "the answer is empty")
        strict = self._judge(question.payload, answer.strip())
        if strict.score:
            return strict
        bare = (self._judge(question.payload, inner) for inner in peeled(answer))
        return max([strict, *bare], key=lambda verdict: _TELLING.index(verdict.outcome))

    def _judge(self, payload: Payload, answer: str) -> Verdict:
        try:
            return self.check(payload, answer)
        except Unparseable as error:
            return Verdict("unparseable", str(error))
        except Exception as error:  # a verifier's bug must cost one verdict, never the run
            return Verdict("error", f"{self.name}: {type(error).__name__}: {error}")

    def solve(self, question: Question) -> str:
        """An answer text that verifies as correct. The stored answer is hidden from the solver, except where a human
        label is the only truth.
        """
        hidden = () if self.info.human_label else ("answer",)
        return self.oracle({key: value for key, value in question.payload.items() if key not in hidden})

    @abstractmethod
    def generate(self, rng: Random, level: int) -> Draft:
        """Draw one question. `rng` is the only source of chance."""

    @abstractmethod
    def check(self, payload: Payload, answer: str) -> Verdict:
        """Judge a stripped, non-empty answer. Raise `Unparseable` where it cannot be read."""

    @abstractmethod
    def oracle(self, payload: Payload) -> str:
        """Solve the question from what the prompt states."""

    def drawing(self, payload: Payload) -> str | None:
        """A small text picture of the question for people, where one helps."""
        return None


T = TypeVar("T", bound=type[Task])


class Definitions:
    """The tasks whose modules have been imported, by name. Filled by `@task`, read by `registry`."""

    by_name: ClassVar[dict[str, Task]] = {}


def task(name: str, *, params: dict[str, Any] | None = None, **facts: Any) -> Callable[[T], T]:
    """Declare a task. `facts` are the fields of `TaskInfo`; `params` go to the class, so that one class may serve
    several tasks by stacking the decorator.
    """

    def define(cls: T) -> T:
        facts.setdefault("membership", "stated" if name.split("/")[0] in WHOLE_SUITES else "inferred")
        info = TaskInfo(name=name, params=params or {}, **facts)
        Definitions.by_name[name] = cls(info, **info.params)
        return cls

    return define


def _short(value: object, limit: int = 80) -> str:
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
