"""The data set card: what a person who gets the files without this project needs to know, in the Hub's format.

Left out: how the files came about (`build.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from r1ci_plugin.data.plan import PARTS
from r1ci_plugin.markdown import table_row
from r1ci_plugin.tasks import get_task
from r1ci_plugin.tasks.splits import parted

_HEAD = """\
---
license: apache-2.0
language: [en]
task_categories: [text-generation, question-answering]
tags: [reasoning, code-interpreter, reinforcement-learning, verl]
configs:
- config_name: default
  data_files:
{files}
---
# Questions for R1-Code-Interpreter training

{total} questions of {tasks} reasoning and planning tasks, made by the generators of r1ci_plugin {version} and
readable by verl as they are. Every answer is judged by a program; nothing here was written by a language model.

| file | questions | what it is for |
| --- | ---: | --- |
{parts}

- **Made by** `r1ci data build` from split `{split}`, seed {seed}, {per_task} questions a task and {validation} held out
  (protocol `{protocol}`, generators `{digest}`): the same command with the same version gives the same bytes, and
  `r1ci data check` proves a copy. `build.json` holds the whole plan and the SHA-256 of every file.
- **Split.** `{split}`: test tasks are never trained on. {kin}
  The paper's own split and its list of 144 tasks are not public; this list and this split are ours.
- **Columns.** `data_source` (suite/task), `prompt` (chat messages), `reward_model.ground_truth` (what the verifier
  reads, as JSON: never show it to a model), `extra_info` (seed, difficulty, question_id, protocol).
- **No question is in two files**, compared by normalised text (`r1ci data check` proves this too).

## Tasks

| task | asks to | answer | train | validation | test | source | licence |
| --- | --- | --- | ---: | ---: | ---: | --- | --- |
"""

_USE = {
    "train": "training",
    "validation": "held-out questions of the training tasks, for curves during training",
    "test": "tasks that training never sees",
}


def card(record: dict[str, Any]) -> str:
    """The README.md of a data set from what `build.json` records of it."""
    plan, files = record["plan"], record["files"]
    head = _HEAD.format(
        files="\n".join(
            f"  - split: {part}\n    path: {part}.parquet" for part in PARTS if files[f"{part}.parquet"]["questions"]
        ),
        total=sum(file["questions"] for file in files.values()),
        tasks=len(record["tasks"]),
        version=record["versions"]["r1ci_plugin"],
        parts="\n".join(
            table_row(f"{part}.parquet", files[f"{part}.parquet"]["questions"], use) for part, use in _USE.items()
        ),
        split=plan["split"],
        kin=_kin(parted(plan["train"], plan["test"])),
        per_task=plan["questions_per_task"],
        validation=plan["validation_per_task"],
        seed=plan["seed"],
        protocol=record["protocol"],
        digest=record["source_digest"],
    )
    return head + "\n".join(_task_lines(record["tasks"])) + "\n" + _canary_note(plan["trains_on_canary"])


def _kin(pairs: Sequence[tuple[str, str]]) -> str:
    """Whether what is tested is trained on under another name."""
    if not pairs:
        return "Families of tasks and twins across suites are on one side."
    named = ", ".join(f"{tested} ({trained})" for tested, trained in pairs)
    return f"Not wholly unseen, with a relative among the training tasks: {named}."


def _task_lines(tasks: dict[str, Any]) -> Iterable[str]:
    for name, built in tasks.items():
        info = get_task(name).info
        counts = (built["questions"].get(part, 0) for part in PARTS)
        yield table_row(name, info.summary, info.answer_kind, *counts, info.source, info.licence)


def _canary_note(tasks: list[str]) -> str:
    """What whoever trains on public test questions owes the reader."""
    if not tasks:
        return ""
    return (
        "\n**Trains on public test questions.** The training questions of "
        f"{', '.join(tasks)} come from published files that ask not to be trained on (canary): results on these tasks "
        "do not compare with results of models that were not.\n"
    )
