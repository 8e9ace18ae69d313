"""Building the data set: questions are drawn in processes and kept task by task, so that a stopped build goes on.

    train.parquet  validation.parquet  test.parquet   the questions, in the order of the registry
    build.json                                        plan, counts, versions and the SHA-256 of every file
    README.md                                         the data set card

The same plan with the same code gives the same bytes. A finished data set is never overwritten unless asked to.

Left out: which questions (`plan.py`), the row (`row.py`), the card's words (`card.py`), whether the outcome is sound
(`check.py`).
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

import r1ci_plugin
from r1ci_plugin.data.card import card
from r1ci_plugin.data.files import RECORD
from r1ci_plugin.data.plan import PARTS, Part, Plan, draw, levels_of
from r1ci_plugin.data.row import SCHEMA, decode, encode, make_row
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.tasks import Question, get_task

_UNFINISHED = ".unfinished"
MAX_LABELS, REPEATED = 12, 4
"""Answers are labels if there are at most so many, and each so often on average."""

Measure = Callable[[Sequence[str]], list[int]]
"""The lengths of texts."""


def characters(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


class WouldOverwrite(RuntimeError):
    """The folder holds a finished data set."""


class TaskFailed(RuntimeError):
    """A task's generator is broken. The message names the task."""


@dataclass(frozen=True, slots=True)
class Built:
    """What was built of one task."""

    task: str
    questions: dict[Part, int]
    missing: int
    """Questions the task could not give because it has no more distinct ones."""
    levels: tuple[int, ...]
    prompt_lengths: tuple[int, int]
    """Median and 95th percentile of the rendered prompts, in what the build was told to measure them by."""
    labels: str = ""
    """Where the answer is one of a few: how many, the most frequent one and its share; else empty."""
    left_out: str = ""
    """Why it was left out, where it needs a file that is not there; empty if it was built."""


def build(
    plan: Plan,
    out: Path,
    *,
    workers: int = 0,
    force: bool = False,
    on_task: Callable[[str], None] = lambda name: None,
    measure: Measure = characters,
) -> list[Built]:
    """Build the data set into a folder and return what was built, task by task in the registry's order.

    workers: processes that draw questions, 0 for one a core. on_task: told the name of every task that is done, in any
    order. measure: lengths of rendered prompts, e.g. in tokens. A build that was stopped goes on where it stopped if
    plan and code are the same. A task that needs files which are not there is left out. Raises WouldOverwrite,
    TaskFailed, ValueError.
    """
    if (out / RECORD).exists() and not force:
        raise WouldOverwrite(f"{out} holds a finished data set: choose another folder, or --force to replace it")
    for name in plan.tasks:
        levels_of(get_task(name), plan)  # before hours of work, not after
    store = out / _UNFINISHED / fingerprint(plan)
    store.mkdir(parents=True, exist_ok=True)
    left_out = _draw_all(plan, store, workers or os.cpu_count() or 1, on_task)
    if len(left_out) == len(plan.tasks):
        raise ValueError(f"no task is left to build: {next(iter(left_out.values()))}")
    (out / RECORD).unlink(missing_ok=True)
    built = _write_parts([name for name in plan.tasks if name not in left_out], store, out, measure)
    record = _record(plan, built, out)
    (out / "README.md").write_text(card(record), encoding="utf-8")
    (out / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    shutil.rmtree(out / _UNFINISHED)
    return [*built, *(Built(name, {}, 0, (), (0, 0), "", why) for name, why in left_out.items())]


def fingerprint(plan: Plan) -> str:
    """Equal for builds whose questions are equal: the plan, the protocol and the code of the tasks."""
    return hashlib.sha256(f"{plan.to_json()}\n{PROTOCOL}\n{source_digest()}".encode()).hexdigest()[:16]


@cache
def source_digest() -> str:
    """16 hex digits over the sources of all tasks."""
    root = Path(r1ci_plugin.__file__).parent / "tasks"
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(f"{file.relative_to(root).as_posix()}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _draw_all(plan: Plan, store: Path, workers: int, on_task: Callable[[str], None]) -> dict[str, str]:
    """Draw every task that is not in the store yet, in fresh processes; gives the tasks that lack a file, and why."""
    missing = []
    for name in plan.tasks:
        if (store / _file_of(name)).exists():
            on_task(name)
        else:
            missing.append(name)
    left_out: dict[str, str] = {}
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, min(workers, len(missing))), mp_context=context) as processes:
        jobs = {processes.submit(_draw_one, plan, name, store): name for name in missing}
        try:
            for job in as_completed(jobs):
                name, why = jobs[job], job.result()
                if why:
                    left_out[name] = why
                on_task(name)
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()  # the others' tasks may take long, and what they finished is kept
            raise
    return left_out


