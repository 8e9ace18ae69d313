"""The quick form of the study in miniature, for real: fine-tuning, potential, plain GRPO and stage 1, evaluation.

Three verl jobs and five measurements: under four minutes on two free cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STUDY = Path(__file__).resolve().parents[2] / "examples" / "miniature" / "study.py"


def quick(work: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(STUDY), "quick", "--work", str(work)]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=1500, env={**os.environ})
    logs = [log.read_text()[-1500:] for log in work.rglob("*.log")]
    assert outcome.returncode == 0, "\n".join([outcome.stderr, *logs])
    return outcome


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("miniature")
    quick(folder)
    return folder


def result(work: Path, name: str) -> dict[str, Any]:
    [file] = (work / "quick").glob(f"{name}.json")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@pytest.mark.slow
def test_every_arm_leaves_a_result_with_equal_rollouts_from_the_fine_tuned_policy(work: Path) -> None:
    base, plain, staged = (result(work, name) for name in ("sft-*", "plain-1", "staged-1"))
    assert plain["start"] == staged["start"] == base["start"]
    assert plain["settings"] != staged["settings"]
    sampled = [sum(step["trajectories"] for step in one["steps"]) for one in (plain, staged)]
    assert sampled == [2 * 4 * 4] * 2
    for one in (plain, staged):
        assert [(step["stage"], step["step"]) for step in one["steps"]] == [(1, 1), (1, 2)]
    assert all(set(step["groups"]) == {"1"} for step in staged["steps"])
    assert set().union(*(step["groups"] for step in plain["steps"])) > {"1"}
    tasks = set(base["answers"])
    assert len(tasks) == 4 and all(set(one["answers"]) == tasks for one in (plain, staged))
    for task in tasks:
        assert set(base["answers"][task]) == set(plain["answers"][task]) == set(staged["answers"][task])


@pytest.mark.slow
def test_the_same_command_again_trains_nothing(work: Path) -> None:
    files = sorted((work / "quick").glob("*.json"))
    before = [file.stat().st_mtime_ns for file in files]
    outcome = quick(work)
    assert "2 of 2 pieces are done" in outcome.stderr
    assert [file.stat().st_mtime_ns for file in files] == before
    assert "| staged less plain GRPO, points | above 0, interval excludes 0 |" in outcome.stdout
