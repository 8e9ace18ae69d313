"""Judged answers from whatever runs leave behind, for counting pass rates.

| what lies at the path | where it comes from |
| --- | --- |
| a file of counts (`.parquet`, `.jsonl`) | `r1ci potential measure` |
| a folder with `trajectories.jsonl`, or that file | an evaluation or measuring run |
| a folder with `trajectories/*.jsonl` | a training run |
| a folder of `<step>.jsonl`, or one such file | verl's `trainer.rollout_data_dir` and `trainer.validation_data_dir` |

verl's rollout dumps hold the shaped reward and not correctness, so what is right is read back from the reward's
weights; its validation dumps hold `acc`. Lost answers are left out everywhere. Left out: counting (`counts.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from r1ci_plugin.config import RewardWeights
from r1ci_plugin.curriculum.counts import Answer, Count, CountsError, read_counts, tally
from r1ci_plugin.data.row import decode
from r1ci_plugin.journal import text_lines
from r1ci_plugin.record import Record
from r1ci_plugin.record_files import NoRecords, find_files, read_records

PADDING = "pad"
"""How ids of rows begin that verl adds to fill a batch (verl/trainer/ppo/padding_utils.py); all others are UUIDs."""


def counts_at(path: Path, weights: RewardWeights | None = None) -> list[Count]:
    """The counts of what lies at a path.

    weights: the reward of the run behind a rollout dump, where it was not the default. Raises CountsError.
    """
    weights = weights or RewardWeights()
    if path.is_dir():
        return tally(_of_folder(path, weights))
    if not path.is_file():
        raise CountsError(f"there is nothing at {path}: `r1ci potential measure` makes counts")
    if path.suffix != ".jsonl" or "right" in _first_line(path):
        return read_counts(path)
    return tally(_of_file(path, weights))


def _of_folder(folder: Path, weights: RewardWeights) -> Iterator[Answer]:
    try:
        files = find_files(folder)
    except NoRecords:
        files = sorted(file for file in folder.glob("*.jsonl") if file.stem.isdecimal())
    if not files:
        raise CountsError(f"{folder} holds no trajectories.jsonl, no trajectories/ and no rollout dump of verl")
    for file in files:
        yield from _of_file(file, weights)


def _of_file(file: Path, weights: RewardWeights) -> Iterator[Answer]:
    first = _first_line(file)
    if "trajectory" in first:
        yield from _of_records(file)
    elif "gts" in first:
        yield from _of_dump(file, weights)
    elif first:
        raise CountsError(f"{file} holds neither counts, nor trajectories, nor a rollout dump of verl")


def _of_records(file: Path) -> Iterator[Answer]:
    try:
        for record in read_records(file):
            if not record.is_lost:
                yield _answer(record)
    except NoRecords as error:
        raise CountsError(str(error)) from None


def _answer(record: Record) -> Answer:
    question = record.question
    return Answer(
        question.question_id,
        question.task,
        question.difficulty,
        record.agent,
        record.temperature,
        record.acc == 1.0,
    )


def _of_dump(file: Path, weights: RewardWeights) -> Iterator[Answer]:
    for text in text_lines(file):
        try:
            line = json.loads(text)
            if str(line.get("uid", "")).startswith(PADDING):
                continue
            question = decode(line["gts"])
        except (TypeError, ValueError, KeyError) as error:
            raise CountsError(f"{file} is a dump of questions that are not ours: {error}") from error
        right = line["acc"] == 1.0 if "acc" in line else is_right(line["score"], weights)
        yield Answer(question.question_id, question.task, question.difficulty, "training", None, right)


def is_right(reward: float, weights: RewardWeights) -> bool:
    """Whether a shaped reward is that of a correct answer. Raises CountsError if the weights do not tell them apart."""
    lowest_right = weights.correct - abs(weights.format) + min(0.0, weights.long_turns)
    highest_wrong = abs(weights.format) + max(0.0, weights.long_turns)
    if lowest_right <= highest_wrong:
        raise CountsError(f"with the reward {weights} a dump cannot tell right from wrong: count trajectories")
    return reward > (lowest_right + highest_wrong) / 2


def _first_line(file: Path) -> dict[str, Any]:
    with file.open(encoding="utf-8") as lines:
        text = lines.readline()
    try:
        line = json.loads(text or "{}")
    except ValueError as error:
        raise CountsError(f"{file} is no file of JSON lines: {error}") from error
    if not isinstance(line, dict):
        raise CountsError(f"{file} holds lines that are no objects")
    return line
