"""The recipes: complete, in step with the code's settings, and the same for every stage but what a stage is about."""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from r1ci_plugin import recipe_files
from r1ci_plugin.config import R1CISettings, settings_from
from r1ci_plugin.doctor import compose

CPU, GPU = "r1ci_backend@_global_=cpu", "r1ci_backend@_global_=gpu"


@cache
def _composed(recipe: str, override: str) -> Any:
    return compose(recipe, [override])


def composed(recipe: str, override: str) -> Any:
    """Composing takes a second; each test gets a copy of its own."""
    return copy.deepcopy(_composed(recipe, override))


def plain(config: Any) -> Any:
    return OmegaConf.to_container(config)


def keys_of(settings: Any) -> set[str]:
    found: set[str] = set()
    for entry in fields(settings):
        value = getattr(settings, entry.name)
        found |= {f"{entry.name}.{key}" for key in keys_of(value)} if is_dataclass(value) else {entry.name}
    return found


def test_the_section_r1ci_has_the_very_keys_of_the_settings() -> None:
    section = recipe_files.load_recipe(recipe_files.recipes_folder() / "r1ci_method" / "grpo.yaml")["r1ci"]
    flat = {f"{key}.{inner}" for key, value in section.items() if isinstance(value, dict) for inner in value}
    flat |= {key for key, value in section.items() if not isinstance(value, dict)}
    assert flat == keys_of(R1CISettings())


def test_the_method_is_the_default_of_the_settings() -> None:
    section = recipe_files.load_recipe(recipe_files.recipes_folder() / "r1ci_method" / "grpo.yaml")["r1ci"]
    curriculum = {**section["curriculum"], "steps": 150}  # the run's own number
    assert settings_from({"r1ci": {**section, "manifest": None, "curriculum": curriculum}}) == R1CISettings()


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_every_stage_has_its_own_number_and_run_folder(stage: int) -> None:
    config = composed(f"r1ci_stage{stage}", GPU)
    assert config.r1ci.stage == stage
    assert Path(config.trainer.default_local_dir).name == f"r1ci_stage{stage}"


def test_stages_differ_in_nothing_else() -> None:
    first, third = (composed(f"r1ci_stage{stage}", GPU) for stage in (1, 3))
    for config in (first, third):
        config.r1ci.stage = 0
        config.trainer.experiment_name = ""
        config.actor_rollout_ref.model.path = ""
    assert plain(first) == plain(third)


def test_a_later_stage_starts_from_the_newest_policy_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("R1CI_RUNS", str(tmp_path))
    assert recipe_files.policy_of("r1ci_stage1") == tmp_path / "r1ci_stage1/global_step_LAST/actor/huggingface"
    (tmp_path / "r1ci_stage1").mkdir()
    (tmp_path / "r1ci_stage1" / "latest_checkpointed_iteration.txt").write_text("150")
    assert recipe_files.policy_of("r1ci_stage1") == tmp_path / "r1ci_stage1/global_step_150/actor/huggingface"


def test_the_gpu_back_end_leaves_every_value_of_the_method_alone() -> None:
    config = composed("r1ci_stage1", GPU)
    actor, rollout = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout
    assert (config.algorithm.adv_estimator, config.algorithm.norm_adv_by_std_in_grpo) == ("grpo", True)
    assert (actor.loss_agg_mode, actor.clip_ratio, actor.optim.lr) == ("seq-mean-token-mean", 0.2, 1e-6)
    assert (actor.use_kl_loss, actor.kl_loss_coef, config.algorithm.use_kl_in_reward) == (True, 0.001, False)
    assert (rollout.n, rollout.temperature, rollout.top_p, rollout.top_k) == (5, 1.0, 1.0, -1)
    assert (config.data.train_batch_size, actor.ppo_mini_batch_size) == (128, 128)
    assert (config.trainer.total_training_steps, rollout.val_kwargs.temperature) == (150, 0.6)
    assert config.data.filter_overlong_prompts
    assert rollout.name == "vllm"


def test_the_cpu_back_end_changes_only_what_it_lists() -> None:
    config = composed("r1ci_stage1", CPU)
    assert config.actor_rollout_ref.rollout.name == "r1ci_cpu"
    assert config.actor_rollout_ref.actor.loss_agg_mode == "seq-mean-token-mean"
    assert config.data.train_batch_size < 128
    assert config.ray_kwargs.ray_init.address == "local"
    assert (config.trainer.nnodes, config.trainer.n_gpus_per_node) == (1, 1)
    fsdp = config.actor_rollout_ref.actor.fsdp_config
    assert not (fsdp.param_offload or fsdp.optimizer_offload or fsdp.forward_prefetch)


