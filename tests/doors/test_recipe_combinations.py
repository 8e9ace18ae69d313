"""Every model, layout and stage go together: verl accepts what they compose to, as its trainers and workers would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf, open_dict

from r1ci_plugin import recipe_files
from r1ci_plugin.config import settings_from
from r1ci_plugin.doctor import compose
from r1ci_plugin.plan.formulas import GIB
from r1ci_plugin.plan.job import job_of, model_path
from r1ci_plugin.plan.mends import Memory, problems
from r1ci_plugin.plan.moments import cache_of, disk, gpu_moments, host_moments
from r1ci_plugin.plan.shapes import shape_of

pytest.importorskip("verl")


def members(group: str) -> list[str]:
    return sorted(file.stem for file in (recipe_files.recipes_folder() / group).glob("*.yaml"))


MODELS = [name for name in members("r1ci_model") if name != "seed"]
LAYOUTS = {"1x8": (1, 8), "2x8": (2, 8), "4x8": (4, 8)}
STAGES = [1, 2, 3, 4]
PARTS = tuple(f"actor_rollout_ref.{part}" for part in ("actor", "ref", "rollout", "rollout.checkpoint_engine"))
SFT_PARTS = ("engine", "optim", "checkpoint", "profiler")
"""What verl's workers make dataclasses of (verl/workers/engine_workers.py, verl/trainer/sft_trainer.py)."""
MODEL, CRITIC = "actor_rollout_ref.model", "critic"
"""Theirs read the policy's files."""


@cache
def composed(recipe: str, *overrides: str) -> Any:
    sft = recipe == "r1ci_sft"
    back_end = "r1ci_sft_backend@_global_=gpu" if sft else "r1ci_backend@_global_=gpu"
    return compose(recipe, [back_end, *overrides], job="sft_trainer_engine" if sft else "ppo_trainer")


def combination(recipe: str, model: str, layout: str, *more: str) -> Any:
    return composed(recipe, f"r1ci_model@_global_={model}", f"r1ci_layout@_global_={layout}", *more)


def constructed(config: Any, parts: Sequence[str]) -> dict[str, Any]:
    """The dataclass of each part."""
    from verl.utils.config import omega_conf_to_dataclass

    found = {part: OmegaConf.select(config, part) for part in parts}
    if "actor_rollout_ref.ref" in found:
        found["actor_rollout_ref.ref"] = as_the_worker_sees(config.actor_rollout_ref.ref, config)
    return {part: omega_conf_to_dataclass(section) for part, section in found.items()}


def as_the_worker_sees(reference: DictConfig, config: Any) -> DictConfig:
    """The reference's settings after what its worker does to them (verl/workers/engine_workers.py)."""
    seen: DictConfig = OmegaConf.create(OmegaConf.to_container(reference, resolve=True))
    with open_dict(seen):
        seen.ppo_mini_batch_size = config.actor_rollout_ref.actor.ppo_mini_batch_size
        seen.ppo_micro_batch_size = seen.pop("log_prob_micro_batch_size")
        seen.ppo_micro_batch_size_per_gpu = seen.pop("log_prob_micro_batch_size_per_gpu")
        seen.use_dynamic_bsz = seen.pop("log_prob_use_dynamic_bsz")
        seen.ppo_max_token_len_per_gpu = seen.pop("log_prob_max_token_len_per_gpu")
    return seen


def check_stage(config: Any, *more: str) -> dict[str, Any]:
    """What verl checks before and while it starts the workers of a stage."""
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    made = constructed(config, (*PARTS, *more))
    actor, reference = made["actor_rollout_ref.actor"], made["actor_rollout_ref.ref"]
    rollout = made["actor_rollout_ref.rollout"]
    assert actor.engine.strategy == reference.engine.strategy == "fsdp2"
    assert reference.engine.forward_only and not actor.engine.forward_only
    assert actor.use_dynamic_bsz and reference.use_dynamic_bsz and rollout.log_prob_use_dynamic_bsz
    longest = config.data.max_prompt_length + config.data.max_response_length
    budgets = (actor.ppo_max_token_len_per_gpu, reference.ppo_max_token_len_per_gpu)
    assert min(*budgets, rollout.log_prob_max_token_len_per_gpu) >= longest
    assert rollout.max_model_len >= longest
    assert rollout.enable_chunked_prefill or rollout.max_num_batched_tokens >= rollout.max_model_len
    assert config.trainer.n_gpus_per_node % rollout.tensor_model_parallel_size == 0
    settings_from(config)
    return made


