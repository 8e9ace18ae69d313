"""Counts: how many answers each question got from each agent at each temperature, and how many were right. Pure.

The file is what `r1ci potential measure` writes and `r1ci stages build` reads: parquet, or JSON lines for people, with
the fields of `Count`. Answers lost to the infrastructure are not in `n`. Left out: where answers come from
(`answers.py`), what counts mean (`potential.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from r1ci_plugin.curriculum.interval import check_counts
from r1ci_plugin.journal import text_lines

SCHEMA = pa.schema(
    [
        ("question_id", pa.string()),
        ("task", pa.string()),
        ("difficulty", pa.int64()),
        ("agent", pa.string()),
        ("temperature", pa.float64()),
        ("n", pa.int64()),
        ("right", pa.int64()),
    ]
)


class CountsError(ValueError):
    """A file of counts is missing or is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One judged answer."""

    question_id: str
    task: str
    difficulty: int
    agent: str
    temperature: float | None
    right: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Answers of one agent at one temperature to one question."""

    question_id: str
    task: str
    difficulty: int
    agent: str
    temperature: float | None
    """None where it is not known."""
    n: int
    right: int

    def __post_init__(self) -> None:
        check_counts(self.right, self.n)


@dataclass(frozen=True, slots=True)
class Pooled:
    """All answers to one question."""

    question_id: str
    task: str
    difficulty: int
    n: int
    right: int


def tally(answers: Iterable[Answer]) -> list[Count]:
    """Counts of judged answers, sorted by question, agent and temperature."""
    found: dict[tuple[str, str, int, str, float | None], list[int]] = {}
    for answer in answers:
        key = (answer.question_id, answer.task, answer.difficulty, answer.agent, answer.temperature)
        entry = found.setdefault(key, [0, 0])
        entry[0] += 1
        entry[1] += answer.right
    return sorted((Count(*key, n=n, right=right) for key, (n, right) in found.items()), key=_order)


def pool(counts: Iterable[Count]) -> list[Pooled]:
    """Counts summed over agents and temperatures, sorted by question id."""
    found: dict[str, Pooled] = {}
    for count in counts:
        n, right = count.n, count.right
        if (known := found.get(count.question_id)) is not None:
            n, right = n + known.n, right + known.right
        found[count.question_id] = Pooled(count.question_id, count.task, count.difficulty, n, right)
    return [found[name] for name in sorted(found)]


def write_counts(path: Path, counts: Iterable[Count]) -> None:
    """Write counts, as JSON lines if the name ends in `.jsonl`, else as parquet; the same bytes for the same counts."""
    rows = [asdict(count) for count in sorted(counts, key=_order)]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        parquet.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)


def read_counts(path: Path) -> list[Count]:
    """Read what `write_counts` wrote. Raises CountsError."""
    try:
        if path.suffix == ".jsonl":
            rows = [json.loads(line) for line in text_lines(path) if line.strip()]
        else:
            rows = parquet.read_table(path, columns=SCHEMA.names).to_pylist()
        return [Count(**{entry.name: row[entry.name] for entry in fields(Count)}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CountsError(f"{path} is no file of counts: {error}") from error


def _order(count: Count) -> tuple[Any, ...]:
    return (count.question_id, count.agent, -1.0 if count.temperature is None else count.temperature)
