"""What doesn't fit is named, and every change offered makes it fit."""

from __future__ import annotations

from typing import Any

import pytest

from r1ci_plugin.plan.formulas import GIB
from r1ci_plugin.plan.mends import Memory, fits, mend, problems


def lines(job: Any, gpu: float = 80, host: float | None = None) -> str:
    return "\n".join(problems(job, memory(gpu, host)))


def memory(gpu: float = 80, host: float | None = None) -> Memory:
    return Memory(gpu * GIB, None if host is None else host * GIB)


def test_what_fits_has_no_problem_and_no_mend(make_job: Any) -> None:
    assert fits(make_job(), memory()) and not lines(make_job())


@pytest.mark.parametrize(
    "changes, gpu, word, override",
    [
        ({"update_tokens": 131072}, 80, "update, at the head", "ppo_max_token_len_per_gpu="),
        ({"update_tokens": 4096}, 80, "fewer than the longest trajectory", "ppo_max_token_len_per_gpu=10240"),
        ({"log_prob_tokens": 4096}, 80, "micro batch of log-probs", "rollout.log_prob_max_token_len_per_gpu="),
        ({"reference_tokens": 4096}, 80, "micro batch of the reference", "ref.log_prob_max_token_len_per_gpu="),
        ({"critic_tokens": 4096}, 80, "micro batch of the critic", "critic.ppo_max_token_len_per_gpu="),
        ({"engine": {"sleeps": False}}, 80, "update, at the head", "free_cache_engine=true"),
        ({"recompute": False}, 80, "update, in a layer", "enable_gradient_checkpointing=true"),
        ({"engine": {"share": 0.95}}, 80, "rollout", "gpu_memory_utilization="),
        ({"engine": {"model_len": 4096}}, 80, "accepts 4096 tokens", "max_model_len=10240"),
        ({"engine": {"model_len": 1010000, "share": 0.4}}, 80, "vLLM won't start", "max_model_len=10240"),
        ({"engine": {"tensor_parallel": 3}}, 80, "divides neither", "tensor_model_parallel_size="),
        ({"model": "Qwen/Qwen2.5-14B-Instruct-1M", "nodes": 1}, 40, "optimizer step", "offload_policy=true"),
    ],
)
def test_a_problem_is_named_and_its_mend_is_one_setting(
    make_job: Any, changes: dict[str, Any], gpu: float, word: str, override: str
) -> None:
    job = make_job(**changes)
    assert word in lines(job, gpu)
    (offered,) = mend(job, memory(gpu))
    assert override in offered


def test_the_tokens_offered_are_the_most_that_fit(make_job: Any) -> None:
    from dataclasses import replace

    job = make_job(update_tokens=131072)
    (offered,) = mend(job, memory())
    tokens = int(offered.rpartition("=")[2])
    for count, expected in ((tokens, True), (tokens + 1024, False)):
        changed = replace(job, update_tokens=count, log_prob_tokens=count, reference_tokens=count)
        assert fits(changed, memory()) == expected


def test_several_settings_are_offered_where_one_is_not_enough(make_job: Any) -> None:
    job = make_job(recompute=False, engine={"share": 0.95})
    offered = mend(job, memory())
    assert len(offered) > 1 and any("gpu_memory_utilization" in override for override in offered)


def test_a_small_host_keeps_shards_on_the_gpu(make_job: Any) -> None:
    job = make_job(weights_offload=True, moments_offload=True)
    assert "checkpoint" in lines(job, host=128)
    (offered,) = mend(job, memory(host=128))
    assert "param_offload=false" in offered


def test_where_nothing_helps_nothing_is_offered(make_job: Any) -> None:
    assert mend(make_job(gpus_per_node=1, nodes=1), memory(gpu=4)) == ()


def test_fine_tuning_is_mended_by_its_own_keys(make_job: Any) -> None:
    from dataclasses import replace

    job = replace(make_job(update_tokens=131072, reference_bytes=0), engine=None)
    (offered,) = mend(job, memory())
    assert offered.startswith("data.max_token_len_per_gpu=")
