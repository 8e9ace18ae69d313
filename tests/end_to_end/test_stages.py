"""Two stages for real, on the CPU back end: the second starts at step 0, with the weights of the first, on more rows.

And once more with the SFT policy as reference. Three short verl jobs: under three minutes on two free cores.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from r1ci_plugin.curriculum.starts import Start, read_starts
from r1ci_plugin.data.build import build
from r1ci_plugin.data.plan import Plan
from r1ci_plugin.stages.process import Job
from r1ci_plugin.stages.run_folder import RunFolder
from r1ci_plugin.stages.state import Finished, State
from r1ci_plugin.tasks.splits import get_split
from r1ci_plugin.weights import folder_digest

TASKS = ["bbh/boolean_expressions", "reasoning_gym/count_bits", "reasoning_gym/chain_sum"]
STEPS = 2
OVERRIDES = {
    "trainer.total_training_steps": STEPS,
    "trainer.val_before_train": False,
    "trainer.test_freq": -1,
    "data.train_batch_size": 4,
    "actor_rollout_ref.actor.ppo_mini_batch_size": 4,
    "actor_rollout_ref.actor.optim.lr_warmup_steps": 0,
    "actor_rollout_ref.rollout.n": 4,
}


def stages_run(runs: Path, data: Path, *options: object) -> None:
    command = [sys.executable, "-m", "r1ci_plugin", "stages", "run", *map(str, options)]
    command += [f"{key}={value}" for key, value in OVERRIDES.items()]
    environment = {**os.environ, "R1CI_DATA": str(data), "R1CI_RUNS": str(runs), "R1CI_BACKEND": "cpu"}
    outcome = subprocess.run(command, env=environment, cwd=data, capture_output=True, text=True, timeout=900)
    logs = [log.read_text()[-3000:] for log in runs.glob("*/console.log")]
    assert outcome.returncode == 0, "\n".join([outcome.stderr, *logs])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "r1ci"
    counts = {"questions_per_task": 12, "validation_per_task": 2, "levels": (1, 2)}
    build(Plan.of(get_split("default"), TASKS, **counts), folder)
    rows = parquet.read_table(folder / "train.parquet")["extra_info"].to_pylist()
    groups = [1 + row["index"] % 3 for row in rows]
    table = pa.table({"question_id": [row["question_id"] for row in rows], "group": groups})
    parquet.write_table(table, folder / "manifest.parquet")
    return folder


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two stages")
    stages_run(folder, data, "--from", 1, "--to", 2, "--export", folder / "exported")
    return folder


def only_start(run: Path) -> Start:
    [start] = read_starts(run)
    return start


def finished(runs: Path, stage: int) -> Finished:
    found = State(runs).get(stage)
    assert found is not None
    return found


def first_step(run: Path) -> dict[str, Any]:
    return RunFolder(run).metrics()[1]


@pytest.mark.slow
def test_each_stage_begins_at_step_zero_with_the_weights_of_the_policy_before(runs: Path) -> None:
    """What the engine held at the first batch against the files: two ways to the same digest."""
    first, second = only_start(runs / "r1ci_stage1"), only_start(runs / "r1ci_stage2")
    export = runs / "r1ci_stage1" / f"global_step_{STEPS}" / "actor" / "huggingface"
    assert (first.step, second.step) == (0, 0)
    assert second.weights == folder_digest(export) != first.weights
    assert [finished(runs, stage).steps for stage in (1, 2)] == [STEPS, STEPS]
    assert finished(runs, 2).weights != second.weights
    assert not any(Job.find(runs / f"r1ci_stage{stage}") for stage in (1, 2))


@pytest.mark.slow
def test_the_second_stage_draws_from_both_groups(runs: Path) -> None:
    assert only_start(runs / "r1ci_stage1").groups == {1: 12}
    assert only_start(runs / "r1ci_stage2").groups == {1: 12, 2: 12}
    seen = set().union(*(RunFolder(runs / "r1ci_stage2").metrics()[step] for step in (1, 2)))
    assert {f"r1ci/curriculum/group_{group}/share" for group in (1, 2)} <= seen


@pytest.mark.slow
def test_the_reference_is_the_policy_the_stage_starts_from(runs: Path) -> None:
    for stage in (1, 2):
        assert abs(first_step(runs / f"r1ci_stage{stage}")["actor/kl_loss"]) < 1e-8


@pytest.mark.slow
def test_the_export_is_the_last_policy_and_loads(runs: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = runs / "exported"
    assert folder_digest(folder) == finished(runs, 2).weights
    assert AutoModelForCausalLM.from_pretrained(folder).num_parameters() > 0
    assert AutoTokenizer.from_pretrained(folder).chat_template
    assert [stage["stage"] for stage in json.loads((folder / "r1ci_export.json").read_text())["stages"]] == [1, 2]


@pytest.mark.slow
def test_with_the_sft_policy_as_reference_a_stage_begins_with_the_same_weights(
    runs: Path, data: Path, tmp_path: Path
) -> None:
    shutil.copytree(runs / "r1ci_stage1", tmp_path / "r1ci_stage1")
    stages_run(tmp_path, data, "--from", 2, "--to", 2, "--reference", "sft")
    start = only_start(tmp_path / "r1ci_stage2")
    assert (start.step, start.weights) == (0, only_start(runs / "r1ci_stage2").weights)
    assert RunFolder(tmp_path / "r1ci_stage2").settings().policy == RunFolder(runs / "r1ci_stage1").settings().policy
    assert first_step(tmp_path / "r1ci_stage2")["actor/kl_loss"] > 1e-6
