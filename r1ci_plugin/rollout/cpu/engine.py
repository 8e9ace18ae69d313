"""verl's FSDP2 training engines, of policies and of critics, registered for device cpu.

verl's own classes train on gloo as they are, but for the reference model, which goes to pinned host memory: pinning
needs an accelerator, and on a CPU there is nothing to offload to. FSDP1 refuses modules on the CPU, hence FSDP2 only;
the settings that go with it (fp32, no torch.compile) are the recipe's. Left out: the process group (`platform.py`).
"""

from __future__ import annotations

import os
from typing import Any

import torch
from verl.utils import model as verl_models
from verl.workers.engine.base import EngineRegistry
from verl.workers.engine.fsdp import transformer_impl
from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead, FSDPEngineWithValueHead

from r1ci_plugin.rollout.cpu import micro_batches

_STRATEGY = "fsdp2"


class CPUEngine(FSDPEngineWithLMHead):  # type: ignore[misc]  # verl ships no types
    """A language model trained by FSDP2 on the CPU. Raises ValueError for any other strategy."""

    def initialize(self) -> None:
        # Ray gives a worker one thread; while it trains, nothing else of the job computes.
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // torch.distributed.get_world_size()))
        super().initialize()

    def forward_backward_batch(self, *args: Any, **kwargs: Any) -> Any:
        stock = transformer_impl.prepare_micro_batches
        transformer_impl.prepare_micro_batches = micro_batches.prepare
        try:
            return super().forward_backward_batch(*args, **kwargs)
        finally:
            transformer_impl.prepare_micro_batches = stock

    def _build_fsdp_module(self, module: Any) -> Any:
        strategy = self.engine_config.strategy
        if strategy != _STRATEGY:
            raise ValueError(
                f"the CPU back end trains with {_STRATEGY}, not {strategy}: set strategy={_STRATEGY} in actor, "
                "actor.fsdp_config and ref.fsdp_config"
            )
        offload = transformer_impl.CPUOffloadPolicy
        transformer_impl.CPUOffloadPolicy = lambda pin_memory=True: None
        try:
            return super()._build_fsdp_module(module)
        finally:
            transformer_impl.CPUOffloadPolicy = offload


class CPUCritic(CPUEngine, FSDPEngineWithValueHead):  # type: ignore[misc]  # verl ships no types
    """A value model trained in the same way. verl's loader of value models asks for flash-attn, whatever is set."""

    def _build_module(self) -> Any:
        stock = verl_models.load_valuehead_model
        verl_models.load_valuehead_model = _load_value_model
        try:
            return super()._build_module()
        finally:
            verl_models.load_valuehead_model = stock


def _load_value_model(local_path: str, torch_dtype: Any, model_config: Any, trust_remote_code: bool) -> Any:
    from transformers import AutoModelForTokenClassification

    return AutoModelForTokenClassification.from_pretrained(
        local_path, dtype=torch_dtype, config=model_config, trust_remote_code=trust_remote_code
    )


def register() -> None:
    """Register the engines with verl, once; both FSDP names, so that the wrong one gets our clear error."""
    for model_type, engine in (("language_model", CPUEngine), ("value_model", CPUCritic)):
        for backend in ("fsdp", _STRATEGY):
            if "cpu" not in EngineRegistry._engines.get(model_type, {}).get(backend, {}):
                EngineRegistry.register(model_type=model_type, backend=backend, device="cpu")(engine)
