"""The formulas agree with what torch really keeps, on models small enough to run here."""

from __future__ import annotations

from typing import Any

import pytest

from r1ci_plugin.plan import formulas
from r1ci_plugin.plan.shapes import MODELS, from_config

torch = pytest.importorskip("torch")
TOKENS = 256


def small(kind: str, kv_heads: int) -> tuple[Any, Any]:
    """A model in bfloat16 and its sizes; wide enough that what is constant hardly counts."""
    from transformers import AutoModelForCausalLM, Qwen2Config, Qwen3Config

    config = (Qwen3Config if kind == "qwen3" else Qwen2Config)(
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        head_dim=64,
        vocab_size=512,
        tie_word_embeddings=False,
    )
    config._attn_implementation = "sdpa"
    return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16), from_config(config.to_dict())


def kept_bytes(model: Any) -> int:
    """What autograd keeps of one forward pass to the logits, beside the model itself."""
    own = {tensor.untyped_storage().data_ptr() for tensor in [*model.parameters(), *model.buffers()]}
    kept: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    ids, positions = torch.arange(TOKENS)[None] % 512, torch.arange(TOKENS)[None]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = model(input_ids=ids, position_ids=positions, use_cache=False).logits
    assert logits.dtype == torch.bfloat16 and logits.nbytes == TOKENS * 512 * formulas.BF16
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("kind, kv_heads", [("qwen2", 4), ("qwen2", 1), ("qwen3", 4), ("qwen3", 1)])
def test_kept_activations_are_those_autograd_keeps(kind: str, kv_heads: int, recompute: bool) -> None:
    model, shape = small(kind, kv_heads)
    model.train()
    if recompute:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    planned = formulas.activations(shape, TOKENS, recompute=recompute)
    assert kept_bytes(model) == pytest.approx(planned, rel=0.02)


def test_adamw_keeps_two_moments_in_the_type_of_the_weights() -> None:
    model, shape = small("qwen2", 4)
    model.float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(input_ids=torch.zeros(1, 4, dtype=torch.long)).logits.sum().backward()
    optimizer.step()
    states = [value for state in optimizer.state.values() for key, value in state.items() if key != "step"]
    assert sum(value.nbytes for value in states) == formulas.moments(shape, formulas.FP32, shards=1)
    gradients = sum(parameter.grad.nbytes for parameter in model.parameters())
    assert gradients == formulas.weights(shape, formulas.FP32, shards=1)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
def test_the_cache_of_a_token_is_what_transformers_caches(kind: str) -> None:
    model, shape = small(kind, 1)
    with torch.no_grad():
        cache = model(input_ids=torch.zeros(1, 8, dtype=torch.long), use_cache=True).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert held == 8 * formulas.kv_token(shape, tensor_parallel=1)


def test_cache_heads_are_cut_over_gpus_until_each_has_one() -> None:
    shape = MODELS["Qwen/Qwen2.5-7B-Instruct-1M"]
    whole = formulas.kv_token(shape, 1)
    assert whole == 2 * 28 * 4 * 128 * 2
    assert [whole / formulas.kv_token(shape, width) for width in (2, 4, 8)] == [2, 4, 4]


def test_the_output_head_and_a_tied_embedding_are_counted_once() -> None:
    tied, untied = MODELS["Qwen/Qwen2.5-3B-Instruct"], MODELS["Qwen/Qwen2.5-7B-Instruct-1M"]
    for shape in (tied, untied):
        whole = formulas.gathered_embedding(shape) + formulas.head_backward(shape)
        assert whole == shape.embedding * 8  # weights and gradient in bfloat16, gradient in float32
