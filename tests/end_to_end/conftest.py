"""The main job, tiny, on the CPU back end, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.data.build import build
from r1ci_plugin.data.plan import Plan
from r1ci_plugin.tasks.splits import get_split

TASKS = ["bbh/boolean_expressions", "reasoning_gym/count_bits", "reasoning_gym/chain_sum"]
TINY = {
    "trainer.val_before_train": False,
    "trainer.test_freq": -1,
    "data.train_batch_size": 4,
    "actor_rollout_ref.actor.ppo_mini_batch_size": 4,
    "actor_rollout_ref.rollout.n": 4,
}


class TrainingJob:
    """A run in `folder`: its console in `log`, what verl dumps in `rollouts`, the run folder in `run`."""

    def __init__(self, folder: Path, data: Path, overrides: Mapping[str, Any]) -> None:
        self.folder, self.run = folder, folder / "run"
        places = {"trainer.rollout_data_dir": folder / "rollouts", "trainer.default_local_dir": self.run}
        settings = {**TINY, **places, **overrides}
        self.command = [
            sys.executable,
            *("-m", "verl.trainer.main_ppo", "+recipe=r1ci_stage1"),
            *(f"{key}={value}" for key, value in settings.items()),
        ]
        self._environment = {**os.environ, "R1CI_DATA": str(data), "R1CI_BACKEND": "cpu"}

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self.command, cwd=self.folder, env=self._environment, stdout=log, stderr=log)

    def finish(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """Wait for a good end, of a new start if none is given."""
        process = process or self.start()
        try:
            code = process.wait(timeout=600)
        finally:
            process.kill()
        assert code == 0, self.log[-4000:]

    def kill_after(self, step: int) -> None:
        """Start it, and kill it with SIGKILL as soon as the step is done."""
        process = self.start()
        deadline = time.monotonic() + 600
        while not (self.folder / "rollouts" / f"{step}.jsonl").exists():
            assert process.poll() is None and time.monotonic() < deadline, self.log[-4000:]
            time.sleep(0.1)
        process.kill()
        process.wait()

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of all starts, in their order: `step` and `data`."""
        files = sorted((self.run / "metrics").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


MakeJob = Callable[..., TrainingJob]


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 questions of three tasks the seed policy can do now and then."""
    folder = tmp_path_factory.mktemp("data") / "r1ci"
    build(Plan.of(get_split("default"), TASKS, questions_per_task=12, validation_per_task=2, levels=(1, 2)), folder)
    return folder


@pytest.fixture(scope="session")
def make_job(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeJob:
    """`make_job(name, settings)` is a job in a new folder; settings are overrides of the recipe."""

    def make(name: str, settings: Mapping[str, Any]) -> TrainingJob:
        return TrainingJob(tmp_path_factory.mktemp(name), small_data, settings)

    return make
