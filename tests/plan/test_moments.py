"""A moment holds what verl has on the GPU at it: more of what grows, none of what is away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.plan import formulas as f
from r1ci_plugin.plan.moments import Moment, cache_of, disk, gpu_moments, host_moments

GPU = 80 * f.GIB
SHARDED = ("weights", "AdamW's moments", "gradients")


def moment(job: Any, name: str) -> Moment:
    return next(found for found in [*gpu_moments(job, GPU), *host_moments(job)] if found.name == name)


def test_an_update_has_weights_gradients_and_moments_whatever_waits_on_the_host(make_job: Any) -> None:
    for offload in (False, True):
        parts = moment(make_job(weights_offload=offload, moments_offload=offload), "update, at the head").parts
        expected = 7615616512 * 16 / 16  # 16 bytes a weight in float32, on 16 GPUs
        assert sum(parts[name] for name in SHARDED) == expected


def test_while_the_engine_samples_nothing_of_an_offloaded_trainer_is_on_the_gpu(make_job: Any) -> None:
    away = moment(make_job(weights_offload=True, moments_offload=True), "rollout")
    here = moment(make_job(), "rollout")
    assert not set(SHARDED) & set(away.parts)
    assert here.parts["weights"] + here.parts["AdamW's moments"] == 7615616512 * 12 / 16
    assert "gradients" not in here.parts  # they are dropped behind each step


def test_what_leaves_the_gpu_is_on_the_host(make_job: Any) -> None:
    away, here = make_job(weights_offload=True, moments_offload=True), make_job()
    shift = moment(away, "between updates").total - moment(here, "between updates").total
    assert shift == 7615616512 * 12 / 2  # this node's half


def test_a_critic_waits_as_a_second_model(make_job: Any) -> None:
    one, two = make_job(), make_job(critic_tokens=24576)
    for name in ("weights", "AdamW's moments"):
        assert moment(two, "rollout").parts[name] == 2 * moment(one, "rollout").parts[name]
    offloaded = make_job(critic_tokens=24576, weights_offload=True, moments_offload=True)
    assert (
        moment(offloaded, "update, at the head").parts
        == moment(make_job(weights_offload=True, moments_offload=True), "update, at the head").parts
    )


def test_nodes_that_only_sample_have_an_engine_and_what_brings_it_weights(make_job: Any) -> None:
    together, apart = make_job(), make_job(sampling_gpus=8, weight_copies=2)
    assert [found.name for found in gpu_moments(apart, GPU)] == [
        *(found.name for found in gpu_moments(together, GPU)),
        "weights to other nodes",
        "a node that only samples",
    ]
    alone = moment(apart, "a node that only samples").parts
    assert alone["engine's share"] == 0.7 * GPU and not set(SHARDED) & set(alone)
    assert (together.engines, apart.engines) == (8, 4)
    more = moment(apart, "between updates").total - moment(together, "between updates").total
    assert more == 2 * 7615616512 * 4 / 2  # this node's half, in float32


def test_fine_tuning_has_no_rollout(make_job: Any) -> None:
    job = make_job(reference_bytes=0)
    from dataclasses import replace

    names = [found.name for found in gpu_moments(replace(job, engine=None), GPU)]
    assert names == ["update, in a layer", "update, at the head", "optimizer step"]


@given(tokens=st.integers(10240, 65536), more=st.integers(1, 8192), recompute=st.booleans(), fused=st.booleans())
def test_more_tokens_never_need_less(tokens: int, more: int, recompute: bool, fused: bool) -> None:
    from dataclasses import replace

    job = _plain(recompute=recompute, fused_head=fused)
    small, large = (
        replace(job, update_tokens=count, log_prob_tokens=count, reference_tokens=count)
        for count in (tokens, tokens + more)
    )
    for one, other in zip(gpu_moments(small, GPU), gpu_moments(large, GPU), strict=True):
        assert one.total <= other.total


@given(nodes=st.integers(1, 16), offload=st.booleans(), tied=st.booleans())
def test_more_gpus_never_need_more_on_each(nodes: int, offload: bool, tied: bool) -> None:
    from dataclasses import replace

    from r1ci_plugin.plan.shapes import MODELS

    name = "Qwen/Qwen2.5-3B-Instruct" if tied else "Qwen/Qwen2.5-14B-Instruct-1M"
    job = replace(_plain(weights_offload=offload), shape=MODELS[name], nodes=nodes)
    for one, other in zip(gpu_moments(job, GPU), gpu_moments(replace(job, nodes=nodes + 1), GPU), strict=True):
        assert one.total >= other.total


def _plain(**changes: Any) -> Any:
    from r1ci_plugin.plan.job import Engine, Job
    from r1ci_plugin.plan.shapes import MODELS

    fields: dict[str, Any] = {"longest": 10240, "update_tokens": 24576, "recompute": True, "reference_bytes": 2}
    engine = Engine(2, 0.7, 10240, 512, 8192, 2048 << 20, 640)
    return Job(MODELS["Qwen/Qwen2.5-7B-Instruct-1M"], 1, 8, engine=engine, **{**fields, **changes})


def test_recomputing_and_the_fused_head_and_the_host_take_from_the_update(make_job: Any) -> None:
    plain = moment(make_job(), "update, at the head").total
    assert moment(make_job(recompute=False), "update, at the head").total > 2 * plain
    assert moment(make_job(fused_head=True), "update, at the head").total < plain
    assert moment(make_job(activations_offload=True), "update, at the head").total < plain
    assert moment(make_job(entropy_in_update=True), "update, at the head").total > plain


def test_the_cache_gets_what_weights_and_workspace_leave_of_the_share(make_job: Any) -> None:
    job = make_job()
    cache = cache_of(job, job.engine, GPU)
    used = f.engine_weights(job.shape, 2) + f.engine_workspace(job.shape, 2, 8192, 512)
    assert cache.tokens * f.kv_token(job.shape, 2) + used == pytest.approx(0.7 * GPU)
    assert cache.in_flight == 640 / 8
    assert cache.mean_for_all * cache.in_flight == pytest.approx(cache.tokens)


def test_a_checkpoint_has_weights_moments_and_the_policy(make_job: Any) -> None:
    assert disk(make_job())[0] == 7615616512 * 16
    assert disk(make_job(exported=False, checkpoints=None)) == (7615616512 * 12, None)


def test_a_critic_has_checkpoints_of_its_own(make_job: Any) -> None:
    assert disk(make_job(critic_tokens=24576))[0] - disk(make_job())[0] == 7615616512 * 12


@pytest.mark.parametrize("kept, at_once", [(1, 2), (2, 2), (3, 3)])
def test_as_many_checkpoints_lie_on_disk_as_verl_leaves_there(
    make_job: Any, tmp_path: Path, kept: int, at_once: int
) -> None:
    checkpoint_manager = pytest.importorskip("verl.utils.checkpoint.checkpoint_manager")
    manager = object.__new__(checkpoint_manager.BaseCheckpointManager)
    manager.previous_saved_paths = []
    most = 0
    for step in range(5):  # as FSDPCheckpointManager.save_checkpoint does
        manager.ensure_checkpoint_capacity(kept)
        (tmp_path / str(step)).mkdir()
        most = max(most, len(list(tmp_path.iterdir())))
        manager.register_checkpoint(str(tmp_path / str(step)), kept)
    one, all_at_once = disk(make_job(checkpoints=kept))
    assert most == at_once and all_at_once == at_once * one


def test_an_engine_that_never_sleeps_keeps_its_share_beside_the_trainer(make_job: Any) -> None:
    awake, asleep = make_job(engine={"sleeps": False}), make_job()
    for name in ("log-probs", "reference", "update, in a layer", "update, at the head", "optimizer step"):
        assert moment(awake, name).total - moment(asleep, name).total == pytest.approx(0.7 * GPU)
    assert moment(awake, "weights to the engine").parts["engine's share"] == 0.7 * GPU
    assert "engine's weights" not in moment(awake, "weights to the engine").parts
    assert moment(awake, "rollout") == moment(asleep, "rollout")


def test_a_temperature_costs_a_copy_of_the_logits_where_there_are_any(make_job: Any) -> None:
    for name in ("log-probs", "update, at the head"):
        warm, plain = (moment(make_job(scaled_logits=scaled), name).parts["logits"] for scaled in (True, False))
        assert warm == 2 * plain
        fused = (moment(make_job(scaled_logits=scaled, fused_head=True), name) for scaled in (True, False))
        assert next(fused) == next(fused)
