"""What is wrong with a plan, and the smallest change of settings by which it fits.

A change is offered only if the plan was made again with it and fits. Changes that cost least time come first [ours].
Left out: the plan itself (`moments.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from r1ci_plugin.plan.formulas import GIB
from r1ci_plugin.plan.job import Engine, Job
from r1ci_plugin.plan.moments import cache_of, gpu_moments, host_moments

Change = Callable[[Job], Iterator[tuple[str, Job]]]
"""From a run to overrides, as on verl's command line, with the run they make; the strongest last."""

FSDP = "actor_rollout_ref.actor.fsdp_config"
ROLLOUT = "actor_rollout_ref.rollout"


@dataclass(frozen=True, slots=True)
class Memory:
    """What there is, in bytes. host: of one node; None: not judged."""

    gpu: float
    host: float | None = None


def problems(job: Job, memory: Memory) -> Iterator[str]:
    """Why the run cannot be, one line a reason; none where it fits."""
    yield from contradictions(job)
    if job.engine:
        cache = cache_of(job, job.engine, memory.gpu)
        if cache.longest_at_once < 1:
            held = max(0, int(cache.tokens))
            yield f"the engine's cache holds {held} tokens, not one sequence of {cache.longest}: vLLM won't start"
    for moment in gpu_moments(job, memory.gpu):
        if moment.total > memory.gpu:
            yield f"{moment.name}: {moment.total / GIB:.1f} GB on a GPU of {memory.gpu / GIB:.1f} GB"
    for moment in host_moments(job):
        if memory.host is not None and moment.total > memory.host:
            yield f"{moment.name}: {moment.total / GIB:.0f} GB on a host of {memory.host / GIB:.0f} GB"


def contradictions(job: Job) -> Iterator[str]:
    """Settings that cannot go together on any GPU: verl and vLLM stop at them, some only at the first long answer."""
    budgets = {"the update": job.update_tokens}
    if job.engine:
        budgets |= {"log-probs": job.log_prob_tokens, "the reference": job.reference_tokens}
    if job.critic:
        budgets["the critic"] = job.critic_tokens
    for name, tokens in budgets.items():
        if tokens * job.sequence_parallel < job.longest:
            yield f"a micro batch of {name} has {tokens} tokens, fewer than the longest trajectory, {job.longest}"
    if job.longest > job.shape.positions:
        yield f"the model reads {job.shape.positions} tokens, the longest trajectory has {job.longest}"
    if job.engine:
        yield from _engine(job, job.engine)


def _engine(job: Job, engine: Engine) -> Iterator[str]:
    width = engine.tensor_parallel
    if job.gpus_per_node % width or job.shape.heads % width:
        yield f"an engine on {width} GPUs divides neither {job.gpus_per_node} GPUs nor {job.shape.heads} heads evenly"
    if engine.model_len < job.longest:
        yield f"the engine accepts {engine.model_len} tokens, the longest trajectory has {job.longest}"


def fits(job: Job, memory: Memory) -> bool:
    return next(problems(job, memory), None) is None


def mend(job: Job, memory: Memory) -> tuple[str, ...]:
    """Overrides by which the run fits: one change if one is enough, else several; empty where none is known."""
    for change in CHANGES:
        for override, changed in change(job):
            if fits(changed, memory):
                return (override,)
    overrides: tuple[str, ...] = ()
    for change in CHANGES:
        if change in TRIED_ALONE:
            continue
        for override, changed in [*change(job)]:
            if fits(changed, memory):
                return (*overrides, override)
        overrides, job = _strongest(change, overrides, job)
        for override, changed in _share(job):
            if fits(changed, memory):
                return (*overrides, override)
    return ()


def _strongest(change: Change, overrides: tuple[str, ...], job: Job) -> tuple[tuple[str, ...], Job]:
    options = [*change(job)]
    return ((*overrides, options[-1][0]), options[-1][1]) if options else (overrides, job)


def _lengths_of_engine(job: Job) -> Iterator[tuple[str, Job]]:
    if job.engine and job.engine.model_len != job.longest:
        engine = replace(job.engine, model_len=job.longest)
        yield f"{ROLLOUT}.max_model_len={job.longest}", replace(job, engine=engine)


def _sleep(job: Job) -> Iterator[tuple[str, Job]]:
    if job.engine and not job.engine.sleeps:
        yield f"{ROLLOUT}.free_cache_engine=true", replace(job, engine=replace(job.engine, sleeps=True))


