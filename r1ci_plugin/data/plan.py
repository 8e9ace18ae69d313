"""Which questions a data set holds: from tasks, split, counts and levels to lists of distinct questions. Pure.

Every part draws from a range of seeds of its own, so that training, validation and test never share a seed; and a
question whose normalised text was drawn before is passed over: a held-out question is held out whatever generators do.

Left out: processes, progress and files (`build.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from r1ci_plugin.tasks import Question, Task, get_task
from r1ci_plugin.tasks.splits import Split

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

SEEDS_OF_A_PART = 1_000_000
"""The distance between the first seeds of two parts of a data set."""
MAX_SEED = 299
"""So that all data sets draw below 900 million, which leaves the seeds above to trajectories for fine-tuning."""
MAX_DRAWS_PER_QUESTION = 25
"""A task that gives this many known questions for each one asked of it has run out of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build. Equal plans give equal bytes."""

    split: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    questions_per_task: int = 200
    validation_per_task: int = 20
    levels: tuple[int, ...] = ()
    """Difficulties to spread the questions over; empty: all levels of each task."""
    seed: int = 0
    excluded: frozenset[str] = frozenset()
    """Ids of questions that must not be drawn, e.g. those a policy was fine-tuned on."""

    def __post_init__(self) -> None:
        most = SEEDS_OF_A_PART // MAX_DRAWS_PER_QUESTION
        if not (1 <= self.questions_per_task <= most and 0 <= self.validation_per_task <= most):
            raise ValueError(f"a data set has 1 to {most} questions a task, and no more held out")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"the seed of a data set is 0 to {MAX_SEED}, not {self.seed}")

    @classmethod
    def of(cls, split: Split, tasks: Sequence[str], *, allow_canary: bool = False, **counts: Any) -> Plan:
        """The plan for those of the tasks that the split puts on either side.

        Tasks that only a human label judges come from public files that ask not to be trained on: they are trained on
        with `allow_canary` alone. Raises ValueError if no task is left.
        """
        train = tuple(name for name in split.train if name in tasks and (allow_canary or not has_canary(name)))
        test = tuple(name for name in split.test if name in tasks)
        if not train + test:
            raise ValueError("no task is left to build: the files of those chosen ask not to be trained on")
        return cls(split.name, train, test, **counts)

    @property
    def tasks(self) -> tuple[str, ...]:
        return self.train + self.test

    def to_dict(self) -> dict[str, Any]:
        """The plan as the record keeps it.

        Of the excluded questions only how many, and a digest that names them; and the tasks whose published questions
        are trained on although they ask not to be.
        """
        ids = sorted(self.excluded)
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
        canary = [name for name in self.train if has_canary(name)]
        return {**asdict(self), "excluded": {"questions": len(ids), "digest": digest}, "trains_on_canary": canary}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The questions of one task, by part, and how many were asked for."""

    task: str
    questions: dict[Part, list[Question]]
    wanted: dict[Part, int]

    @property
    def missing(self) -> int:
        """Questions the task could not give because it has no more distinct ones."""
        return sum(self.wanted[part] - len(self.questions[part]) for part in self.wanted)


def has_canary(name: str) -> bool:
    """Whether the questions of a task are published ones that ask not to be trained on."""
    return get_task(name).info.human_label


def draw(plan: Plan, name: str) -> Drawn:
    """The questions of one task: validation first, so that training never takes what is held out.

    Raises ValueError if the task has none of the plan's levels.
    """
    task = get_task(name)
    wanted: dict[Part, int] = {"test": plan.questions_per_task}
    if name in plan.train:
        wanted = {"validation": plan.validation_per_task, "train": plan.questions_per_task}
    known = set(plan.excluded)
    questions = {part: list(_distinct(task, plan, part, count, known)) for part, count in wanted.items()}
    return Drawn(name, questions, wanted)


def held_out(plan: Plan, name: str) -> list[Question]:
    """The questions of one task to evaluate on: the test questions of a test task, else the validation questions.

    They are the first that `draw` gives for the same plan, so a data set of the plan trains on none of them.
    """
    part: Part = "validation" if name in plan.train else "test"
    count = plan.validation_per_task if name in plan.train else plan.questions_per_task
    return list(_distinct(get_task(name), plan, part, count, set(plan.excluded)))


def levels_of(task: Task, plan: Plan) -> list[int]:
    """The difficulties of the plan that the task has. Raises ValueError if there is none."""
    own = range(1, task.info.levels + 1)
    levels = [level for level in own if level in plan.levels or not plan.levels]
    if not levels:
        raise ValueError(f"{task.name} has the levels 1 to {task.info.levels}, none of those asked for")
    return levels


def _distinct(task: Task, plan: Plan, part: Part, count: int, known: set[str]) -> Iterator[Question]:
    """Up to `count` questions that are not in `known`, in turns over the levels; `known` grows by what is drawn."""
    levels = levels_of(task, plan)
    first = (plan.seed * len(PARTS) + PARTS.index(part)) * SEEDS_OF_A_PART
    found = 0
    for draw in range(count * MAX_DRAWS_PER_QUESTION):
        if found == count:
            return
        question = task.make(first + draw, levels[draw % len(levels)])
        if question.question_id not in known:
            known.add(question.question_id)
            found += 1
            yield question
