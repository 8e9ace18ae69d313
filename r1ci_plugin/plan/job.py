"""What of a composed configuration decides the memory of a run: one plain record of it.

Read from the same configuration that verl would get, of a stage or of fine-tuning, so that every override counts. Left
out: judging whether the configuration is a good one (`checks/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from r1ci_plugin.plan.shapes import ModelShape

_BYTES = {"fp32": 4, "float32": 4, "bf16": 2, "bfloat16": 2, "fp16": 2, "float16": 2}

_VERLS_CRITIC_TOKENS = 32768
"""Default of verl's CriticConfig."""


class CannotPlan(ValueError):
    """The configuration is of a kind the formulas are not made for."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The rollout engine, vLLM, on the GPUs of the trainer, and on those of nodes that only sample."""

    tensor_parallel: int
    share: float
    """Of a GPU's memory, for its weights, workspace and cache."""
    model_len: int
    """Longest sequence, tokens."""
    sequences: int
    """Worked on at once by one engine, at most."""
    batched_tokens: int
    bucket: int
    """Bytes of a piece of weights on its way from the trainer."""
    trajectories: int
    """Under way at most, in all engines that sample for training together."""
    sleeps: bool = True
    """Gives its share back while the trainer works."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run, as its memory sees it. Lengths in tokens, `*_tokens` those of a packed micro batch on one GPU."""

    shape: ModelShape
    nodes: int
    gpus_per_node: int
    longest: int
    """Prompt and response."""
    update_tokens: int
    recompute: bool
    engine: Engine | None = None
    """None: fine-tuning, which has no rollout."""
    log_prob_tokens: int = 0
    reference_tokens: int = 0
    reference_bytes: int = 0
    """Bytes of one of the reference's weights, 0 without a reference."""
    master_bytes: int = 4
    fsdp_size: int = -1
    sequence_parallel: int = 1
    weights_offload: bool = False
    moments_offload: bool = False
    all_offload: bool = False
    """FSDP2's own CPU offload: weights, gradients and the optimizer's step are on the host."""
    activations_offload: bool = False
    whole_gradients: bool = False
    """Gradients are reduced after the last micro batch only."""
    entropy_in_update: bool = False
    entropy_chunk: int | None = None
    fused_head: bool = False
    scaled_logits: bool = False
    """Sampling has a temperature, by which the trainer divides its logits."""
    critic_tokens: int = 0
    """Of a critic, a second model of the same size as in PPO; 0 without one."""
    exported: bool = True
    """A checkpoint holds the policy for Hugging Face as well."""
    checkpoints: int | None = None
    """Kept on disk, of each model; None: all."""
    sampling_gpus: int = 0
    """Of nodes that only sample (`separate_async`); 0: the trainer's own GPUs do."""
    weight_copies: int = 0
    """Of the trainer's weights on the host, for log-probs of the policy a step began with."""

    @property
    def critic(self) -> bool:
        return self.critic_tokens > 0

    @property
    def gpus(self) -> int:
        return self.nodes * self.gpus_per_node

    @property
    def shards(self) -> int:
        """GPUs that share one copy of the weights."""
        return self.gpus if self.fsdp_size < 1 else min(self.fsdp_size, self.gpus)

    @property
    def engines(self) -> int:
        """That sample for training."""
        return (self.sampling_gpus or self.gpus) // self.engine.tensor_parallel if self.engine else 0


def model_path(config: Any) -> str:
    """The policy of a composed configuration."""
    return str(config.actor_rollout_ref.model.path if is_stage(config) else config.model.path)


def is_stage(config: Any) -> bool:
    """Whether it is a configuration of main_ppo; else it is one of the SFT trainer."""
    return "algorithm" in config


def job_of(config: Any, shape: ModelShape) -> Job:
    """The run of a composed configuration (a DictConfig). Raises CannotPlan for what no formula is made for."""
    return _stage(config, shape) if is_stage(config) else _fine_tuning(config, shape)


def _stage(config: Any, shape: ModelShape) -> Job:
    actor, reference, model = (config.actor_rollout_ref[part] for part in ("actor", "ref", "model"))
    rollout, engine = config.actor_rollout_ref.rollout, actor.fsdp_config
    _refuse(config.trainer.device, actor.strategy, model)
    if not actor.use_dynamic_bsz:
        raise CannotPlan("micro batches by rows are not planned: actor_rollout_ref.actor.use_dynamic_bsz=true")
    if rollout.name != "vllm":
        raise CannotPlan(f"the rollout engine {rollout.name} is not planned, only vllm")
    longest = int(config.data.max_prompt_length + config.data.max_response_length)
    return Job(
        shape=shape,
        nodes=int(config.trainer.nnodes),
        gpus_per_node=int(config.trainer.n_gpus_per_node),
        longest=longest,
        update_tokens=int(actor.ppo_max_token_len_per_gpu),
        recompute=bool(model.enable_gradient_checkpointing),
        engine=Engine(
            tensor_parallel=int(rollout.tensor_model_parallel_size),
            share=float(rollout.gpu_memory_utilization),
            model_len=int(rollout.max_model_len or shape.positions),
            sequences=int(rollout.max_num_seqs),
            batched_tokens=int(rollout.max_num_batched_tokens),
            bucket=int(rollout.checkpoint_engine.update_weights_bucket_megabytes) << 20,
            trajectories=int(config.data.train_batch_size * rollout.n) * _batches_under_way(config),
            sleeps=bool(rollout.free_cache_engine),
        ),
        log_prob_tokens=int(rollout.log_prob_max_token_len_per_gpu),
        reference_tokens=int(reference.log_prob_max_token_len_per_gpu),
        reference_bytes=_reference_bytes(config),
        sequence_parallel=int(actor.ulysses_sequence_parallel_size),
        entropy_in_update=bool(actor.entropy_coeff) or bool(actor.calculate_entropy),
        scaled_logits=float(rollout.temperature) != 1.0,
        exported="hf_model" in actor.checkpoint.save_contents,
        **_critic(config),
        **_separate(config),
        **_fsdp(engine, model),
    )


