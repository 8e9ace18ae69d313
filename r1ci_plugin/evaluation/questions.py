"""Which questions a run asks: held-out questions of tasks, the rows of a data set, or a file of somebody else's.

A JSON Lines file of one's own has a line a question: `prompt`, and `answer` with `kind` (integer, number, choice, text;
see `external.py`), or a whole question as records hold it. Left out: answering them (`runner.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from r1ci_plugin.data.plan import Plan, held_out
from r1ci_plugin.evaluation.external import external_question
from r1ci_plugin.journal import text_lines
from r1ci_plugin.tasks import Question, get_task, task_names
from r1ci_plugin.tasks.splits import Split, get_split


class NoQuestions(ValueError):
    """Nothing matches, or a file cannot be read. The message says what to do."""


def choose_tasks(chosen: str, split: Split) -> list[str]:
    """Task names for `test`, `train`, `all`, a suite, or shell patterns separated by commas; in stable order."""
    sides = {"test": split.test, "train": split.train, "all": tuple(task_names())}
    wanted: set[str] = set()
    for part in filter(None, (piece.strip() for piece in chosen.split(","))):
        names = sides.get(part) or task_names(part) or task_names(f"{part}/*") or task_names(f"*/{part}")
        if not names:
            raise NoQuestions(f"no task matches {part!r}: test, train, all, a suite, or names from `r1ci tasks list`")
        wanted.update(names)
    return [name for name in task_names() if name in wanted]


def held_out_questions(
    tasks: Sequence[str],
    per_task: int,
    *,
    split: str = "default",
    levels: Sequence[int] = (),
    seed: int = 0,
    excluded: frozenset[str] = frozenset(),
    on_missing: Callable[[str], None] = lambda _: None,
) -> list[Question]:
    """Up to `per_task` questions of every task that a data set of the same split and seed does not train on.

    Tasks whose official files are missing are left out, which `on_missing` is told; NoQuestions if that leaves none.
    """
    plan = Plan.of(
        get_split(split),
        tasks,
        allow_canary=True,
        questions_per_task=per_task,
        validation_per_task=per_task,
        levels=tuple(levels),
        seed=seed,
        excluded=excluded,
    )
    found: list[Question] = []
    missing: dict[str, str] = {}
    for name in plan.tasks:
        try:
            found += held_out(plan, name)
        except FileNotFoundError as error:
            missing[name] = str(error)
    reason = next(iter(missing.values()), "the chosen tasks have no question of these levels")
    if not found:
        raise NoQuestions(reason)
    if missing:
        on_missing(f"{len(missing)} of {len(plan.tasks)} tasks are left out ({', '.join(missing)}): {reason}")
    order = {name: place for place, name in enumerate(task_names())}
    return sorted(found, key=lambda question: order[question.task])


def read_questions(file: Path, excluded: frozenset[str] = frozenset()) -> list[Question]:
    """The questions of a parquet file of `r1ci data build`, or of a JSON Lines file, each once and without those whose
    ids are `excluded`. Raises NoQuestions.
    """
    try:
        found = list(_parquet(file) if file.suffix == ".parquet" else _json_lines(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoQuestions(f"cannot read questions from {file}: {type(error).__name__}: {error}") from None
    unique: dict[str, Question] = {}
    for question in found:
        other = unique.setdefault(question.question_id, question)
        if (other.prompt, other.payload) != (question.prompt, question.payload):
            raise NoQuestions(
                f"{file} asks the same question twice, white space and case aside, with two answers or two spellings: "
                f"{question.prompt[:80]!r}: change one of them"
            )
    unique = {name: question for name, question in unique.items() if name not in excluded}
    if not unique:
        raise NoQuestions(f"{file} has no questions" + (" that are not excluded" if found else ""))
    return list(unique.values())


def _parquet(file: Path) -> Iterator[Question]:
    import pyarrow.parquet as parquet

    from r1ci_plugin.data.row import read_row

    for row in parquet.read_table(file, columns=["reward_model"]).to_pylist():
        yield read_row(row)


def _json_lines(file: Path) -> Iterator[Question]:
    for number, text in enumerate(text_lines(file), 1):
        if not text.strip():
            continue
        line = json.loads(text)
        if "question" in line and "trajectory" in line:  # a record
            line = line["question"]
        try:
            question = Question.from_dict(line) if "payload" in line else external_question(line, number)
            get_task(question.task)
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError(f"line {number}: {error}") from None
        yield question
