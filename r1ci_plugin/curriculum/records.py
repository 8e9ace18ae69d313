"""The trajectory records of a training run: which are kept, and the files they are kept in.

A share of the questions, chosen by their hash, is kept with all trajectories of every draw: groups can be compared, and
a question can be followed from one draw of it to the next, and over validations. The agent loop puts the record of such
a trajectory beside what verl takes; the replay buffer, which sees rewards and whole groups, completes and writes it.
Whatever the disk does, training goes on. Left out: the record itself (`record.py`), reading and showing it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from r1ci_plugin.config import RecordSettings
from r1ci_plugin.curriculum.metrics import Sample, advantages
from r1ci_plugin.journal import encode_line
from r1ci_plugin.record import TrainingFacts

logger = logging.getLogger(__name__)

RECORD_FIELD = "r1ci_record"
"""Where a record without verdict travels in the `extra_fields` of verl's agent loop output."""

_MB = 1_000_000


def is_kept(question_id: str, share: float) -> bool:
    """Whether the trajectories of this question are kept: the same answer in every process and every run."""
    digest = hashlib.sha256(f"records\n{question_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


class RecordWriter:
    """Appends the lines of a step to `FOLDER/train-TIME-NNN.jsonl` or `FOLDER/validation-TIME-NNN.jsonl`.

    A file that has reached `file_mb` is followed by the next; where all files of the folder, those of earlier starts
    included, are over `max_mb`, the oldest go. Without a folder nothing is written.
    """

    def __init__(self, folder: str | Path | None, settings: RecordSettings) -> None:
        self._folder = Path(folder) if folder else None
        self._settings = settings
        self._started = time.strftime("%Y-%m-%dT%H-%M-%S")
        self._parts: defaultdict[str, int] = defaultdict(int)
        self._has_warned = False

    def write(self, partition: str, step: int, stage: int, samples: Sequence[Sample]) -> None:
        """Write the samples that carry a record. Never raises for the disk's sake: it warns once and goes on."""
        if self._folder is None or not any(sample.record for sample in samples):
            return
        name = "validation" if partition == "val" else partition
        data = b"".join(map(encode_line, completed(name, step, stage, samples)))
        try:
            self._append(self._file(self._folder, name), data)
            self._rotate(self._folder)
        except OSError as error:
            if not self._has_warned:
                logger.warning("trajectory records are not written, training goes on: %s", error)
            self._has_warned = True

    def _file(self, folder: Path, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}-{self._started}-{self._parts[name]:03d}.jsonl"
        if path.exists() and path.stat().st_size >= self._settings.file_mb * _MB:
            self._parts[name] += 1
            return self._file(folder, name)
        return path

    def _append(self, path: Path, data: bytes) -> None:
        """All of the step or nothing: a torn line would hide what is written after it."""
        size = path.stat().st_size if path.exists() else 0
        try:
            with path.open("ab") as file:
                file.write(data)
        except OSError:
            if path.exists():
                os.truncate(path, size)
            raise

    def _rotate(self, folder: Path) -> None:
        files = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        total = sum(path.stat().st_size for path in files)
        for path in files[:-1]:
            if total <= self._settings.max_mb * _MB:
                return
            total -= path.stat().st_size
            path.unlink()


def completed(partition: str, step: int, stage: int, samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """The record lines of a batch, with the verdict and what the trajectory earned among its group.

    The advantage is that of GRPO with std normalisation; validation has none.
    """
    groups: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        groups[sample.group].append(sample.reward)
    earned = {group: iter(advantages(rewards).tolist()) for group, rewards in groups.items()}
    lines = []
    for sample in samples:
        advantage = next(earned[sample.group])
        if sample.record is None:
            continue
        facts = TrainingFacts(
            step=step,
            stage=stage,
            group=sample.group,
            reward=round(sample.reward, 6),
            parts={name: value for name, value in sample.extra.items() if isinstance(value, float)},
            advantage=round(advantage, 6) if partition == "train" else None,
        )
        lines.append(
            {
                "key": f"{partition}|{step}|{sample.group}|{sample.record['sample']}",
                **sample.record,
                "verdict": {name: sample.extra[name] for name in ("outcome", "reason", "graded")},
                "training": asdict(facts),
            }
        )
    return lines