def _batches_under_way(config: Any) -> int:
    """A step's own, and in the asynchronous modes those sampled ahead (verl/trainer/ppo/v1/trainer_base.py)."""
    mode = config.trainer.v1.trainer_mode
    return 1 if mode == "sync" else 1 + int(config.trainer.v1[mode].num_warmup_batches)


def _critic(config: Any) -> dict[str, Any]:
    """Tokens of the critic's micro batches, for which verl reads a number that its own configuration does not name
    (verl/trainer/ppo/v1/trainer_base.py), and the checkpoints kept of each model."""
    kept, of_critic = config.trainer.max_actor_ckpt_to_keep, config.trainer.max_critic_ckpt_to_keep
    if config.algorithm.adv_estimator != "gae":
        return {"checkpoints": kept}
    tokens = int(config.critic.get("ppo_infer_max_token_len_per_gpu", _VERLS_CRITIC_TOKENS))
    return {"critic_tokens": tokens, "checkpoints": max(kept, of_critic) if kept and of_critic else None}


def _separate(config: Any) -> dict[str, Any]:
    """What the mode `separate_async` adds: nodes that only sample, and copies of the weights, one of those a step
    began with and, where a step has several updates, one of the newest (verl/trainer/ppo/v1/trainer_separate_async.py).
    """
    if config.trainer.v1.trainer_mode != "separate_async":
        return {}
    rollout, updates = config.actor_rollout_ref.rollout, int(config.trainer.v1.separate_async.parameter_sync_step)
    copies = 0 if config.algorithm.rollout_correction.bypass_mode else min(2, updates)
    return {"sampling_gpus": int(rollout.nnodes * rollout.n_gpus_per_node), "weight_copies": copies}


def _fine_tuning(config: Any, shape: ModelShape) -> Job:
    model, engine = config.model, config.engine
    _refuse(config.trainer.device, engine.strategy, model)
    if not config.data.use_dynamic_bsz:
        raise CannotPlan("micro batches by rows are not planned: data.use_dynamic_bsz=true")
    return Job(
        shape=shape,
        nodes=int(config.trainer.nnodes),
        gpus_per_node=int(config.trainer.n_gpus_per_node),
        longest=int(config.data.max_length),
        update_tokens=int(config.data.max_token_len_per_gpu),
        recompute=bool(model.enable_gradient_checkpointing),
        sequence_parallel=int(engine.ulysses_sequence_parallel_size),
        exported="hf_model" in config.checkpoint.save_contents,
        checkpoints=config.trainer.max_ckpt_to_keep,
        **_fsdp(engine, model),
    )


def _fsdp(engine: Any, model: Any) -> dict[str, Any]:
    """What FSDP's section and the model's say, the same in both trainers."""
    return {
        "master_bytes": _BYTES[str(engine.model_dtype)],
        "fsdp_size": int(engine.fsdp_size),
        "weights_offload": bool(engine.param_offload),
        "moments_offload": bool(engine.optimizer_offload),
        "all_offload": bool(engine.offload_policy),
        "activations_offload": bool(model.enable_activation_offload),
        "whole_gradients": bool(engine.use_no_sync_for_gradient_accumulation),
        "entropy_chunk": int(engine.entropy_from_logits_chunk_size)
        if engine.entropy_from_logits_with_chunking
        else None,
        "fused_head": bool(model.use_fused_kernels),
    }


def _reference_bytes(config: Any) -> int:
    if not (config.actor_rollout_ref.actor.use_kl_loss or config.algorithm.use_kl_in_reward):
        return 0
    return _BYTES[str(config.actor_rollout_ref.ref.fsdp_config.model_dtype)]


def _refuse(device: str, strategy: str, model: Any) -> None:
    if device != "cuda":
        raise CannotPlan(f"a run on the {device} is not planned, only the gpu back end")
    if strategy not in ("fsdp", "fsdp2"):
        raise CannotPlan(f"the training engine {strategy} is not planned, only fsdp2")
    if int(model.get("lora_rank", 0) or 0) > 0:
        raise CannotPlan("LoRA is not planned, only full-parameter training")
    if not model.use_remove_padding:
        raise CannotPlan("padded micro batches are not planned: use_remove_padding=true")