def test_the_combinations_are_those_of_the_files() -> None:
    assert members("r1ci_layout") == sorted([*LAYOUTS, "here"])
    assert "seed" in members("r1ci_model") and len(MODELS) == 4


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", MODELS)
def test_verl_accepts_every_stage_on_every_model_and_layout(model: str, layout: str) -> None:
    for stage in STAGES:
        config = combination(f"r1ci_stage{stage}", model, layout)
        assert (config.trainer.nnodes, config.trainer.n_gpus_per_node) == LAYOUTS[layout]
        assert config.r1ci.stage == stage and config.actor_rollout_ref.rollout.name == "vllm"
        check_stage(config)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", MODELS)
def test_verl_accepts_fine_tuning_on_every_model_and_layout(model: str, layout: str) -> None:
    config = combination("r1ci_sft", model, layout)
    assert (config.trainer.nnodes, config.trainer.n_gpus_per_node) == LAYOUTS[layout]
    made = constructed(config, SFT_PARTS)
    assert made["engine"].strategy == "fsdp2" and made["optim"].lr == 1e-5
    assert config.model.path == combination("r1ci_stage1", model, layout).actor_rollout_ref.model.path
    assert config.data.max_token_len_per_gpu >= config.data.max_length
    batch, gpus = config.data.train_batch_size, config.trainer.nnodes * config.trainer.n_gpus_per_node
    assert batch % gpus == 0


@pytest.mark.parametrize("ablation", members("r1ci_ablation"))
def test_verl_accepts_every_ablation_on_gpus(ablation: str) -> None:
    seed = f"actor_rollout_ref.model.path={recipe_files.place('seed_policy')}"
    config = combination("r1ci_stage4", "qwen2.5-7b-instruct-1m", "2x8", f"+r1ci_ablation@_global_={ablation}", seed)
    made = check_stage(config, MODEL, *([CRITIC] if ablation == "ppo" else []))
    assert made[MODEL].hf_config.vocab_size > 0
    assert config.r1ci.ablation == ablation


def test_every_model_fits_on_every_layout_by_the_memory_plan() -> None:
    memory = Memory(80 * GIB, 512 * GIB)
    for recipe, model, layout in product(("r1ci_stage1", "r1ci_sft"), MODELS, LAYOUTS):
        config = combination(recipe, model, layout)
        job = job_of(config, shape_of(model_path(config)))
        assert not list(problems(job, memory)), (recipe, model, layout)
        if job.engine:  # all trajectories of a step have room at once, unless most are long
            assert cache_of(job, job.engine, memory.gpu).mean_for_all > 2500, (model, layout)


def test_the_documented_plan_is_the_plan() -> None:
    """Rows of the first table of docs/memory_plan.md, GB rounded."""
    text = (Path(__file__).parents[2] / "docs" / "memory_plan.md").read_text(encoding="utf-8")
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines()]
    told = {(row[0], row[1]): row[2:] for row in rows if row[0] in MODELS}
    assert set(told) == set(product(MODELS, LAYOUTS))
    for (model, layout), figures in told.items():
        stage, tuning = (
            job_of(config, shape_of(model_path(config)))
            for config in (combination(recipe, model, layout) for recipe in ("r1ci_stage1", "r1ci_sft"))
        )
        step = {moment.name: moment.total for moment in gpu_moments(stage, 80 * GIB)}
        planned = [
            step["rollout"],
            step["log-probs"],
            max(step["update, in a layer"], step["update, at the head"]),
            step["optimizer step"],
            step["weights to the engine"],
            max(moment.total for moment in gpu_moments(tuning, 80 * GIB)),
            max(moment.total for moment in host_moments(stage)),
            disk(stage)[0],
        ]
        assert figures == [f"{size / GIB:.0f}" for size in planned], (model, layout)


def test_model_and_layout_leave_the_method_alone() -> None:
    """Nothing that a model or a layout sets is a value of the method, nor what another group sets."""
    folder = recipe_files.recipes_folder()
    groups = {
        name: set(flat(recipe_files.load_recipe(folder / name)))
        for name in ("r1ci_method/grpo.yaml", "r1ci_backend/gpu.yaml")
    }
    groups |= {
        group: set().union(*(flat(recipe_files.load_recipe(file)) for file in (folder / group).glob("*.yaml")))
        for group in ("r1ci_model", "r1ci_layout")
    }
    for one, other in product(groups, groups):
        if one < other and {one, other} != {"r1ci_backend/gpu.yaml", "r1ci_model"}:  # the seed policy is loaded
            assert not groups[one] & groups[other], (one, other)


def flat(node: Any, prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
