"""Trajectory records of training: whole groups by hash, their verdict and advantage, and files that stay small."""

import logging
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

from r1ci_plugin.config import RecordSettings, RewardWeights
from r1ci_plugin.curriculum.metrics import Sample, advantages
from r1ci_plugin.curriculum.records import RecordWriter, completed, is_kept
from r1ci_plugin.journal import read_lines
from r1ci_plugin.record import Record
from r1ci_plugin.reward.manager import reward_of
from r1ci_plugin.tasks import Verdict, get_task
from r1ci_plugin.trajectory import Trajectory, Turn

QUESTION = get_task("symbench/number_multiply").make(3, 1)
REWARDS = [1.1, 0.1, -0.1, 1.1]


def sample(group: str, number: int, reward: float, *, kept: bool = True, text: str = "<<<1>>>") -> Sample:
    trajectory = Trajectory([1, 2], [Turn([3], [-0.5], text)], "answered", "1")
    verdict = Verdict.correct() if reward > 0.5 else Verdict.wrong("expected 2, got 1", 0.25)
    extra = reward_of(verdict, trajectory.facts(), RewardWeights())["reward_extra_info"]
    record = Record("", QUESTION, "code_agent", trajectory, None, sample=number)
    line = record.to_dict() if kept else None
    return Sample(group, QUESTION.question_id, QUESTION.task, reward, trajectory.facts(), extra, record=line)


def group_of(name: str = "g", **options: Any) -> list[Sample]:
    return [sample(name, number, reward, **options) for number, reward in enumerate(REWARDS)]


def read(folder: Path) -> list[Record]:
    return [Record.from_dict(line) for path in sorted(folder.glob("*.jsonl")) for line in read_lines(path)]


def test_a_share_of_the_questions_is_kept_and_a_larger_share_keeps_them_too() -> None:
    names = [f"{number:016x}" for number in range(4000)]
    small, large = ({name for name in names if is_kept(name, share)} for share in (0.05, 0.25))
    assert small < large and len(small) == pytest.approx(200, rel=0.2) and len(large) == pytest.approx(1000, rel=0.1)
    assert all(is_kept(name, 1.0) for name in names) and not any(is_kept(name, 0.0) for name in names)


def test_a_written_record_says_what_the_trajectory_earned_and_why(tmp_path: Path) -> None:
    RecordWriter(tmp_path, RecordSettings()).write("train", 7, 2, group_of())
    found = read(tmp_path)
    assert len({record.key for record in found}) == 4 and [record.sample for record in found] == [0, 1, 2, 3]
    wrong = found[2]
    assert wrong.verdict == Verdict.wrong("expected 2, got 1", 0.25) and not wrong.is_lost
    assert wrong.training is not None
    assert (wrong.training.step, wrong.training.stage, wrong.training.group) == (7, 2, "g")
    assert wrong.training.reward == -0.1 and wrong.training.parts["graded"] == 0.25


@given(st.lists(st.sampled_from([-0.2, -0.1, 0.1, 1.0, 1.1]), min_size=2, max_size=8))
def test_the_advantage_is_verls(rewards: list[float]) -> None:
    scores = torch.tensor(rewards, dtype=torch.float64)[:, None]
    index = np.array(["a"] * len(rewards), dtype=object)
    expected, _ = compute_grpo_outcome_advantage(scores, torch.ones_like(scores), index)
    assert advantages(rewards) == pytest.approx(expected[:, 0].numpy(), abs=1e-5)


def test_advantages_are_those_of_the_own_group() -> None:
    lines = completed("train", 1, 1, [*group_of("a"), sample("b", 0, 1.1), sample("b", 1, 1.1)])
    earned = [line["training"]["advantage"] for line in lines]
    assert earned == pytest.approx([*advantages(REWARDS), 0.0, 0.0], abs=1e-6)


def test_validation_has_its_own_file_and_no_advantage(tmp_path: Path) -> None:
    RecordWriter(tmp_path, RecordSettings()).write("val", 0, 1, group_of())
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["validation"]
    assert all(record.training and record.training.advantage is None for record in read(tmp_path))


def test_nothing_is_written_for_questions_that_are_not_kept(tmp_path: Path) -> None:
    RecordWriter(tmp_path / "none", RecordSettings()).write("train", 1, 1, group_of(kept=False))
    assert not (tmp_path / "none").exists()


def test_full_files_are_followed_by_new_ones_and_the_oldest_go(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, RecordSettings(file_mb=1, max_mb=3))
    for step in range(12):
        writer.write("train", step, 1, [sample(f"g{step}", 0, 1.0, text="x" * 600_000)])
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    steps = [record.training.step for record in read(tmp_path) if record.training]
    assert sum(sizes) <= 3_000_000 and max(sizes) < 2_000_000
    assert steps == list(range(12 - len(steps), 12)) and len(steps) >= 4


def test_a_full_disk_costs_one_warning_and_leaves_whole_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = RecordWriter(tmp_path, RecordSettings())
    writer.write("train", 1, 1, group_of())
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:  # a file that has no room for the second half of what is written to it
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) * 3 // 2, unlimited[1]))
        writer.write("train", 2, 1, group_of())
        writer.write("train", 3, 1, group_of())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert path.read_bytes() == before
    assert [entry.levelno for entry in caplog.records] == [logging.WARNING] and "File too large" in caplog.text
    writer.write("train", 4, 1, group_of())
    assert [record.training.step for record in read(tmp_path) if record.training] == [1] * 4 + [4] * 4
