"""Nodes of a cluster: what is wrong with one is said in a line that names it, before the job begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from r1ci_plugin import preflight
from r1ci_plugin.checks import nodes

OWN = {
    "version": "0.1.0",
    "digest": "abc",
    "verl": "0.9.1",
    "python": "/usr/bin/python",
    "is_plugged": True,
    "proof": "here",
    "missing": [],
}


def judged(**answer: Any) -> nodes.Finding:
    return nodes.judge("10.0.0.7 (ab12)", {**OWN, **answer}, OWN, proof="here")


def test_a_node_that_is_as_this_machine_is_fit() -> None:
    assert judged().ok


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"version": None}, "has no r1ci_plugin in /usr/bin/python"),
        ({"version": "0.0.9"}, "another version of r1ci_plugin: 0.0.9"),
        ({"verl": "0.9.0"}, "another version of verl"),
        ({"digest": "abd"}, "the code of r1ci_plugin"),
        ({"is_plugged": False}, "verl does not load r1ci_plugin"),
        ({"proof": ""}, "does not see the run folder"),
        ({"proof": "somebody else's"}, "does not see the run folder"),
        ({"missing": ["/data/train.parquet"]}, "does not see /data/train.parquet"),
        ({"fault": "GetTimeoutError: late"}, "does not answer"),
    ],
)
def test_what_is_wrong_with_a_node_is_one_line_that_names_it(answer: dict[str, Any], words: str) -> None:
    finding = judged(**answer)
    assert not finding.ok and finding.mend
    assert "10.0.0.7 (ab12)" in finding.what and words in finding.what and "\n" not in finding.what + finding.mend


def test_the_question_answers_for_the_machine_it_runs_on(tmp_path: Path) -> None:
    (tmp_path / "proof").write_text("words")
    answer = nodes._question(tmp_path / "proof", [str(tmp_path), str(tmp_path / "none")])()
    assert answer["proof"] == "words" and answer["missing"] == [str(tmp_path / "none")]
    assert answer["is_plugged"] and answer["version"] and len(answer["digest"]) == 12


def test_the_question_can_be_put_to_a_node_without_the_package(tmp_path: Path) -> None:
    import ray.cloudpickle as cloudpickle

    (tmp_path / "question").write_bytes(cloudpickle.dumps(nodes._question(tmp_path, [])))
    there = (
        "import sys, pathlib; sys.modules['r1ci_plugin'] = None; import ray.cloudpickle\n"
        f"print(ray.cloudpickle.loads(pathlib.Path({str(tmp_path / 'question')!r}).read_bytes())())"
    )
    done = subprocess.run([sys.executable, "-c", there], capture_output=True, text=True, timeout=120, check=False)
    assert "'version': None" in done.stdout, done.stderr


def config_of(address: str | None) -> Any:
    ray_init = {
        "address": address,
        "num_cpus": 8,
        "_system_config": {"a": 1},
        "runtime_env": {"env_vars": {"OWN": "${name}"}},
    }
    return OmegaConf.create({"name": "value", "ray_kwargs": {"ray_init": ray_init}})


def test_a_job_that_joins_a_cluster_leaves_its_sizes_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(preflight.leftovers.MARK, "/runs/x")
    config = config_of("10.0.0.1:6379")
    assert nodes.address_of(config) == "10.0.0.1:6379"
    preflight.resolve_ray_settings(config)
    assert set(config.ray_kwargs.ray_init) == {"address", "runtime_env"}
    alone = config_of("local")
    assert nodes.address_of(alone) is None
    preflight.resolve_ray_settings(alone)
    assert alone.ray_kwargs.ray_init.num_cpus == 8


def test_endpoints_and_the_plugin_door_travel_to_every_node_but_no_token_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(preflight.leftovers.MARK, "/runs/x")
    monkeypatch.setenv("SANDBOX_FUSION_ENDPOINT", "http://cpu1:8080")
    monkeypatch.setenv("VERL_USE_EXTERNAL_PLUGINS", "r1ci")
    monkeypatch.setenv("R1CI_SANDBOX_TOKEN", "secret")
    config = config_of("10.0.0.1:6379")
    preflight.resolve_ray_settings(config)
    assert dict(config.ray_kwargs.ray_init.runtime_env.env_vars) == {
        "OWN": "value",
        "R1CI_RUN": "/runs/x",
        "SANDBOX_FUSION_ENDPOINT": "http://cpu1:8080",
        "VERL_USE_EXTERNAL_PLUGINS": "r1ci",
    }
