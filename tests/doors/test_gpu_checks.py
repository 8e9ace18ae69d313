"""What a GPU run would stumble over late is said before it starts, with the setting that mends it."""

from __future__ import annotations

import copy
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin import backend
from r1ci_plugin.checks import Finding, gpu
from r1ci_plugin.doctor import compose

pytest.importorskip("verl")
NAME = "Qwen/Qwen2.5-7B-Instruct-1M"
PUBLISHED = """{
  "bos_token_id": 151643,
  "dual_chunk_attention_config": {
    "chunk_size": 262144,
    "local_size": 8192,
    "original_max_position_embeddings": 262144
  },
  "model_type": "qwen2"
}
"""


@cache
def _composed() -> Any:
    groups = {"r1ci_backend": "gpu", "r1ci_model": "qwen2.5-7b-instruct-1m", "r1ci_layout": "2x8"}
    return compose("r1ci_stage1", [f"{group}@_global_={name}" for group, name in groups.items()])


@pytest.fixture
def config() -> Any:
    return copy.deepcopy(_composed())


def findings(config: Any) -> list[Finding]:
    return list(gpu.check_plan(config))


def test_the_recipes_are_well_and_the_plan_is_told(config: Any) -> None:
    (finding,) = findings(config)
    assert finding.ok and finding.is_told and "this fits" in finding.what


@pytest.mark.parametrize(
    "key, value, mend",
    [
        ("data.max_response_length", 12288, "actor_rollout_ref.rollout.max_model_len=14336"),
        ("actor_rollout_ref.actor.ppo_max_token_len_per_gpu", 8192, "ppo_max_token_len_per_gpu=10240"),
        ("actor_rollout_ref.rollout.tensor_model_parallel_size", 3, "tensor_model_parallel_size="),
    ],
)
def test_settings_that_contradict_each_other_stop_the_run(config: Any, key: str, value: int, mend: str) -> None:
    from omegaconf import OmegaConf

    OmegaConf.update(config, key, value)
    broken = [finding for finding in findings(config) if not finding.ok]
    assert broken and all(mend in finding.mend for finding in broken)


def test_an_estimate_of_too_much_memory_is_told_and_stops_nothing(config: Any) -> None:
    config.actor_rollout_ref.actor.ppo_max_token_len_per_gpu = 131072
    (finding,) = findings(config)
    assert finding.ok and "does not fit" in finding.what and "ppo_max_token_len_per_gpu=" in finding.what


def test_a_policy_of_unknown_sizes_is_not_judged(config: Any) -> None:
    config.actor_rollout_ref.model.path = "nobody/nothing"
    (finding,) = findings(config)
    assert finding.ok and "no memory plan" in finding.what


def test_several_nodes_need_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for on_cluster, count in ((False, 1), (True, 0)):
        monkeypatch.setattr(backend, "choose", lambda there=on_cluster: backend.Choice("gpu", "a test", there))
        assert len(list(gpu.check_cluster(2))) == count and not list(gpu.check_cluster(1))


def test_a_policy_vllm_cannot_load_is_refused_and_the_command_mends_it(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(PUBLISHED)
    (finding,) = gpu.check_attention(str(tmp_path))
    assert not finding.ok
    subprocess.run(["bash", "-c", finding.mend], check=True)
    assert json.loads(file.read_text()) == {"bos_token_id": 151643, "model_type": "qwen2"}
    assert not list(gpu.check_attention(str(tmp_path)))


def test_a_name_on_the_hub_is_to_be_fetched_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(PUBLISHED)
    monkeypatch.setattr(gpu, "_config_file", lambda policy: tmp_path / "config.json")
    (finding,) = gpu.check_attention(NAME)
    assert finding.mend.startswith(f"hf download {NAME} --local-dir models/Qwen2.5-7B-Instruct-1M && sed")
    assert finding.mend.endswith("then actor_rollout_ref.model.path=models/Qwen2.5-7B-Instruct-1M")
