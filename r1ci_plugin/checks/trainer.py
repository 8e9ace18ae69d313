"""Do the settings of verl's trainer go together, and has Ray the CPUs that it will ask for?

Left out: the nodes of a cluster (`nodes.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from r1ci_plugin import backend
from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.recipe_files import place

ASYNC_MODES = ("colocate_async", "separate_async")
REPLAY_BUFFERS = {"sync": "CurriculumReplayBuffer", **dict.fromkeys(ASYNC_MODES, "CurriculumReplayBufferAsync")}
"""Which of our replay buffers belongs to which of verl's trainer modes."""


def check_trainer(config: Any) -> Iterator[Finding]:
    """verl's trainer runs in a mode with the replay buffer for it, filters groups by correctness if at all, and asks
    for the engine's log-probs of nothing but what the engine has sampled."""
    mode = config.trainer.v1.trainer_mode
    if mode not in REPLAY_BUFFERS:
        modes = "|".join(REPLAY_BUFFERS)
        yield broken(f"there is no trainer mode {mode}", f"r1ci_mode@_global_={modes}")
        return
    buffer = config.trainer.v1.sampler.custom_sampler.name
    if buffer in REPLAY_BUFFERS.values() and buffer != REPLAY_BUFFERS[mode]:
        yield broken(
            f"the replay buffer {buffer} is not for verl's trainer mode {mode}",
            f"r1ci_mode@_global_={mode} instead of trainer.v1.trainer_mode={mode}",
        )
        return
    unfit = list(_unfit_for_separation(config)) if mode == "separate_async" else []
    yield from unfit or [ok(f"verl's trainer mode is {mode}")]
    chosen = config.algorithm.filter_groups
    if chosen.enable and chosen.metric != "acc":
        yield broken(
            f"groups without signal would be filtered by {chosen.metric}, in which shaping makes all groups differ",
            "algorithm.filter_groups.metric=acc",
        )
    yield from _results_without_log_probs(config)


def _results_without_log_probs(config: Any) -> Iterator[Finding]:
    """Results in the loss go with the trainer's log-probs alone: the engine never sampled them, so that verl would take
    them for tokens it was certain of, and weigh them by nearly nothing."""
    correction = config.algorithm.rollout_correction
    unset = {"rollout_is": "null", "rollout_rs": "null", "bypass_mode": "false"}
    used = [key for key in unset if correction.get(key)]
    if config.r1ci.get("interaction", {}).get("train_on_results") and used:
        yield broken(
            "r1ci.interaction.train_on_results does not go with algorithm.rollout_correction "
            f"({', '.join(used)}): execution results have no log-probs of the engine",
            " ".join(f"algorithm.rollout_correction.{key}={unset[key]}" for key in used),
        )


def _unfit_for_separation(config: Any) -> Iterator[Finding]:
    """What verl's trainer of `separate_async` would stop at, after Ray has started."""
    rollout, parts = config.actor_rollout_ref.rollout, config.trainer.v1.separate_async.parameter_sync_step
    batch, mini = config.data.train_batch_size, config.actor_rollout_ref.actor.ppo_mini_batch_size
    if batch != parts * mini:
        yield broken(
            f"in separate_async a batch of {batch} is parameter_sync_step={parts} times ppo_mini_batch_size={mini}",
            f"actor_rollout_ref.actor.ppo_mini_batch_size={batch // parts}",
        )
    if rollout.nnodes < 1 or rollout.n_gpus_per_node < 1:
        yield broken("separate_async needs nodes that only sample", "actor_rollout_ref.rollout.nnodes=1")
    if rollout.checkpoint_engine.backend == "naive":
        yield broken(
            "separate_async sends weights over the network, which checkpoint_engine.backend=naive cannot",
            f"actor_rollout_ref.rollout.checkpoint_engine.backend={place('transport')}",
        )
    if not config.actor_rollout_ref.get("hybrid_engine", True):
        yield broken(
            "verl 0.9.1 fails in separate_async without engines on the trainer's nodes (a call of its logger raises)",
            "actor_rollout_ref.hybrid_engine=true",
        )


def check_ray(config: Any) -> Iterator[Finding]:
    """Ray has the CPUs verl asks for. With too few, verl waits for ever and says nothing."""
    if config.ray_kwargs.ray_init.get("address") not in (None, "local") or backend.choose().on_cluster:
        yield ok("Ray's resources are those of the cluster")  # which nodes.py asks
        return
    needed = cpus_of(config)
    given = config.ray_kwargs.ray_init.get("num_cpus") or os.cpu_count() or 1
    if given < needed:
        yield broken(
            f"Ray has {given} CPUs, this job needs {needed} and would wait for ever",
            f"ray_kwargs.ray_init.num_cpus={needed}",
        )
    else:
        yield ok(f"Ray has {given} CPUs, {needed} needed")


def cpus_of(config: Any) -> int:
    """CPUs (logical) this job takes in Ray."""
    slots = config.trainer.nnodes * config.trainer.n_gpus_per_node
    rollout = config.actor_rollout_ref.rollout
    apart = rollout.nnodes * rollout.n_gpus_per_node if config.trainer.v1.trainer_mode == "separate_async" else 0
    return cpus_needed(slots, config.transfer_queue.backend.SimpleStorage.num_data_storage_units, apart)


def cpus_needed(slots: int, storage_units: int, apart: int = 0) -> int:
    """CPUs (logical) a verl job takes in Ray: 3 for each trainer slot, 2 for each slot that only samples, 1 for the
    TransferQueue's controller and for each of its storage units, and 1 for whichever actor is starting
    (verl/single_controller/ray/base.py, verl/workers/rollout/replica.py, transfer_queue)."""
    return 3 * slots + 2 * apart + 1 + storage_units + 1