ABLATIONS = {
    "no_curriculum": {"r1ci.curriculum.schedule": "all"},
    "by_difficulty": {"r1ci.curriculum.group_by": "difficulty"},
    "reverse": {"r1ci.curriculum.schedule": "reverse"},
    "online_merge": {"r1ci.curriculum.schedule": "online_merge"},
    "dapo_filter": {"r1ci.curriculum.schedule": "all", "algorithm.filter_groups.metric": "acc"},
    "number_of_stages": {"r1ci.curriculum.number_of_stages": 2},
    "ppo": {"algorithm.adv_estimator": "gae"},
    "reinforce_plus_plus": {"algorithm.adv_estimator": "reinforce_plus_plus"},
    "unmasked_results": {"r1ci.interaction.train_on_results": True},
    "leave_one_suite_out": {"r1ci.curriculum.leave_out": ["bbh/*"]},
}
BUDGET = (
    "trainer.total_training_steps",
    "data.train_batch_size",
    "actor_rollout_ref.rollout.n",
    "actor_rollout_ref.actor.ppo_mini_batch_size",
    "actor_rollout_ref.actor.optim.lr",
    "actor_rollout_ref.model.path",
    "data.max_response_length",
)


def test_every_ablation_is_tested() -> None:
    folder = recipe_files.recipes_folder() / "r1ci_ablation"
    assert sorted(file.stem for file in folder.glob("*.yaml")) == sorted(ABLATIONS)


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_what_it_is_about_and_keeps_the_budget(name: str) -> None:
    plain_stage = composed("r1ci_stage2", CPU)
    ablated = compose("r1ci_stage2", [CPU, f"+r1ci_ablation@_global_={name}"])
    assert ablated.r1ci.ablation == name
    for key, value in ABLATIONS[name].items():
        found = OmegaConf.select(ablated, key)
        assert (OmegaConf.to_container(found) if OmegaConf.is_config(found) else found) == value
        assert found != OmegaConf.select(plain_stage, key)
    for key in BUDGET:
        assert OmegaConf.select(ablated, key) == OmegaConf.select(plain_stage, key), key
    settings_from(ablated)


def test_the_critic_of_ppo_is_set_up_as_its_policy() -> None:
    config = compose("r1ci_stage1", [CPU, "+r1ci_ablation@_global_=ppo"])
    assert config.critic.model.path == config.actor_rollout_ref.model.path
    assert config.critic.strategy == config.critic.fsdp.strategy == "fsdp2"
    assert config.critic.fsdp.model_dtype == "fp32" and not config.critic.model.use_remove_padding


def test_the_critic_of_ppo_has_the_bounds_of_its_policy_wherever_verl_reads_them() -> None:
    keys = ("actor.ppo_max_token_len_per_gpu=10240", "actor.ulysses_sequence_parallel_size=2")
    config = compose("r1ci_stage1", [GPU, "+r1ci_ablation@_global_=ppo", *(f"actor_rollout_ref.{key}" for key in keys)])
    for name in ("ppo", "forward", "ppo_infer"):
        assert config.critic[f"{name}_max_token_len_per_gpu"] == 10240
    assert config.critic.ulysses_sequence_parallel_size == 2
    assert config.trainer.max_critic_ckpt_to_keep == config.trainer.max_actor_ckpt_to_keep == 2


@pytest.mark.parametrize(
    "override, variables",
    [(CPU, {"R1CI_BACKEND": "cpu", "VERL_PLATFORM": "cpu"}), (GPU, {"R1CI_BACKEND": "gpu"})],
)
def test_the_choice_travels_to_every_ray_process(override: str, variables: dict[str, str]) -> None:
    given = plain(composed("r1ci_stage1", override).ray_kwargs.ray_init.runtime_env.env_vars)
    assert variables.items() <= given.items()
    assert ("VERL_PLATFORM" in given) == ("VERL_PLATFORM" in variables)


@pytest.mark.parametrize(
    "model, path",
    [
        ("qwen2.5-3b-instruct", "Qwen/Qwen2.5-3B-Instruct"),
        ("qwen2.5-7b-instruct-1m", "Qwen/Qwen2.5-7B-Instruct-1M"),
        ("qwen2.5-14b-instruct-1m", "Qwen/Qwen2.5-14B-Instruct-1M"),
    ],
)
def test_the_policies_of_the_paper_can_be_chosen(model: str, path: str) -> None:
    file = recipe_files.recipes_folder() / "r1ci_model" / f"{model}.yaml"
    assert recipe_files.load_recipe(file)["actor_rollout_ref"]["model"]["path"] == path


def test_no_place_is_left_unfilled() -> None:
    for _, _, file in recipe_files.recipe_files():
        assert "${r1ci." not in str(recipe_files.load_recipe(file)).replace("${r1ci}", "")
