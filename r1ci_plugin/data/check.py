"""Proof of a built data set: rows as verl and the verifiers need them, nothing twice or leaked, solutions correct.

A check yields findings: sentences that say what is wrong and where. No findings, no faults. Left out: tasks without
data (`tasks/check.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from r1ci_plugin.data.files import RECORD
from r1ci_plugin.data.plan import PARTS
from r1ci_plugin.data.row import AGENT, SCHEMA, make_row, read_row
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.tasks import Question, UnknownTask

SHOWN = 3
"""Rows a finding names before it only counts them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a folder found and measured."""

    findings: list[str]
    questions: dict[str, int]
    """Questions of each file."""
    solved: int
    """Solutions judged in the pool."""
    prompt_tokens: tuple[int, int, int] | None
    """Median, 95th percentile and maximum; None without a tokenizer."""

    @property
    def ok(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class Row:
    """A row with the file it is in and its question, None where the row holds none."""

    part: str
    row: dict[str, Any]
    question: Question | None

    @property
    def prompt(self) -> str:
        return str(self.row["prompt"][0]["content"])

    def __str__(self) -> str:
        return f"{self.part}[{self.row['extra_info']['index']}] ({self.row['data_source']})"


async def check_folder(
    folder: Path,
    *,
    solve_per_task: int = 5,
    workers: int = 2,
    count_tokens: Callable[[str], int] | None = None,
    max_prompt_tokens: int | None = None,
) -> Checked:
    """Check a built folder. Raises FileNotFoundError if there is none.

    solve_per_task: questions of each task and file whose solution is made and judged in the pool. count_tokens: tokens
    of a rendered prompt; with max_prompt_tokens, longer prompts are findings (verl drops or refuses them).
    """
    if not (folder / RECORD).exists():
        raise FileNotFoundError(f"{folder} holds no finished data set: `r1ci data build --out {folder}` makes one")
    findings = list(_files(folder))
    rows: list[Row] = []
    for part in PARTS:
        try:
            rows += read_part(folder, part) if (folder / f"{part}.parquet").exists() else ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            findings.append(f"{part}.parquet cannot be read ({type(error).__name__}: {error})")
    findings += [*_rows(rows), *_twice(rows), *_leaked_tasks(rows)] if rows else ["there is no question"]
    lengths = sorted(count_tokens(row.prompt) for row in rows) if count_tokens else []
    if lengths and max_prompt_tokens and lengths[-1] > max_prompt_tokens:
        too_long = sum(length > max_prompt_tokens for length in lengths)
        findings.append(f"{too_long} prompts have more than {max_prompt_tokens} tokens, the longest has {lengths[-1]}")
    sample = list(_sample(rows, solve_per_task))
    findings += await _unsolved(sample, workers)
    return Checked(findings, dict(Counter(row.part for row in rows)), len(sample), _percentiles(lengths))


def read_part(folder: Path, part: str) -> Iterator[Row]:
    """All rows of one file, with their questions."""
    for batch in parquet.ParquetFile(folder / f"{part}.parquet").iter_batches(256):
        for row in batch.to_pylist():
            yield Row(part, row, _question(row))


def _files(folder: Path) -> Iterator[str]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        protocol, hashes = record["protocol"], {name: facts["sha256"] for name, facts in record["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{RECORD} cannot be read ({type(error).__name__}: {error}): `r1ci data build --force` mends it"
        return
    if protocol != PROTOCOL:
        yield f"built for protocol {protocol}, installed is {PROTOCOL}: `r1ci data build --force` mends it"
    for name, expected in hashes.items():
        file = folder / name
        if not file.exists():
            yield f"{name} is missing"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            yield f"{name} is not the file that was built: its SHA-256 differs from {RECORD}"
        elif not parquet.read_schema(file).equals(SCHEMA):
            yield f"{name} has other columns than verl and our reward manager read"


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    """What is wrong with single rows."""
    yield from _told("hold no question", [row for row in rows if row.question is None])
    whole = [row for row in rows if row.question is not None]
    yield from _told("differ from what their question gives today", [row for row in whole if not _is_as_made(row)])
    yield from _told(
        f"are for another agent loop than {AGENT}", [row for row in rows if row.row["agent_name"] != AGENT]
    )


def _is_as_made(row: Row) -> bool:
    info = row.row["extra_info"]
    try:
        return row.question is not None and make_row(row.question, row.part, info["index"]) == row.row
    except UnknownTask:
        return False


def _twice(rows: Iterable[Row]) -> Iterator[str]:
    """Questions of equal normalised text, within a file and, which is worse, across files."""
    first: dict[str, Row] = {}
    within: list[Row] = []
    across: list[Row] = []
    for row in rows:
        text = re.sub(r"\s+", " ", row.prompt).strip().lower()
        earlier = first.setdefault(text, row)
        if earlier is not row:
            (within if earlier.part == row.part else across).append(row)
    yield from _told("repeat a question of their file", within)
    yield from _told("repeat a question of another file", across)


def _leaked_tasks(rows: Sequence[Row]) -> Iterator[str]:
    tested = {row.row["data_source"] for row in rows if row.part == "test"}
    yield from _told(
        "are of a test task", [row for row in rows if row.part != "test" and row.row["data_source"] in tested]
    )


async def _unsolved(sample: Sequence[Row], workers: int) -> list[str]:
    """The rows whose solution the pool does not judge correct."""
    if not sample:
        return []
    async with VerifierPool(workers, warm=sorted({row.row["data_source"] for row in sample})) as pool:
        verdicts = await pool.verify_solutions(row.question for row in sample if row.question)
    failed = [(row, verdict) for row, verdict in zip(sample, verdicts, strict=True) if not verdict.score]
    return [f"{row}: the solution is {verdict.outcome}: {verdict.reason}" for row, verdict in failed]


def _sample(rows: Iterable[Row], per_task: int) -> Iterator[Row]:
    seen: Counter[tuple[str, str]] = Counter()
    for row in rows:
        key = (row.part, row.row["data_source"])
        if row.question is not None and seen[key] < per_task:
            seen[key] += 1
            yield row


def _told(what: str, rows: Sequence[Row]) -> Iterator[str]:
    if rows:
        names = ", ".join(map(str, rows[:SHOWN]))
        yield f"{len(rows)} rows {what}: {names}{', ...' if len(rows) > SHOWN else ''}"


def _question(row: dict[str, Any]) -> Question | None:
    try:
        return read_row(row)
    except ValueError:
        return None


def _percentiles(lengths: Sequence[int]) -> tuple[int, int, int] | None:
    return (lengths[len(lengths) // 2], lengths[len(lengths) * 95 // 100], lengths[-1]) if lengths else None
