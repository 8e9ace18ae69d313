"""Whatever a run lacks is said before Ray starts, in one line that ends with the command that mends it."""

from __future__ import annotations

import copy
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from omegaconf import open_dict

from r1ci_plugin import leftovers, preflight
from r1ci_plugin.checkpoints import TRACKER
from r1ci_plugin.checks import Finding
from r1ci_plugin.checks.data import COLUMNS, check_data
from r1ci_plugin.checks.policy import check_policy
from r1ci_plugin.checks.process import check_run_folder, check_section
from r1ci_plugin.checks.trainer import check_ray, check_trainer
from r1ci_plugin.curriculum.manifest import load_manifest
from r1ci_plugin.curriculum.starts import Start, append_start
from r1ci_plugin.doctor import compose
from r1ci_plugin.protocol import PROTOCOL

CPU = "r1ci_backend@_global_=cpu"


@cache
def _composed() -> Any:
    return compose("r1ci_stage1", [CPU])


def row(index: int) -> dict[str, Any]:
    info = {"index": index, "question_id": f"q{index}", "protocol": PROTOCOL}
    return {
        "data_source": "symbench/letters",
        "agent_name": "r1ci_code_interpreter",
        "prompt": [{"role": "user", "content": "?"}],
        "reward_model": {"style": "rule", "ground_truth": "{}"},
        "extra_info": info,
    }


def write(file: Path, rows: list[dict[str, Any]]) -> None:
    parquet.write_table(pa.Table.from_pylist(rows), file)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    return folder


@pytest.fixture
def config(tmp_path: Path, policy: Path) -> Any:
    """A composed recipe that lacks nothing; tests break one thing of it."""
    made = copy.deepcopy(_composed())
    for part in ("train", "validation"):
        write(tmp_path / f"{part}.parquet", [row(index) for index in range(20)])
    with open_dict(made):
        made.data.train_files = str(tmp_path / "train.parquet")
        made.data.val_files = str(tmp_path / "validation.parquet")
        made.r1ci.manifest = None
        made.actor_rollout_ref.model.path = str(policy)
        made.trainer.default_local_dir = str(tmp_path / "run")
    return made


def broken(findings: Any) -> list[Finding]:
    return [finding for finding in findings if not finding.ok]


def the_one(findings: Any) -> Finding:
    [finding] = broken(findings)
    assert finding.mend
    assert "\n" not in finding.what + finding.mend
    return finding


def test_a_run_that_lacks_nothing_passes(config: Any) -> None:
    settled = [
        check(config) for check in (check_section, check_policy, check_data, check_ray)
    ]
    assert [broken(findings) for findings in settled] == [[], [], [], []]


def test_missing_data_names_the_command_that_builds_it(config: Any, tmp_path: Path) -> None:
    (tmp_path / "train.parquet").unlink()
    finding = the_one(check_data(config))
    assert str(tmp_path / "train.parquet") in finding.what
    assert finding.mend == f"r1ci data build --out {tmp_path}"