def _draw_one(plan: Plan, name: str, store: Path) -> str:
    """Draw one task into the store; gives why the task is left out, or an empty text. The file is whole or absent."""
    try:
        drawn = draw(plan, name)
    except FileNotFoundError as error:
        return str(error)
    except Exception as error:
        raise TaskFailed(f"{name} cannot make its questions: {type(error).__name__}: {error}") from error
    questions = {part: [encode(question) for question in questions] for part, questions in drawn.questions.items()}
    target = store / _file_of(name)
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps({"missing": drawn.missing, "questions": questions}), encoding="utf-8")
    partial.replace(target)
    return ""


def _write_parts(names: Sequence[str], store: Path, out: Path, measure: Measure) -> list[Built]:
    """Write the three files, one row group a task, and return the summaries."""
    built = []
    partials = {part: out / f"{part}.partial" for part in PARTS}
    indices = {part: count() for part in PARTS}
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(parquet.ParquetWriter(file, SCHEMA, compression="zstd"))
            for part, file in partials.items()
        }
        for name in names:
            drawn = _load(store, name)
            questions = {part: [decode(text) for text in drawn["questions"].get(part, ())] for part in PARTS}
            rows = {
                part: [make_row(question, part, next(indices[part])) for question in questions[part]] for part in PARTS
            }
            for part in PARTS:
                if rows[part]:
                    writers[part].write_table(pa.Table.from_pylist(rows[part], SCHEMA))
            prompts = [row["prompt"][0]["content"] for part in PARTS for row in rows[part]]
            asked = [question for part in PARTS for question in questions[part]]
            counts = {part: len(texts) for part, texts in drawn["questions"].items()}
            built.append(_summary(name, counts, drawn["missing"], asked, sorted(measure(prompts)) or [0]))
    for part, partial in partials.items():
        partial.replace(out / f"{part}.parquet")
    return built


def _record(plan: Plan, built: list[Built], out: Path) -> dict[str, Any]:
    """What `build.json` says: enough to know where the files come from and whether they were changed."""
    files = {
        f"{part}.parquet": {
            "sha256": hashlib.sha256((out / f"{part}.parquet").read_bytes()).hexdigest(),
            "questions": sum(one.questions.get(part, 0) for one in built),
        }
        for part in PARTS
    }
    return {
        "plan": plan.to_dict(),
        "protocol": PROTOCOL,
        "source_digest": source_digest(),
        "versions": {name: version(name) for name in ("pyarrow", "reasoning-gym")}
        | {"r1ci_plugin": r1ci_plugin.__version__},
        "files": files,
        "tasks": {one.task: {"questions": one.questions, "missing": one.missing} for one in built},
    }


def _summary(
    name: str, counts: dict[Part, int], missing: int, asked: Sequence[Question], lengths: Sequence[int]
) -> Built:
    return Built(
        task=name,
        questions=counts,
        missing=missing,
        levels=tuple(sorted({question.difficulty for question in asked})),
        prompt_lengths=(lengths[len(lengths) // 2], lengths[len(lengths) * 95 // 100]),
        labels=_labels(asked),
    )


def _labels(asked: Sequence[Question]) -> str:
    answers = Counter(str(question.payload.get("answer", "")) for question in asked)
    if not asked or "" in answers or len(answers) > MAX_LABELS or REPEATED * len(answers) > len(asked):
        return ""
    answer, count = answers.most_common(1)[0]
    return f"{len(answers)}, {answer} {count / len(asked):.0%}"


def _load(store: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((store / _file_of(name)).read_text(encoding="utf-8"))
    return content


def _file_of(name: str) -> str:
    return name.replace("/", ".") + ".json"
