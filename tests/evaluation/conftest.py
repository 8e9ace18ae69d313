"""What tests of evaluation share: questions and their answers, a fake provider, records made by hand, labelled ones."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from r1ci_plugin.codec import TextCodec
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.journal import Journal
from r1ci_plugin.record import Record, Usage
from r1ci_plugin.tasks import Question, Verdict, get_task
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn

TASKS = ("reasoning_gym/chain_sum", "symbench/letters", "bbh/word_sorting")


@pytest.fixture(scope="session")
def provider_module() -> ModuleType:
    """tests/evaluation/provider.py, which is also run as a script."""
    spec = importlib.util.spec_from_file_location("r1ci_test_provider", Path(__file__).parent / "provider.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def questions() -> list[Question]:
    """Twelve questions of three tasks."""
    return [get_task(name).make(seed, 1) for name in TASKS for seed in range(4)]


@pytest.fixture(scope="session")
def answers(questions: list[Question]) -> dict[str, str]:
    """Prompt to right answer."""
    return {question.prompt: get_task(question.task).solve(question) for question in questions}


@pytest.fixture
def provider(provider_module: ModuleType, answers: dict[str, str]) -> Callable[..., Any]:
    """Makes a provider that knows the answers; `faults` come first; `brain` replaces what it says."""

    def make(*faults: str, brain: Any = None, codec: Any = None) -> Any:
        return provider_module.Provider(brain or provider_module.scripted(answers), faults, codec)

    return make


def make_turn(words: str, code: str | None = None, output: str = "", status: Any = "ok", stderr: str = "") -> Turn:
    """One turn, as of a chat endpoint; with code, the call and its result."""
    encode = TextCodec().encode
    if code is None:
        return Turn(ids=encode(words), text=words)
    text = f"{words}\n```python\n{code}\n```\n" if words else f"```python\n{code}\n```\n"
    shown = f"Code Execution Results:\n{output}{stderr}\n\n"
    return Turn(encode(text), text=text, call=CodeCall(code, ExecResult(status, output, stderr), encode(shown), shown))


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
        [], list(turns) or [make_turn(f"<<<{answer}>>>")], "lost" if lost else "answered", None if lost else answer
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
