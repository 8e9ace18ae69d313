"""The set a policy is fine-tuned on, as files: rows of trajectories, the questions they have used up, and a card.

    sft.parquet            one row a trajectory
    questions_seen.json    ids of all its questions, so that data sets and stages leave them out
    README.md              the card (`card.py`)

A row holds text, not tokens: the same file serves every policy. It holds no ground truth. Left out: which trajectories
(`filters.py`), tokens (`replay.py`, `dataset.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from r1ci_plugin.curriculum.questions import question_ids_of
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import PROTOCOL, render_prompt
from r1ci_plugin.record import Record

SET_FILE, SEEN_FILE = "sft.parquet", "questions_seen.json"

_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
SCHEMA = pa.schema(
    [
        ("question_id", pa.string()),
        ("task", pa.string()),
        ("difficulty", pa.int64()),
        ("form", pa.string()),
        ("teacher", pa.string()),
        ("prompt", pa.list_(_MESSAGE)),  # what the policy reads: never the instructions that only the teacher got
        ("trajectory", pa.string()),  # JSON: {"turns": [{"text", "result"}]}
        ("turns", pa.int64()),
        ("protocol", pa.string()),
    ]
)

_SHOWN = ("status", "stdout", "stderr", "exit_code", "signal", "run_s", "reason")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A trajectory as a row holds it: what the policy reads, what was said, what running the code gave."""

    prompt: tuple[dict[str, str], ...]
    turns: tuple[str, ...]
    results: tuple[ExecResult, ...]


def write_set(records: Sequence[Record], out: Path) -> None:
    """Write rows and question ids. The files are whole or absent."""
    out.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([make_row(record) for record in records], SCHEMA)
    partial = out / f"{SET_FILE}.partial"
    parquet.write_table(table, partial, compression="zstd")
    seen = sorted({record.question.question_id for record in records})
    (out / SEEN_FILE).write_text(json.dumps(seen, separators=(",", ":")), encoding="utf-8")
    partial.replace(out / SET_FILE)


def make_row(record: Record) -> dict[str, Any]:
    """The row of a record, without what only its own policy needs (ids) and what no policy may see (ground truth)."""
    turns = []
    for turn in record.trajectory.turns:
        result = turn.call.result if turn.call is not None else None
        turns.append({"text": turn.text} | ({"result": _shown(result)} if result is not None else {}))
    return {
        "question_id": record.question.question_id,
        "task": record.question.task,
        "difficulty": record.question.difficulty,
        "form": record.form,
        "teacher": record.policy,
        "prompt": [{"role": "user", "content": render_prompt(record.question.prompt)}],
        "trajectory": json.dumps({"turns": turns}, ensure_ascii=False, separators=(",", ":")),
        "turns": len(turns),
        "protocol": PROTOCOL,
    }


def read_row(row: Mapping[str, Any]) -> Spoken:
    """The trajectory of a row. Raises ValueError if it is none, or one of another protocol version."""
    if row.get("protocol") != PROTOCOL:
        raise ValueError(
            f"made for protocol {row.get('protocol')}, installed is {PROTOCOL}: run `r1ci sft check` again"
        )
    try:
        turns = json.loads(row["trajectory"])["turns"]
        return Spoken(
            prompt=tuple({"role": message["role"], "content": message["content"]} for message in row["prompt"]),
            turns=tuple(turn["text"] for turn in turns),
            results=tuple(ExecResult(**turn["result"]) for turn in turns if "result" in turn),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a row of a fine-tuning set: {type(error).__name__}: {error}") from None


def seen_questions(folder: Path) -> frozenset[str]:
    """Ids of the questions that a set or a policy has seen; empty where its folder does not say.

    Raises ValueError if the file is not a JSON list of texts.
    """
    file = folder / SEEN_FILE
    return frozenset(question_ids_of(file)) if file.is_file() else frozenset()


def _shown(result: ExecResult) -> dict[str, Any]:
    """What the policy reads of a result (`protocol.render_result`), without empty values."""
    shown = {name: getattr(result, name) for name in _SHOWN}
    return {name: value for name, value in shown.items() if value not in ("", None, 0.0)}
