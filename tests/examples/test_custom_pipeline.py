"""The example of an own pipeline composes with verl's own configuration and takes from us what it says, no more."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest

from r1ci_plugin.config import settings_from
from r1ci_plugin.data.row import read_row
from r1ci_plugin.doctor import compose
from r1ci_plugin.tasks import get_task

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_pipeline.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("custom_pipeline", EXAMPLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_questions_are_rows_that_our_reward_reads(example: ModuleType, tmp_path: Path) -> None:
    example.write_questions(tmp_path)
    rows = {split: pq.read_table(tmp_path / f"{split}.parquet").to_pylist() for split in example.QUESTIONS}
    for split, found in rows.items():
        assert len(found) == len(example.TASKS) * example.QUESTIONS[split]
        for row in found:
            question = read_row(row)
            task = get_task(question.task)
            assert task.verify(question, task.solve(question)).score == 1.0
    ids = {split: {row["extra_info"]["question_id"] for row in found} for split, found in rows.items()}
    assert not ids["train"] & ids["validation"]


def test_its_configuration_is_verls_with_three_parts_of_ours(example: ModuleType, tmp_path: Path) -> None:
    words = [word for word in example.command(tmp_path, 3, []) if "=" in word and not word.startswith("hydra.")]
    config = compose(None, words)
    assert config.actor_rollout_ref.model.external_lib == "r1ci_plugin.rollout"
    assert config.reward.reward_manager.name == "R1CIRewardManager"
    assert config.actor_rollout_ref.rollout.name == "r1ci_cpu"
    settings = settings_from(config)
    assert (settings.reward.correct, settings.reward.format, settings.reward.long_turns) == (1.0, 0.0, 0.0)
    # not ours: data set, sampler and algorithm
    assert config.data.custom_cls.path is None
    assert config.trainer.v1.sampler.custom_sampler.path is None
    assert config.algorithm.adv_estimator == "rloo"


@pytest.mark.slow
def test_it_trains(tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """About a minute on two cores."""
    done = run([sys.executable, EXAMPLE, "--folder", tmp_path / "own"], cwd=tmp_path, timeout=600)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert [line.split(":")[0] for line in done.stdout.splitlines() if line.startswith("step ")] == [
        f"step {number}" for number in (1, 2, 3)
    ]