def _tokens(job: Job) -> Iterator[tuple[str, Job]]:
    """A larger micro batch where the longest trajectory is above it, smaller ones else. Log-probs, reference and
    critic follow the update's, unless they have a number of their own."""
    keys = ["actor_rollout_ref.actor.ppo_max_token_len_per_gpu" if job.engine else "data.max_token_len_per_gpu"]
    if job.engine and job.log_prob_tokens != job.update_tokens:
        keys.append(f"{ROLLOUT}.log_prob_max_token_len_per_gpu")
    if job.engine and job.reference_tokens != job.update_tokens:
        keys.append("actor_rollout_ref.ref.log_prob_max_token_len_per_gpu")
    if job.critic and job.critic_tokens != job.update_tokens:
        keys.append("critic.ppo_max_token_len_per_gpu")
    least = -(-job.longest // job.sequence_parallel // 1024) * 1024
    most = job.update_tokens // 1024 * 1024 - (1024 if len(keys) == 1 else 0)
    for tokens in [*range(most, least, -1024), least]:
        changed = replace(job, update_tokens=tokens, log_prob_tokens=tokens, reference_tokens=tokens)
        changed = replace(changed, critic_tokens=tokens if job.critic else 0)
        yield " ".join(f"{key}={tokens}" for key in keys), changed


def _share(job: Job) -> Iterator[tuple[str, Job]]:
    """The engine's share, nearest first."""
    if job.engine is None:
        return
    now = job.engine.share
    for share in sorted((step / 20 for step in range(6, 19)), key=lambda other: abs(other - now)):
        if share != now:
            engine = replace(job.engine, share=share)
            yield f"{ROLLOUT}.gpu_memory_utilization={share}", replace(job, engine=engine)


def _offload(job: Job) -> Iterator[tuple[str, Job]]:
    if job.engine and not (job.weights_offload and job.moments_offload):
        changed = replace(job, weights_offload=True, moments_offload=True)
        yield f"{FSDP}.param_offload=true {FSDP}.optimizer_offload=true", changed


def _keep_on_gpu(job: Job) -> Iterator[tuple[str, Job]]:
    """Where the host is what's too small."""
    if job.engine and (job.weights_offload or job.moments_offload):
        changed = replace(job, weights_offload=False, moments_offload=False)
        yield f"{FSDP}.param_offload=false {FSDP}.optimizer_offload=false", changed


def _wider_engine(job: Job) -> Iterator[tuple[str, Job]]:
    if job.engine is None:
        return
    for width in (1, 2, 4, 8):
        if width != job.engine.tensor_parallel and not (job.gpus_per_node % width or job.shape.heads % width):
            engine = replace(job.engine, tensor_parallel=width)
            yield f"{ROLLOUT}.tensor_model_parallel_size={width}", replace(job, engine=engine)


def _recompute(job: Job) -> Iterator[tuple[str, Job]]:
    if not job.recompute:
        yield f"{_model(job)}.enable_gradient_checkpointing=true", replace(job, recompute=True)


def _fused_head(job: Job) -> Iterator[tuple[str, Job]]:
    if not job.fused_head:
        yield f"{_model(job)}.use_fused_kernels=true", replace(job, fused_head=True)


def _activations_offload(job: Job) -> Iterator[tuple[str, Job]]:
    if not job.activations_offload:
        yield f"{_model(job)}.enable_activation_offload=true", replace(job, activations_offload=True)


def _all_offload(job: Job) -> Iterator[tuple[str, Job]]:
    """FSDP2 keeps nothing on the GPU and steps on the host: slow."""
    if not job.all_offload:
        key = f"{FSDP}.offload_policy=true" if job.engine else "engine.offload_policy=true"
        yield key, replace(job, all_offload=True)


def _layout(job: Job) -> Iterator[tuple[str, Job]]:
    """More nodes, with the offload of these layouts (recipes/r1ci_layout/)."""
    for nodes in (2, 4):
        if job.gpus_per_node == 8 and nodes > job.nodes:
            changed = replace(job, nodes=nodes, weights_offload=False, moments_offload=False)
            yield f"r1ci_layout@_global_={nodes}x8", changed


def _model(job: Job) -> str:
    return "actor_rollout_ref.model" if job.engine else "model"


CHANGES: tuple[Change, ...] = (
    _lengths_of_engine,
    _sleep,
    _tokens,
    _recompute,
    _share,
    _offload,
    _keep_on_gpu,
    _wider_engine,
    _fused_head,
    _activations_offload,
    _all_offload,
    _layout,
)
TRIED_ALONE = (_share, _keep_on_gpu)
"""Changes that are no step on the way to several: the share is tried after every step."""
