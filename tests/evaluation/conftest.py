"""Records made by hand, and a run folder of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.journal import Journal
from r1ci_plugin.record import Record, Usage
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn


def make_turn(words: str, code: str | None = None, output: str = "", status: Any = "ok", stderr: str = "") -> Turn:
    """One turn; with code, the call and its result."""
    if code is None:
        return Turn(text=words)
    text = f"{words}\n```python\n{code}\n```\n" if words else f"```python\n{code}\n```\n"
    shown = f"Code Execution Results:\n{output}{stderr}\n\n"
    return Turn(text=text, call=CodeCall(code, ExecResult(status, output, stderr), inserted_text=shown))


def make_record(
    task: str = "symbench/letters",
    number: int = 0,
    right: bool | None = True,
    sample: int = 0,
    agent: str = "code_agent",
    turns: Iterable[Turn] = (),
    answer: str | None = "7",
    question: Question | None = None,
    **facts: Any,
) -> Record:
    """A record; `right` None means lost."""
    question = question or Question(task, number, 1, f"question {number}", {"answer": "7"})
    lost = right is None
    verdict = None if lost else (Verdict.correct() if right else Verdict.wrong("not that"))
    trajectory = Trajectory(
        [], list(turns) or [Turn(text=f"<<<{answer}>>>")], "lost" if lost else "answered", None if lost else answer
    )
    trajectory.transport = "messages"
    key = f"{question.task}|{question.question_id}|{agent}|{sample}"
    facts = {"usage": Usage(1, 50, 20, 0.5), "wall_s": 2.0, "policy": "tiny", "temperature": 0.6, **facts}
    return Record(key, question, agent, trajectory, verdict, sample, **facts)


@pytest.fixture(scope="session")
def turn() -> Callable[..., Turn]:
    return make_turn


@pytest.fixture(scope="session")
def record() -> Callable[..., Record]:
    return make_record


@pytest.fixture
def run_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes records into a new run folder."""

    def write(records: Iterable[Record], name: str = "run") -> Path:
        with Journal(tmp_path / name / "trajectories.jsonl") as journal:
            for one in records:
                journal.append(one.to_dict())
        return tmp_path / name

    return write


LABELLED = Path(__file__).parent / "self_check" / "labelled.jsonl"


@pytest.fixture(scope="session")
def halves() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The labelled trajectories, split by a hash of their ids: to make the detector on, and to score it on."""
    lines = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    lines.sort(key=lambda line: hashlib.sha256(f"r1ci self-check, seed 1|{line['id']}".encode()).hexdigest())
    return lines[: len(lines) // 2], lines[len(lines) // 2 :]
