"""Load a policy for the rollout engine, and say early what the engine cannot serve.

Left out: running it (`batcher.py`), following the trainer's weights (`weights.py`).
"""

from __future__ import annotations

import os
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from r1ci_plugin.rollout.cpu import attention


def load_policy(
    path: str | os.PathLike[str],
    *,
    weights: bool = True,
    tokenizer_path: str | None = None,
    trust_remote_code: bool = False,
) -> tuple[Any, Any]:
    """The model (float32) and tokenizer of a folder; with `weights` False, random weights that a sync will replace.

    Raises ValueError where the folder holds no policy that transformers can read.
    """
    attention.register()
    options = {"trust_remote_code": trust_remote_code}
    try:
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_path or path, **options)
        if weights:
            model = AutoModelForCausalLM.from_pretrained(
                path, dtype=torch.float32, attn_implementation=attention.NAME, **options
            )
        else:
            config = AutoConfig.from_pretrained(path, **options)
            model = AutoModelForCausalLM.from_config(
                config, dtype=torch.float32, attn_implementation=attention.NAME, **options
            )
            model.generation_config = _generation_config(path, model)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} holds no policy that transformers can read: {error}") from error
    return model, tokenizer


def _generation_config(path: str | os.PathLike[str], model: Any) -> Any:
    try:
        return GenerationConfig.from_pretrained(path)
    except OSError:
        return model.generation_config


def prepare_policy(model: Any, max_model_len: int | None) -> int:
    """Make `model` ready for slot caches; returns the context length. Raises ValueError on what cannot be served."""
    attention.register()
    config = model.config.get_text_config()
    made_for = getattr(config, "max_position_embeddings", None)
    capacity = max_model_len or made_for
    if capacity is None:
        raise ValueError("the policy names no context length: give max_model_len")
    if made_for is not None and capacity > made_for:
        raise ValueError(f"max_model_len {capacity} is more than the {made_for} positions the policy was made for")
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None)
    if kinds - {"full_attention", "sliding_attention"} or (
        "sliding_attention" in kinds and (window is None or window < capacity)
    ):
        raise ValueError(f"the CPU rollout engine serves full attention only, not {sorted(kinds)} with window {window}")
    model.set_attn_implementation(attention.NAME)
    model.eval()
    return int(capacity)
