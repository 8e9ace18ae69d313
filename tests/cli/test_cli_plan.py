"""`r1ci plan` says whether a run fits, why, and what to change, for a person and for a program."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from r1ci_plugin.cli.main import build
from r1ci_plugin.installing import install

pytest.importorskip("verl")
SEVEN, TWO_NODES = "r1ci_model@_global_=qwen2.5-7b-instruct-1m", "r1ci_layout@_global_=2x8"


def plan(*arguments: str) -> Any:
    return CliRunner().invoke(build(["plan"]), ["plan", *arguments])


def test_a_run_that_fits_is_told_with_what_is_to_spare() -> None:
    done = plan(SEVEN, TWO_NODES)
    assert done.exit_code == 0, done.output
    assert "It fits" in done.stdout and "8 engines of 2 GPUs, 80 trajectories each" in " ".join(done.stdout.split())


def test_a_program_reads_moments_parts_and_cache() -> None:
    done = plan(SEVEN, TWO_NODES, "--json")
    read = json.loads(done.stdout)
    assert read["fits"] and not read["problems"] and read["parameters"] == 7615616512
    assert read["gpu"][0]["moment"] == "rollout"
    for moment in read["gpu"]:
        assert moment["gb"] >= sum(moment["parts"].values()) - 0.1
    assert read["engine"]["longest_at_once"] > 1 and read["checkpoint_gb"] > 100


def test_a_run_that_does_not_fit_ends_with_1_and_the_setting_offered_mends_it() -> None:
    large = "actor_rollout_ref.actor.ppo_max_token_len_per_gpu=131072"
    done = plan(SEVEN, TWO_NODES, large)
    assert done.exit_code == 1 and "DOES NOT FIT  update" in done.stdout
    (offered,) = [line.removeprefix("mend: ") for line in done.stdout.splitlines() if line.startswith("mend: ")]
    assert plan(SEVEN, TWO_NODES, large, *offered.split()).exit_code == 0


def test_overrides_and_the_size_of_a_gpu_count() -> None:
    assert plan(SEVEN, "data.max_response_length=30000").exit_code == 1
    assert plan(SEVEN, "--gpu-memory", "24").exit_code == 1


def test_a_later_stage_is_planned_before_its_policy_is_there() -> None:
    assert json.loads(plan("--recipe", "r1ci_stage3", SEVEN, "--json").stdout)["parameters"] == 7615616512


def test_fine_tuning_is_planned_by_the_same_words() -> None:
    read = json.loads(plan("--recipe", "r1ci_sft", SEVEN, TWO_NODES, "--json").stdout)
    assert read["fits"] and read["nodes"] == 2 and "engine" not in read


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["actor_rollout_ref.model.path=nobody/nothing"], "the sizes of nobody/nothing are not known"),
        (["r1ci_model@_global_=gpt"], "does not compose"),
        (["actor_rollout_ref.model.lora_rank=8"], "LoRA is not planned"),
        (["r1ci_backend@_global_=cpu"], "only the gpu back end"),
        (["actor_rollout_ref.actor.use_dynamic_bsz=false"], "micro batches by rows are not planned"),
    ],
)
def test_what_cannot_be_planned_is_one_line(arguments: list[str], word: str) -> None:
    done = plan(*arguments)
    assert done.exit_code == 2 and word in done.output and "Traceback" not in done.output


def test_trajectories_sampled_ahead_share_the_cache_in_the_asynchronous_modes() -> None:
    sync, together, apart = (
        json.loads(plan(SEVEN, TWO_NODES, f"r1ci_mode@_global_={mode}", "--json").stdout)
        for mode in ("sync", "colocate_async", "separate_async")
    )
    assert together["gpu"] == sync["gpu"]
    assert together["engine"]["trajectories"] == 2 * sync["engine"]["trajectories"]
    # one node of eight samples for both of the trainer's
    assert (apart["sampling_gpus"], apart["engine"]["engines"]) == (8, sync["engine"]["engines"] // 2)
    assert apart["engine"]["trajectories"] == 4 * sync["engine"]["trajectories"]


def test_without_verl_the_command_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hydra", None)
    done = plan()
    assert done.exit_code == 2 and install("train") in done.output


def test_a_critic_is_counted() -> None:
    for layout, more in ((TWO_NODES, True), ("r1ci_layout@_global_=1x8", False)):
        one, two = (
            json.loads(plan(SEVEN, layout, "--json", *ablation).stdout)["gpu"][0]["gb"]
            for ablation in ((), ("+r1ci_ablation@_global_=ppo",))
        )
        assert (two > one) == more  # offloaded, it waits on the host


def test_what_a_critic_may_keep_and_read_is_the_recipes() -> None:
    ppo = (SEVEN, TWO_NODES, "+r1ci_ablation@_global_=ppo")
    assert json.loads(plan(*ppo, "--json").stdout)["checkpoints_gb"] is not None
    unbounded = json.loads(plan(*ppo, "trainer.max_critic_ckpt_to_keep=null", "--json").stdout)
    assert unbounded["checkpoints_gb"] is None
    short = plan(*ppo, "critic.ppo_max_token_len_per_gpu=4096")
    assert short.exit_code == 1 and "a micro batch of the critic has 4096 tokens" in short.output


@pytest.mark.parametrize("setting", ["free_cache_engine=false", "temperature=0.7"])
def test_what_lies_beside_the_update_follows_the_rollouts_settings(setting: str) -> None:
    plain, changed = (
        {moment["moment"]: moment["gb"] for moment in json.loads(plan(SEVEN, TWO_NODES, *more, "--json").stdout)["gpu"]}
        for more in ((), (f"actor_rollout_ref.rollout.{setting}",))
    )
    assert changed["update, at the head"] > plain["update, at the head"] and changed["rollout"] == plain["rollout"]
