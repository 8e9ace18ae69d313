"""A small world for the stage driver: a job that writes verl's files without verl, and what it is told to do wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch
from safetensors.torch import save_file

from r1ci_plugin.stages.driver import Commands, Driver
from r1ci_plugin.stages.plan import Plan
from r1ci_plugin.stages.state import Finished
from r1ci_plugin.weights import digest

STEPS, SAVE_EVERY = 3, 2


class World:
    """Data, manifest, policies, and the jobs that ran. A policy is one number; every step adds one to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs with a space"
        self.said: list[str] = []
        self.reported: list[tuple[int, int, int]] = []
        self.data = folder / "data"
        self.data.mkdir()
        ids = [f"q{index}" for index in range(12)]
        infos = [{"index": index, "question_id": name} for index, name in enumerate(ids)]
        rows = [{"data_source": "symbench/letters", "extra_info": info} for info in infos]
        parquet.write_table(pa.Table.from_pylist(rows), self.data / "train.parquet")
        groups = [1 + index % 3 for index in range(12)]
        parquet.write_table(pa.table({"question_id": ids, "group": groups}), self.data / "manifest.parquet")
        self.policy = self.make_policy("sft policy", 0)
        digests = [digest([("w", torch.full((2, 2), float(value)))]) for value in range(30)]
        (folder / "world.json").write_text(
            json.dumps({"steps": STEPS, "save_every": SAVE_EVERY, "data": str(self.data), "digests": digests})
        )

    def make_policy(self, name: str, value: int) -> Path:
        folder = self.folder / name
        folder.mkdir()
        save_file({"w": torch.full((2, 2), float(value))}, folder / "model.safetensors")
        return folder

    def tell(self, stage: int, **orders: Any) -> None:
        """What the next job of a stage does beside its work: see `fake_main_ppo.py`."""
        (self.folder / f"orders_{stage}.json").write_text(json.dumps(orders))

    def commands(self) -> Commands:
        here = Path(__file__).parent
        fake = [sys.executable, str(here / "fake_main_ppo.py"), str(self.folder)]
        r1ci = [sys.executable, str(here / "fake_r1ci.py")]
        return Commands(main_ppo=fake, r1ci=r1ci, merger=[sys.executable, str(here / "fake_merger.py")])

    def drive(self, first: int = 1, last: int = 2, overrides: tuple[str, ...] = (), **plan: Any) -> list[Finished]:
        if first == 1:
            plan.setdefault("policy", str(self.policy))
        made = Plan(first, last, overrides, **plan)
        driver = Driver(
            made,
            self.runs,
            say=self.said.append,
            on_step=lambda *step: self.reported.append(step),
            commands=self.commands(),
            poll_s=0.02,
        )
        return driver.run()

    def jobs(self) -> list[int]:
        """The stages of all jobs that were started, in order."""
        file = self.folder / "jobs.txt"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def run(self, stage: int) -> Path:
        return self.runs / f"r1ci_stage{stage}"


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[[str], World]:
    def make(name: str) -> World:
        (tmp_path / name).mkdir()
        return World(tmp_path / name)

    return make


@pytest.fixture
def world(make_world: Callable[[str], World]) -> World:
    return make_world("world")
