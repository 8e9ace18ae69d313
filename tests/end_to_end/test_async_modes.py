"""The main job in verl's asynchronous modes, for real, on the CPU back end. About two minutes on two cores."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from r1ci_plugin.config import R1CISettings
from r1ci_plugin.curriculum.assign import Known, assign
from r1ci_plugin.curriculum.history import FILE, read_history
from r1ci_plugin.curriculum.starts import read_starts
from r1ci_plugin.journal import read_lines
from r1ci_plugin.record import Record

BATCH, AHEAD = 4, 4
"""Questions a step, and questions sampled ahead (num_warmup_batches: 1)."""


def drawn(data: Path, count: int) -> list[str]:
    """The first questions that the curriculum draws, whatever the trainer does with them."""
    columns = parquet.read_table(data / "train.parquet", columns=["data_source", "extra_info"]).to_pylist()
    infos = [(row["data_source"], row["extra_info"]) for row in columns]
    rows = [Known(info["question_id"], task, info["difficulty"] or 0) for task, info in infos]
    sampler = assign(R1CISettings(), rows).sampler
    return [rows[sampler.draw()].question_id for _ in range(count)]


def check_steps(job: Any, steps: int) -> dict[int, dict[str, float]]:
    """Every step is logged with finite numbers and nothing was lost; returns them."""
    found = {line["step"]: line["data"] for line in job.metrics() if "r1ci/reward/acc" in line["data"]}
    assert sorted(found) == list(range(1, steps + 1))
    for numbers in found.values():
        assert numbers["r1ci/agent/lost"] == 0.0
        assert all(math.isfinite(numbers[name]) for name in ("actor/pg_loss", "actor/grad_norm", "actor/kl_loss"))
        assert 0 <= numbers["r1ci/staleness/mean"] <= numbers["r1ci/staleness/max"] <= 4
        assert "rollout_corr/kl" in numbers
    return found


def check_on_policy_start(numbers: dict[str, float]) -> None:
    """The first step trains on what its own weights sampled, and the rollout's log-probs are the trainer's."""
    assert numbers["r1ci/staleness/max"] == 0.0
    assert numbers["training/rollout_probs_diff_max"] < 1e-4


def trained(job: Any) -> list[str]:
    return [line["question_id"] for line in read_history(job.run / FILE)]


@pytest.mark.slow
def test_a_colocated_run_that_is_killed_trains_every_draw_once(make_job: Any, small_data: Path) -> None:
    """Questions drawn ahead and not yet trained on at the checkpoint are neither lost nor trained on twice."""
    settings = {"r1ci_mode@_global_": "colocate_async", "trainer.total_training_steps": 4, "trainer.save_freq": 2}
    job = make_job("colocated", settings)
    job.kill_after(3)
    job.finish()
    steps = check_steps(job, 4)
    check_on_policy_start(steps[1])
    assert max(numbers["r1ci/staleness/max"] for numbers in steps.values()) >= 1
    assert [start.step for start in read_starts(job.run)] == [0, 2]
    questions = trained(job)
    assert len(questions) == len(set(questions)) == 4 * BATCH
    assert set(questions) <= set(drawn(small_data, 4 * BATCH + AHEAD))


@pytest.mark.slow
def test_a_separated_run_trains_on_what_servers_of_their_own_sampled(make_job: Any, small_data: Path) -> None:
    """Two updates a step, each of half a batch; the weights reach the servers by gloo; validation in between."""
    settings = {
        "r1ci_mode@_global_": "separate_async",
        "trainer.v1.separate_async.parameter_sync_step": 2,
        "actor_rollout_ref.actor.ppo_mini_batch_size": BATCH // 2,
        "trainer.total_training_steps": 3,
        "trainer.test_freq": 2,
        "trainer.save_freq": -1,
        "r1ci.records.share": 1,
    }
    job = make_job("separated", settings)
    job.finish()
    steps = check_steps(job, 3)
    check_on_policy_start(steps[1])
    # had the servers kept their first weights, the third step's tokens would be two versions old
    assert steps[3]["r1ci/staleness/mean"] < 2
    assert "val-core/bbh/boolean_expressions/acc/mean@1" in steps[2]
    assert [steps[step]["r1ci/curriculum/seen"] for step in (1, 2, 3)] == [BATCH, 2 * BATCH, 3 * BATCH]
    questions = trained(job)
    assert len(questions) == len(set(questions)) == 3 * BATCH
    assert set(questions) <= set(drawn(small_data, 3 * BATCH + AHEAD))
    files = sorted((job.run / "trajectories").glob("train-*.jsonl"))
    records = [Record.from_dict(line) for file in files for line in read_lines(file)]
    assert sorted({record.training.step for record in records if record.training}) == [1, 2, 3]
    assert len(records) == 3 * BATCH * 4