def test_a_file_that_is_no_parquet_is_said(config: Any, tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_text("hello")
    assert "no parquet file" in the_one(check_data(config)).what


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(config: Any, tmp_path: Path, column: str) -> None:
    write(tmp_path / "train.parquet", [{k: v for k, v in row(i).items() if k != column} for i in range(20)])
    assert column in the_one(check_data(config)).what


def change(number: int, /, **values: Any) -> dict[str, Any]:
    changed = row(number)
    info = {key: values.pop(key) for key in ("index", "protocol") if key in values}
    return {**changed, **values, "extra_info": {**changed["extra_info"], **info}}


@pytest.mark.parametrize(
    "rows, words",
    [
        ([change(i, data_source="symbench/leters") for i in range(20)], "did you mean symbench/letters"),
        ([change(i, agent_name="no_such_agent") for i in range(20)], "no_such_agent"),
        ([change(i, index=None) for i in range(20)], "extra_info.index is missing"),
        ([change(i, index=0) for i in range(20)], "extra_info.index is the same"),
        ([change(i, protocol="r1ci/0") for i in range(20)], f"built for protocol r1ci/0, installed is {PROTOCOL}"),
    ],
)
def test_rows_that_would_train_on_something_else_are_refused(
    config: Any, tmp_path: Path, rows: list[dict[str, Any]], words: str
) -> None:
    write(tmp_path / "train.parquet", rows)
    assert words in the_one(check_data(config)).what


def test_fewer_questions_than_a_batch_are_refused(config: Any, tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", [row(index) for index in range(7)])
    finding = the_one(check_data(config))
    assert "7 questions" in finding.what
    assert finding.mend == "data.train_batch_size=7 actor_rollout_ref.actor.ppo_mini_batch_size=7"


def test_questions_of_several_files_are_counted_together(config: Any, tmp_path: Path) -> None:
    for name, rows in (("a", range(7)), ("b", range(7, 20))):
        write(tmp_path / f"{name}.parquet", [row(index) for index in rows])
    config.data.train_files = [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")]
    assert broken(check_data(config)) == []


def test_a_batch_is_counted_in_the_groups_of_the_stage(config: Any, tmp_path: Path) -> None:
    manifest = pa.table({"question_id": [f"q{i}" for i in range(20)], "group": [1] * 10 + [2] * 10})
    parquet.write_table(manifest, tmp_path / "manifest.parquet")
    config.r1ci.manifest = str(tmp_path / "manifest.parquet")
    assert "10 questions" in the_one(check_data(config)).what
    config.r1ci.stage = 2
    assert broken(check_data(config)) == []


def test_a_run_does_not_go_on_with_another_manifest(config: Any, tmp_path: Path) -> None:
    names, file, run = [f"q{i}" for i in range(20)], tmp_path / "manifest.parquet", tmp_path / "run"
    parquet.write_table(pa.table({"question_id": names, "group": [1] * 20}), file)
    config.r1ci.manifest = str(file)
    run.mkdir()
    append_start(run, Start(0, 1, load_manifest(file).digest, {1: 20}, None))
    (run / TRACKER).write_text("5")
    assert broken(check_data(config)) == []

    parquet.write_table(pa.table({"question_id": names, "group": [1] * 19 + [2]}), file)
    finding = the_one(check_data(config))
    assert "was trained on the manifest" in finding.what and "trainer.default_local_dir=FOLDER" in finding.mend

    config.trainer.resume_mode = "disable"
    assert broken(check_data(config)) == []


def test_a_later_stage_without_manifest_is_refused(config: Any) -> None:
    config.r1ci.stage = 2
    assert "manifest" in the_one(check_data(config)).what


def test_a_wrong_model_path_is_said(config: Any, tmp_path: Path) -> None:
    config.actor_rollout_ref.model.path = str(tmp_path / "nothing")
    assert str(tmp_path / "nothing") in the_one(check_policy(config)).what


def test_a_stage_without_the_policy_it_starts_from_names_the_stage_to_run(config: Any, tmp_path: Path) -> None:
    config.actor_rollout_ref.model.path = str(tmp_path / "r1ci_stage1/global_step_LAST/actor/huggingface")
    assert the_one(check_policy(config)).mend == "python -m verl.trainer.main_ppo +recipe=r1ci_stage1"


@pytest.mark.parametrize(
    "file, word", [("config.json", "config.json"), ("model.safetensors", "weights"), ("tokenizer.json", "")]
)
def test_an_incomplete_policy_is_said(config: Any, policy: Path, file: str, word: str) -> None:
    (policy / file).unlink()
    if word:
        assert word in the_one(check_policy(config)).what
    else:  # a tokenizer may come in other files
        assert broken(check_policy(config)) == []


def test_a_policy_without_chat_template_is_refused_wherever_it_could_be(config: Any, policy: Path) -> None:
    (policy / "tokenizer_config.json").write_text("{}")
    assert "chat template" in the_one(check_policy(config)).what
    (policy / "chat_template.jinja").write_text("{{ messages }}")
    assert broken(check_policy(config)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="as a plain user a read-only folder does it")
def test_a_run_folder_below_a_file_cannot_be_written(config: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config.trainer.default_local_dir = str(tmp_path / "file" / "run")
    assert "cannot be written" in the_one(check_run_folder(config)).what


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_run_folder_cannot_be_written(config: Any, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(stat.S_IRUSR | stat.S_IXUSR)
    config.trainer.default_local_dir = str(tmp_path / "locked" / "run")
    assert "cannot be written" in the_one(check_run_folder(config)).what


def test_too_few_ray_cpus_are_said_since_verl_would_wait_for_ever(config: Any) -> None:
    config.ray_kwargs.ray_init.num_cpus = 4
    assert the_one(check_ray(config)).mend == "ray_kwargs.ray_init.num_cpus=6"


def test_an_unknown_setting_of_ours_is_named(config: Any) -> None:
    with open_dict(config):
        config.r1ci.reward.formatt = 0.0
    assert "formatt" in the_one(check_section(config)).what


def test_the_announcement_is_one_line_that_says_how_to_choose_the_other_back_end(config: Any) -> None:
    line = preflight.announcement(config)
    assert line.startswith("BACK END ")
    assert "r1ci_backend@_global_=" in line
    assert "\n" not in line


def test_every_changed_setting_of_the_method_is_listed_with_both_values(config: Any) -> None:
    config.algorithm.norm_adv_by_std_in_grpo = False
    lines = list(preflight.differences(config))
    assert "algorithm.norm_adv_by_std_in_grpo: False (the method has True)" in lines
    assert f"data.train_batch_size: {config.data.train_batch_size} (the method has 128)" in lines
    assert not any(line.startswith("data.shuffle") for line in lines)


def test_ray_gets_plain_values_and_the_mark_of_the_run(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(leftovers.MARK, "/runs/one")
    config.ray_kwargs.ray_init.runtime_env.env_vars.VERL_FILE_LOGGER_PATH = "${trainer.default_local_dir}/metrics.jsonl"
    preflight.resolve_ray_settings(config)
    variables = config.ray_kwargs.ray_init.runtime_env.env_vars
    assert variables[leftovers.MARK] == "/runs/one"
    assert variables._get_node("VERL_FILE_LOGGER_PATH")._value() == f"{config.trainer.default_local_dir}/metrics.jsonl"


@pytest.mark.slow
def test_main_ppo_ends_with_plain_lines_and_leaves_nothing(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = run(
        [
            *(sys.executable, "-m", "verl.trainer.main_ppo", "+recipe=r1ci_stage1", CPU),
            "actor_rollout_ref.model.path=/no/such/policy",
            "ray_kwargs.ray_init.num_cpus=2",
        ],
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert all(line.startswith("r1ci: ERROR ") and ". Mend: " in line for line in errors)
    told = "\n".join(errors)
    for words in ("/no/such/policy", "train.parquet", "validation.parquet", "num_cpus=6"):
        assert words in told
    assert "ray init kwargs" not in done.stdout
    assert not list(tmp_path.rglob("*.log"))


def test_groups_are_filtered_by_correctness_or_not_at_all(config: Any) -> None:
    config.algorithm.filter_groups.enable = True
    assert the_one(check_trainer(config)).mend == "algorithm.filter_groups.metric=acc"
    config.algorithm.filter_groups.metric = "acc"
    assert broken(check_trainer(config)) == []


def test_an_ablation_does_not_go_into_the_run_folders_of_the_method(config: Any, tmp_path: Path) -> None:
    config.r1ci.ablation = "reverse"
    assert the_one(check_run_folder(config)).mend == "set R1CI_RUNS=runs/reverse"
    config.trainer.default_local_dir = str(tmp_path / "reverse" / "r1ci_stage1")
    assert broken(check_run_folder(config)) == []


def test_a_schedule_that_does_not_exist_is_said(config: Any) -> None:
    config.r1ci.curriculum.schedule = "no_such_schedule"
    assert "no_such_schedule" in the_one(check_data(config)).what


def test_groups_by_difficulty_need_no_manifest(config: Any) -> None:
    config.r1ci.stage = 3
    assert "manifest" in the_one(check_data(config)).what
    config.r1ci.curriculum.group_by = "difficulty"
    assert broken(check_data(config)) == []
