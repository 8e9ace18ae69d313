"""What a piece leaves: one small JSON file with all that the analysis asks, so that run folders may go.

Left out: training (`training.py`), what the numbers say (`analysis.py`).
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from r1ci_plugin.curriculum.history import FILE, read_history
from r1ci_plugin.evaluation.behaviour import behaviour_of
from r1ci_plugin.evaluation.scores import Scores, TaskScores, scores_of
from r1ci_plugin.metrics import read_steps
from r1ci_plugin.record_files import read_records

FORMAT = 1
CURVES = {
    "acc": "r1ci/reward/acc",
    "effective_share": "r1ci/curriculum/effective_share",
    "code_rate": "r1ci/agent/code_rate",
    "gate_acceptance": "r1ci/curriculum/gate_acceptance",
    "lost": "r1ci/agent/lost",
}
"""Kept of every step, by the names of docs/metrics.md."""


class ResultError(ValueError):
    """A file is no result, or one of other settings. The message says what to do."""


@dataclass(frozen=True)
class Result:
    """A baseline (seed 0, no steps), or an arm with one seed."""

    arm: str
    seed: int
    learning_rate: float
    is_tuning: bool
    settings: str
    """Digest of all settings the numbers depend on."""
    start: str
    """Digest of the policy it began with."""
    tasks: tuple[str, ...]
    """Trained on."""
    answers: dict[str, dict[str, tuple[float, float]]]
    """Task to question id to right and judged answers of the evaluation."""
    behaviour: dict[str, float | None]
    steps: tuple[dict[str, Any], ...] = ()
    """`stage`, `step`, `trajectories` sampled, `groups` (questions of the step by potential group), and CURVES."""
    groups: dict[int, int] | None = None
    """Questions of each potential group of the manifest."""
    seconds: dict[str, float] | None = None
    cores: int = os.cpu_count() or 1
    finished: str = ""

    @property
    def trajectories(self) -> int:
        """Sampled in training, those that a filter threw away or that were lost included."""
        return sum(step["trajectories"] for step in self.steps)

    @property
    def scores(self) -> Scores:
        """The evaluation, for the package's own statistics. Holds no effort."""
        return Scores({task: _task_scores(found) for task, found in sorted(self.answers.items())})


def _task_scores(found: dict[str, tuple[float, float]]) -> TaskScores:
    questions = tuple(sorted(found))
    right, judged = (np.array([found[question][place] for question in questions]) for place in (0, 1))
    return TaskScores(questions, judged, right, {})


def answers_of(evaluation: Path) -> tuple[dict[str, dict[str, tuple[float, float]]], dict[str, float | None]]:
    """The judged answers of an evaluation run by task and question, and its behaviour."""
    records = list(read_records(evaluation))
    scores = scores_of(records)
    answers = {
        task: {
            question: (float(right), float(judged))
            for question, right, judged in zip(one.questions, one.right, one.answers, strict=True)
        }
        for task, one in scores.tasks.items()
    }
    behaviour = behaviour_of(records)
    return answers, behaviour.to_dict() if behaviour is not None else {}


def steps_of(run: Path, stage: int) -> Iterator[dict[str, Any]]:
    """What a run folder says of its steps."""
    sampled: Counter[int] = Counter()
    groups: dict[int, Counter[int]] = defaultdict(Counter)
    for line in read_history(run / FILE):
        sampled[line["step"]] += line["n"]
        groups[line["step"]][line["group"]] += 1
    for step, metrics in read_steps(run).items():
        if CURVES["acc"] not in metrics:
            continue
        curves = {name: round(float(metrics[key]), 5) for name, key in CURVES.items() if key in metrics}
        lost = int(curves.get("lost", 0))
        questions = {str(group): count for group, count in sorted(groups[step].items())}
        yield {"stage": stage, "step": step, "trajectories": sampled[step] + lost, "groups": questions, **curves}


def write(result: Result, file: Path) -> None:
    """Whole or not at all."""
    finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
    content = {"format": FORMAT, **asdict(result), "finished": finished}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(_compact(content), encoding="utf-8")
    partial.replace(file)


def _compact(content: dict[str, Any]) -> str:
    """JSON with a line for each entry, step and task: small, and readable in a diff."""
    lines = []
    for key, value in content.items():
        if key in ("steps", "answers") and value:
            items = value.items() if isinstance(value, dict) else enumerate(value)
            inner = [
                (f"{json.dumps(name)}: " if isinstance(value, dict) else "") + json.dumps(one) for name, one in items
            ]
            left, right = "{}" if isinstance(value, dict) else "[]"
            lines.append(f" {json.dumps(key)}: {left}\n  " + ",\n  ".join(inner) + f"\n {right}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read(file: Path) -> Result:
    """Raises ResultError."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        content["answers"] = {
            task: {question: (pair[0], pair[1]) for question, pair in found.items()}
            for task, found in content["answers"].items()
        }
        content["groups"] = content["groups"] and {int(group): size for group, size in content["groups"].items()}
        content["tasks"], content["steps"] = tuple(content["tasks"]), tuple(content["steps"])
        return Result(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{file} is no result of this study ({error}): move it away") from None


def read_all(folder: Path) -> list[Result]:
    """All results of a folder, by name."""
    return [read(file) for file in sorted(folder.glob("*.json"))]
