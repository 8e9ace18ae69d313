"""Records made by hand, and pages made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import frame_result, render_result
from r1ci_plugin.record import Record, TrainingFacts
from r1ci_plugin.report.viewer import pack, write_page
from r1ci_plugin.report.viewer.tokens import Boundaries
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn

MakeRecord = Callable[..., Record]
OpenRecords = Callable[..., Any]

CODE = "Let me compute it.\n```python\nprint(6 * 7)\n```\n"


@pytest.fixture(scope="session")
def make_record() -> MakeRecord:
    """A record of a trajectory that says `texts`; each turn but the last runs its code, with the next of `results`.

    Token ids are code points, so a tokenizer is `chr`. What is not given is a correct answer of 42 in two turns.
    """

    def make(
        number: int = 0,
        texts: Iterable[str] = (CODE, "It is 42.\n<<<42>>>"),
        results: Iterable[ExecResult] = (ExecResult("ok", stdout="42\n", run_s=0.25, isolation="ns"),),
        **changes: Any,
    ) -> Record:
        trajectory = _trajectory(list(texts), list(results), changes.pop("outcome", "answered"))
        trajectory.answer = changes.pop("answer", "42")
        step = changes.pop("step", None)
        training = changes.pop("training", None) or (TrainingFacts(step, 1, f"{step}", 1.1) if step else None)
        task = changes.pop("task", "symbench/number_multiply")
        prompt = changes.pop("prompt", f"What is 6 * 7, asked for the {number}th time?")
        facts = {"key": f"key-{number}", "agent": "code_agent", "verdict": Verdict.correct(), "training": training}
        return Record(
            question=Question(task, 1, 2, prompt, {"answer": 42}), trajectory=trajectory, **{**facts, **changes}
        )

    return make


@pytest.fixture
def open_records(request: pytest.FixtureRequest, tmp_path: Path) -> OpenRecords:
    """Opens a page with these records in the browser, and waits until it shows one; gives the page."""
    page = request.getfixturevalue("page")

    def open_page(records: Iterable[Record], fragment: str = "", boundaries: Boundaries | None = None) -> Any:
        file = tmp_path / "view.html"
        write_page(file, pack(records, boundaries), title="a run")
        page.open(file, fragment)
        page.wait("return document.querySelector('#detail > *') !== null")
        return page

    return open_page


def _trajectory(texts: list[str], results: list[ExecResult], outcome: Any) -> Trajectory:
    turns = [Turn(ids=_ids(text), text=text) for text in texts]
    for turn, result in zip(turns, results, strict=False):
        if "```python\n" not in turn.text:
            continue
        code = turn.text.split("```python\n")[1].split("```\n")[0]
        shown = "" if result.is_infrastructure_failure else frame_result(render_result(result), after=turn.text)
        turn.call = CodeCall(code, result, _ids(shown), shown)
    return Trajectory([65, 66], turns, outcome=outcome)


def _ids(text: str) -> list[int]:
    return [ord(character) for character in text]
