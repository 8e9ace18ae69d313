"""A fine-tuning run says what it lacks before it starts, does every step it was to do, hands on what it has seen."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hydra.core.utils import JobReturn, JobStatus

from r1ci_plugin import recipe_files
from r1ci_plugin.checkpoints import TRACKER
from r1ci_plugin.checks.data import _check_unseen
from r1ci_plugin.checks.policy import check_model
from r1ci_plugin.doctor import compose
from r1ci_plugin.sft import preflight
from r1ci_plugin.sft.training_set import SEEN_FILE

pytest.importorskip("verl")
CPU, GPU = "r1ci_sft_backend@_global_=cpu", "r1ci_sft_backend@_global_=gpu"


@cache
def _composed(override: str) -> Any:
    return compose("r1ci_sft", [override], job="sft_trainer_engine")


@pytest.fixture
def config(tmp_path: Path) -> Any:
    """The recipe on the CPU with a set of 70 rows and a run folder."""
    config = copy.deepcopy(_composed(CPU))
    (tmp_path / "set").mkdir()
    parquet.write_table(pa.table({"trajectory": ["{}"] * 70}), tmp_path / "set" / "sft.parquet")
    (tmp_path / "set" / SEEN_FILE).write_text('["b", "c"]')
    config.data.train_files = str(tmp_path / "set" / "sft.parquet")
    config.trainer.default_local_dir = str(tmp_path / "run")
    (tmp_path / "run").mkdir()
    return config


def checkpoint(config: Any, step: int) -> Path:
    """What verl leaves at a step."""
    folder = Path(config.trainer.default_local_dir)
    (folder / TRACKER).write_text(str(step))
    policy = folder / f"global_step_{step}" / "huggingface"
    policy.mkdir(parents=True)
    (policy / "config.json").write_text("{}")
    (policy.parent / "data_0.pt").write_text("state")
    return policy


def broken(findings: Any) -> list[str]:
    return [f"{finding.what}. Mend: {finding.mend}" for finding in findings if not finding.ok]


@pytest.mark.parametrize("override", [CPU, GPU])
def test_the_method_is_the_same_on_every_back_end(override: str) -> None:
    config = _composed(override)
    assert (config.data.train_batch_size, config.trainer.total_epochs, config.model.lora_rank) == (32, 3, 0)
    assert config.optim.lr_scheduler_type == "cosine" and "hf_model" in config.checkpoint.save_contents
    assert config.data.custom_cls.name == "SFTDataset"
    assert config.optim.lr == (1e-5 if override == GPU else 5e-4)


def test_what_the_policy_learns_has_the_limits_it_meets_in_rl_on_the_same_back_end() -> None:
    for sft, rl in ((CPU, "r1ci_backend@_global_=cpu"), (GPU, "r1ci_backend@_global_=gpu")):
        ours, theirs = _composed(sft).data.r1ci.interaction, compose("r1ci_stage1", [rl]).r1ci.interaction
        assert {key: theirs[key] for key in ours} == dict(ours)


def test_a_missing_set_names_the_commands_that_make_it(config: Any, tmp_path: Path) -> None:
    config.data.train_files = str(tmp_path / "nothing" / "sft.parquet")
    (line,) = broken(preflight.check_set(config))
    assert f"r1ci sft synthesize && r1ci sft check --out {tmp_path / 'nothing'}" in line


def test_a_set_below_a_batch_and_a_file_that_is_no_set_are_refused(config: Any, tmp_path: Path) -> None:
    config.data.train_batch_size = 71
    assert "fewer than one batch" in broken(preflight.check_set(config))[0]
    parquet.write_table(pa.table({"prompt": ["?"]}), tmp_path / "set" / "sft.parquet")
    assert "no fine-tuning set" in broken(preflight.check_set(config))[0]


def test_a_missing_policy_is_named_as_on_the_command_line(config: Any, tmp_path: Path) -> None:
    config.model.path = str(tmp_path / "no_policy")
    assert "set model.path to" in broken(check_model(config.model, "model"))[0]


def test_steps_to_do_are_whole_batches_of_every_epoch(config: Any) -> None:
    assert preflight.expected_steps(config) == 3 * 2  # 70 rows: two batches of 32
    config.trainer.total_training_steps = 5
    assert preflight.expected_steps(config) == 5


def test_a_run_that_ended_early_without_an_error_is_told(config: Any, monkeypatch: Any) -> None:
    monkeypatch.delenv("RANK", raising=False)
    ended = JobReturn(status=JobStatus.COMPLETED)
    checkpoint(config, 4)
    with pytest.raises(SystemExit):
        preflight.SFTPreflight().on_job_end(config, ended)
    policy = checkpoint(config, 6)
    preflight.SFTPreflight().on_job_end(config, ended)
    assert {"b", "c"} <= set(json.loads((policy / SEEN_FILE).read_text()))


def test_the_new_policy_has_seen_what_its_start_had_seen_too(config: Any, tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    (start / SEEN_FILE).write_text('["a", "b"]')
    config.model.path = str(start)
    policy = checkpoint(config, 6)
    preflight.hand_on_questions(config, policy)
    assert json.loads((policy / SEEN_FILE).read_text()) == ["a", "b", "c"]


@pytest.mark.parametrize(("done", "kept"), [(2, False), (4, False), (3, True), (6, True)])
def test_a_resume_at_the_end_of_an_epoch_begins_the_next_one(config: Any, done: int, kept: bool) -> None:
    state = checkpoint(config, done).parent / "data_0.pt"
    preflight.begin_epoch_afresh(Path(config.trainer.default_local_dir), 2, 6)
    assert state.exists() == kept


def test_rl_on_questions_of_fine_tuning_is_refused(tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / SEEN_FILE).write_text('["q1", "q7"]')
    rows = [{"extra_info": {"question_id": f"q{number}"}} for number in range(5)]
    (line,) = broken(_check_unseen(rows, tmp_path / "train.parquet", policy))
    assert "1 of 5 questions" in line and f"--exclude {policy / SEEN_FILE}" in line
    assert broken(_check_unseen(rows[2:], tmp_path / "train.parquet", policy)) == []
    (policy / SEEN_FILE).write_text('{"q1": 1}')
    assert "not a JSON list" in broken(_check_unseen(rows, tmp_path / "train.parquet", policy))[0]


def test_the_policy_of_a_fine_tuning_run_is_found_by_its_name(
    config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("R1CI_RUNS", str(tmp_path))
    policy = checkpoint(config, 6)
    assert recipe_files.policy_of("run") == policy
