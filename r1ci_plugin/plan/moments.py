"""The moments of a run and what lies in memory at each: on a GPU, on a node's host, on disk.

A moment is a time at which no part of it is freed, so its parts add up; the largest decides. Which process holds what
at which moment follows verl's trainers (verl/trainer/ppo/v1/) and its FSDP engine (verl/workers/engine_workers.py,
verl/workers/engine/base.py). The mode `colocate_async` has the moments of `sync`: its engine sleeps while the trainer
works. Left out: the bytes of a part (`formulas.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from r1ci_plugin.plan import formulas as f
from r1ci_plugin.plan.job import Engine, Job


@dataclass(frozen=True, slots=True)
class Moment:
    """A peak. parts: what lies there, bytes each. tensors: whether PyTorch's allocator holds them in the trainer."""

    name: str
    parts: dict[str, float]
    tensors: bool = True

    @property
    def total(self) -> float:
        """Bytes, with what the allocator loses; `FIXED` parts are not its own."""
        own = sum(size for name, size in self.parts.items() if name not in FIXED)
        fixed = sum(size for name, size in self.parts.items() if name in FIXED)
        return fixed + own * (1 + f.FRAGMENTATION * self.tensors)


Parts = dict[str, float]
CONTEXT, ASLEEP, ENGINE = "trainer's context", "engine's context", "engine's share"
FIXED = (CONTEXT, ASLEEP, ENGINE)
"""Parts outside PyTorch's allocator of the trainer."""


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache of one engine: how many trajectories it holds at once."""

    tokens: float
    """Of all its GPUs, negative where nothing is left."""
    longest: int
    """Tokens of the longest sequence it accepts."""
    in_flight: int
    """Trajectories of a step that it gets."""

    @property
    def longest_at_once(self) -> float:
        return self.tokens / self.longest

    @property
    def mean_for_all(self) -> float:
        """Tokens a trajectory may have on average so that all fit at once; with more, vLLM computes some again."""
        return self.tokens / self.in_flight


def gpu_moments(job: Job, gpu: float) -> list[Moment]:
    """The moments of a step on one GPU of so many bytes, in their order, the last one on a node that only samples, if
    there are any (then the trainer's GPUs have a rollout at validation). The optimizer's moments exist from the end of
    the first step on, so this is a later step."""
    beside = _engine_beside(job, gpu)
    training = [_update(job, beside), _head(job, beside), _step(job, beside)]
    if job.engine is None:
        return training
    passes = [_log_probs(job, beside)] + ([_reference(job, beside)] if job.reference_bytes else [])
    together = [_rollout(job, job.engine, gpu), *passes, *training, _transfer(job, job.engine, beside)]
    return together + ([_sending(job, job.engine, beside), _sampling(job.engine, gpu)] if job.sampling_gpus else [])


def cache_of(job: Job, engine: Engine, gpu: float) -> Cache:
    """What is left of the engine's share for its cache, in tokens."""
    shape, width = job.shape, engine.tensor_parallel
    used = f.engine_weights(shape, width) + f.engine_workspace(shape, width, engine.batched_tokens, engine.sequences)
    tokens = (engine.share * gpu - used) / f.kv_token(shape, width)
    return Cache(tokens, engine.model_len, -(-engine.trajectories // max(1, job.engines)))


def _resident(job: Job, *, loaded: bool) -> dict[str, float]:
    """The trainer's shards on the GPU: while it works (`loaded`) or while it waits."""
    parts: dict[str, float] = {}
    if job.all_offload:
        return parts
    models = 2 if job.critic else 1  # the critic waits as the actor does
    waiting_weights = 0 if job.weights_offload else models
    waiting_moments = 0 if job.moments_offload else models
    count = max(1, waiting_weights) if loaded else waiting_weights
    _add(parts, "weights", count * f.weights(job.shape, job.master_bytes, job.shards))
    _add(parts, "AdamW's moments", waiting_moments * f.moments(job.shape, job.master_bytes, job.shards))
    return parts


def _training(job: Job, beside: Parts) -> Parts:
    """What lies on the GPU all through an update: weights, moments and gradients are loaded together."""
    parts = {CONTEXT: f.TRAINER_CONTEXT, **beside, **_resident(job, loaded=True)}
    if job.all_offload:
        return parts
    moments = max(parts.get("AdamW's moments", 0.0), f.moments(job.shape, job.master_bytes, job.shards))
    parts["AdamW's moments"] = moments
    whole = job.whole_gradients
    parts["gradients"] = f.weights(job.shape, job.master_bytes, 1 if whole else job.shards)
    return parts


def _engine_beside(job: Job, gpu: float) -> Parts:
    """What the engine holds while the trainer works. Asleep, vLLM gives back weights and cache (level 2), and keeps its
    context and graphs; one that never sleeps keeps its share."""
    if job.engine is None:
        return {}
    return {ASLEEP: f.ENGINE_OUTSIDE} | ({} if job.engine.sleeps else {ENGINE: job.engine.share * gpu})


def _rollout(job: Job, engine: Engine, gpu: float) -> Moment:
    parts = {CONTEXT: f.TRAINER_CONTEXT, ASLEEP: f.ENGINE_OUTSIDE, ENGINE: engine.share * gpu}
    return Moment("rollout", {**parts, **_resident(job, loaded=False)})


def _log_probs(job: Job, beside: Parts) -> Moment:
    """verl asks for the entropy in this pass (verl/trainer/ppo/v1/trainer_base.py)."""
    tokens = job.log_prob_tokens
    parts = {CONTEXT: f.TRAINER_CONTEXT, **beside, **_resident(job, loaded=True)}
    parts |= _forward(job, tokens)
    parts["entropy"] = f.entropy(job.shape, tokens, chunk=job.entropy_chunk, fused=job.fused_head)
    return Moment("log-probs", parts)


def _reference(job: Job, beside: Parts) -> Moment:
    """Its weights are on the host, whatever is set, and come layer by layer (FSDP2's CPU offload)."""
    parts = {CONTEXT: f.TRAINER_CONTEXT, **beside, **_resident(job, loaded=False)}
    return Moment("reference", {**parts, **_forward(job, job.reference_tokens)})


def _forward(job: Job, tokens: int) -> dict[str, float]:
    """A pass without gradients, at its largest: at the head where logits are made, else in a layer."""
    head = {
        "gathered weights": f.BF16 * job.shape.embedding,
        "logits": f.logits(job.shape, tokens, fused=job.fused_head, scaled=job.scaled_logits),
    }
    layer = {
        "gathered weights": f.gathered_layers(job.shape) + f.gathered_embedding(job.shape),
        "activations": f.forward_layer(job.shape, tokens),
    }
    return max(head, layer, key=lambda parts: sum(parts.values()))


def _update(job: Job, beside: Parts) -> Moment:
    """The backward pass in a layer: what is kept of all layers, and one computed again."""
    shape, tokens = job.shape, job.update_tokens
    parts = {
        **_training(job, beside),
        "gathered weights": f.gathered_layers(shape) + f.gathered_embedding(shape),
        "whole gradients": f.layer_gradients(shape) + f.gathered_embedding(shape),
        "kept activations": _kept(job),
    }
    if job.recompute:
        parts["a layer, computed again"] = f.recomputed_layer(shape, tokens)
    return Moment("update, in a layer", parts)


def _head(job: Job, beside: Parts) -> Moment:
    """The backward pass at the output head: all kept activations, logits and the head's gradient."""
    shape, tokens = job.shape, job.update_tokens
    parts = {
        **_training(job, beside),
        "gathered weights": f.gathered_embedding(shape),
        "output head": f.head_backward(shape),
        "kept activations": _kept(job),
        "logits": f.logits(shape, tokens, fused=job.fused_head, scaled=job.scaled_logits),
    }
    if job.entropy_in_update:
        gradient = f.logits(shape, tokens, fused=job.fused_head)  # of the logits, not made in place then
        parts["entropy"] = f.entropy(shape, tokens, chunk=job.entropy_chunk, fused=job.fused_head) + gradient
    return Moment("update, at the head", parts)


def _kept(job: Job) -> float:
    return f.activations(job.shape, job.update_tokens, recompute=job.recompute, on_host=job.activations_offload)


def _step(job: Job, beside: Parts) -> Moment:
    parts = _training(job, beside)
    if not job.all_offload:
        parts["AdamW's step"] = f.step_temporaries(job.shape, job.master_bytes, job.shards)
    return Moment("optimizer step", parts)


def _transfer(job: Job, engine: Engine, beside: Parts) -> Moment:
    """verl wakes the engine's weights, sends the new ones in pieces, and only then wakes its cache."""
    parts = {CONTEXT: f.TRAINER_CONTEXT, **beside, **_resident(job, loaded=False)}
    if engine.sleeps:
        parts["engine's weights"] = f.engine_weights(job.shape, engine.tensor_parallel)
    parts["weights on their way"] = engine.bucket + f.largest_tensor(job.shape, job.master_bytes)
    return Moment("weights to the engine", parts)


def _sending(job: Job, engine: Engine, beside: Parts) -> Moment:
    """Weights go to other nodes through two buffers on every GPU (verl/checkpoint_engine/nccl_checkpoint_engine.py)."""
    parts = {CONTEXT: f.TRAINER_CONTEXT, **beside, **_resident(job, loaded=True)}
    parts["weights on their way"] = 2 * engine.bucket + f.largest_tensor(job.shape, job.master_bytes)
    return Moment("weights to other nodes", parts)


def _sampling(engine: Engine, gpu: float) -> Moment:
    """The engine keeps its cache while new weights come: through the same buffers in a process beside it, and from
    there in pieces (`CheckpointEngineWorker`)."""
    parts = {CONTEXT: f.TRAINER_CONTEXT, ASLEEP: f.ENGINE_OUTSIDE, ENGINE: engine.share * gpu}
    return Moment("a node that only samples", {**parts, "weights on their way": 3.0 * engine.bucket})


def _add(parts: dict[str, float], name: str, size: float) -> None:
    if size:
        parts[name] = size


def host_moments(job: Job) -> Iterator[Moment]:
    """The moments of one node's host memory: the first node's, which also reads and writes the policy."""
    shape, share = job.shape, job.gpus_per_node
    waiting: dict[str, float] = {"the rest of the node": f.NODE_BASE}
    if job.reference_bytes:
        waiting["reference"] = share * f.weights(shape, job.reference_bytes, job.shards)
    start = waiting | {"the policy, being read": f.loading(shape, job.master_bytes, share)}
    models = 2 if job.critic else 1
    if job.weights_offload or job.all_offload:
        waiting["weights"] = models * share * f.weights(shape, job.master_bytes, job.shards)
    if job.moments_offload or job.all_offload:
        waiting["AdamW's moments"] = models * share * f.moments(shape, job.master_bytes, job.shards)
    if job.all_offload:
        waiting["gradients"] = share * f.weights(shape, job.master_bytes, job.shards)
    if job.weight_copies:
        waiting["weights a step began with"] = (
            job.weight_copies * share * f.weights(shape, job.master_bytes, job.shards)
        )
    if job.activations_offload:
        kept = f.activations(shape, job.update_tokens, recompute=job.recompute)
        waiting["kept activations"] = share * kept
    yield Moment("start", start, tensors=False)
    yield Moment("between updates", waiting, tensors=False)
    if job.exported:
        yield Moment("checkpoint", waiting | {"export": f.export(shape, job.master_bytes)}, tensors=False)


def disk(job: Job) -> tuple[float, float | None]:
    """Bytes of a checkpoint, and of all that lie there at once, with the one being written; None: no bound. Those from
    before a restart come on top: verl does not know them any more, and leaves them."""
    one = f.checkpoint(job.shape, job.master_bytes, exported=job.exported, critic=job.critic)
    return one, one * f.checkpoints_at_once(job.checkpoints) if job.checkpoints else None
