"""verl's trainer modes as a choice of the recipe: they compose with stages and back ends, verl's own trainer takes
them, and a mixture that verl would stop at after minutes is said at once.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest
from omegaconf import OmegaConf
from verl.trainer.config.algorithm import RolloutCorrectionConfig
from verl.trainer.ppo.v1 import get_trainer_cls
from verl.utils.config import omega_conf_to_dataclass

from r1ci_plugin import recipe_files
from r1ci_plugin.checks import Finding
from r1ci_plugin.checks.trainer import check_ray, check_trainer, cpus_of
from r1ci_plugin.curriculum.replay import CurriculumReplayBuffer, CurriculumReplayBufferAsync
from r1ci_plugin.doctor import compose

MODES = {
    "sync": CurriculumReplayBuffer,
    "colocate_async": CurriculumReplayBufferAsync,
    "separate_async": CurriculumReplayBufferAsync,
}


@cache
def _composed(mode: str, stage: int = 1, backend: str = "cpu", *more: str) -> Any:
    choices = [f"r1ci_mode@_global_={mode}", f"r1ci_backend@_global_={backend}", *more]
    return compose(f"r1ci_stage{stage}", choices)


def composed(*choices: Any) -> Any:
    return copy.deepcopy(_composed(*choices))


def broken(config: Any) -> list[Finding]:
    return [finding for finding in check_trainer(config) if not finding.ok]


def test_every_mode_is_tested() -> None:
    folder = recipe_files.recipes_folder() / "r1ci_mode"
    assert sorted(file.stem for file in folder.glob("*.yaml")) == sorted(MODES)


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
@pytest.mark.parametrize("mode", MODES)
def test_verls_trainer_of_the_mode_takes_the_recipe_and_our_replay_buffer(mode: str, backend: str) -> None:
    config = composed(mode, 2, backend)
    if backend == "gpu" and mode == "separate_async":
        config.actor_rollout_ref.rollout.checkpoint_engine.backend = "nccl"  # composed here, where there is no GPU
    trainer = get_trainer_cls(mode)(config)
    assert type(trainer.replay_buffer) is MODES[mode]
    assert trainer.parameter_sync_step == 1
    assert broken(config) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_changes_how_a_step_is_filled_and_nothing_of_the_method(mode: str) -> None:
    config, method = composed(mode), composed("sync")
    assert config.trainer.v1.trainer_mode == mode
    for key in ("data", "reward", "r1ci", "actor_rollout_ref.actor", "actor_rollout_ref.model", "critic"):
        assert OmegaConf.select(config, key) == OmegaConf.select(method, key), key
    correction = RolloutCorrectionConfig(**omega_conf_to_dataclass(config.algorithm).rollout_correction)
    assert (correction.rollout_is, correction.bypass_mode) == ("token" if mode != "sync" else None, False)


def test_an_ablation_goes_on_top_of_a_mode() -> None:
    config = composed("colocate_async", 1, "cpu", "+r1ci_ablation@_global_=dapo_filter")
    trainer = get_trainer_cls("colocate_async")(config)
    assert trainer.replay_buffer.filter_groups_metric == "acc"


@pytest.mark.parametrize("mode", ["colocate_async", "separate_async"])
def test_results_in_the_loss_are_refused_where_they_would_be_weighed_by_log_probs_they_have_not(mode: str) -> None:
    unmasked = "+r1ci_ablation@_global_=unmasked_results"
    assert broken(composed("sync", 1, "cpu", unmasked)) == []
    (finding,) = broken(composed(mode, 1, "cpu", unmasked))
    assert "train_on_results" in finding.what and "\n" not in finding.what
    assert finding.mend == "algorithm.rollout_correction.rollout_is=null"
    assert broken(composed(mode, 1, "cpu", unmasked, finding.mend)) == []


def test_results_in_the_loss_are_refused_where_the_engines_log_probs_are_the_old_ones() -> None:
    overrides = ("r1ci.interaction.train_on_results=true", "algorithm.rollout_correction.bypass_mode=true")
    (finding,) = broken(composed("sync", 1, "cpu", *overrides))
    assert finding.mend == "algorithm.rollout_correction.bypass_mode=false"


def test_a_layout_sets_the_nodes_that_train_and_the_mode_adds_those_that_only_sample() -> None:
    config = composed("separate_async", 2, "gpu", "r1ci_layout@_global_=4x8")
    assert (config.trainer.nnodes, config.actor_rollout_ref.rollout.nnodes) == (4, 1)
    assert config.trainer.n_gpus_per_node == config.actor_rollout_ref.rollout.n_gpus_per_node == 8


def test_a_mode_without_its_replay_buffer_names_the_choice_that_sets_both() -> None:
    config = composed("sync")
    config.trainer.v1.trainer_mode = "colocate_async"
    (finding,) = broken(config)
    assert finding.mend.startswith("r1ci_mode@_global_=colocate_async")
    config.trainer.v1.trainer_mode = "asynchronous"
    (finding,) = broken(config)
    assert finding.mend == "r1ci_mode@_global_=sync|colocate_async|separate_async"


@pytest.mark.parametrize(
    ("key", "value", "mend"),
    [
        ("trainer.v1.separate_async.parameter_sync_step", 3, "actor_rollout_ref.actor.ppo_mini_batch_size=4"),
        ("actor_rollout_ref.rollout.nnodes", 0, "actor_rollout_ref.rollout.nnodes=1"),
        (
            "actor_rollout_ref.rollout.checkpoint_engine.backend",
            "naive",
            "actor_rollout_ref.rollout.checkpoint_engine.backend=",
        ),
        ("actor_rollout_ref.hybrid_engine", False, "actor_rollout_ref.hybrid_engine=true"),
    ],
)
def test_what_verl_would_stop_at_after_ray_has_started_is_said_before(key: str, value: Any, mend: str) -> None:
    config = composed("separate_async")
    OmegaConf.update(config, key, value)
    (finding,) = broken(config)
    assert finding.mend.startswith(mend) and "\n" not in finding.what


def test_nodes_that_only_sample_count_in_the_cpus_ray_must_have() -> None:
    assert cpus_of(composed("colocate_async")) == cpus_of(composed("sync"))
    assert cpus_of(composed("separate_async")) == cpus_of(composed("sync")) + 2
    for mode in MODES:
        assert all(finding.ok for finding in check_ray(composed(mode))), mode
