"""The lean forward pass gives what the policy's own modules give, and follows the weights the trainer sends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from r1ci_plugin.rollout.cpu.forward import Forward, ModuleForward, NewTokens  # noqa: E402
from r1ci_plugin.rollout.cpu.lean import LeanForward  # noqa: E402
from r1ci_plugin.rollout.cpu.models import prepare_policy  # noqa: E402
from r1ci_plugin.rollout.cpu.slots import SlotMemory  # noqa: E402
from r1ci_plugin.rollout.cpu.weights import WeightLoader  # noqa: E402

CAPACITY = 48
SHAPE: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "num_key_value_heads": 1,
    "max_position_embeddings": CAPACITY,
}
POLICIES = {
    "llama": ("Llama", {}),
    "llama with biases, tied": ("Llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    "qwen2": ("Qwen2", {"rope_parameters": {"rope_type": "default", "rope_theta": 50.0}}),
    "one head each": ("Qwen2", {"num_key_value_heads": 3, "tie_word_embeddings": True}),
}


def _policy(kind: str, changes: dict[str, Any], seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = getattr(transformers, f"{kind}Config")(**{**SHAPE, **changes})
    model = getattr(transformers, f"{kind}ForCausalLM")(config)
    with torch.no_grad():
        for parameter in model.parameters():  # norms start at 1 and biases at 0, which would hide mistakes
            parameter.add_(0.3 * torch.randn_like(parameter))
    prepare_policy(model, CAPACITY)
    return model


def _passes(forward: Forward, config: Any, stores_first: bool = False) -> list[Any]:
    """The logits of a ragged prefill of three rows, or only its keys and values, and of two decode steps after it."""
    memory = SlotMemory(config, 3, CAPACITY)
    chance, given = np.random.default_rng(0), []
    places = np.array([[0, 1, 2, 3], [0, 1, CAPACITY, CAPACITY], [0, 1, 2, CAPACITY]])
    for positions in (places, np.array([[4], [2], [3]]), np.array([[5], [3], [4]])):
        ids = chance.integers(0, SHAPE["vocab_size"], positions.shape)
        new = NewTokens.of(memory, slice(0, 3), ids, positions)
        if stores_first and positions is places:
            forward.store(new)
        else:
            given.append(forward.logits(new))
    # the rows whose last place was padding have no answer in the prefill
    return given if stores_first else [given[0][:1], *given[1:]]


@pytest.mark.parametrize("name", POLICIES)
@torch.inference_mode()
def test_it_gives_what_the_modules_give(name: str) -> None:
    untouched, model = _policy(*POLICIES[name]), _policy(*POLICIES[name])
    assert LeanForward.serves(model)
    lean = _passes(LeanForward(model, CAPACITY), model.config)
    for own, other in zip(lean, _passes(ModuleForward(untouched), model.config), strict=True):
        torch.testing.assert_close(own, other, atol=2e-5, rtol=1e-5)
    for own, other in zip(_passes(ModuleForward(model), model.config), lean, strict=True):
        torch.testing.assert_close(own, other, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("name", POLICIES)
@torch.inference_mode()
def test_what_only_stores_a_prompt_leaves_the_same_keys_and_values(name: str) -> None:
    model = _policy(*POLICIES[name])
    lean = LeanForward(model, CAPACITY)
    stored, whole = _passes(lean, model.config, stores_first=True), _passes(lean, model.config)[1:]
    for own, other in zip(stored, whole, strict=True):
        torch.testing.assert_close(own, other, atol=0, rtol=0)


@pytest.mark.parametrize("name", POLICIES)
def test_it_follows_the_weights_that_are_loaded_into_the_model(name: str) -> None:
    model, trained = _policy(*POLICIES[name]), _policy(*POLICIES[name], seed=1)
    lean, loader = LeanForward(model, CAPACITY), WeightLoader(model)
    loader.load(trained.state_dict())
    loader.finish()
    with torch.inference_mode():
        for own, other in zip(_passes(lean, model.config), _passes(ModuleForward(trained), model.config), strict=True):
            torch.testing.assert_close(own, other, atol=2e-5, rtol=1e-5)


def test_policies_of_another_shape_are_left_to_transformers() -> None:
    assert not LeanForward.serves(_policy("Qwen3", {"head_dim": 8}))
    scaled = {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}
    assert not LeanForward.serves(_policy("Llama", scaled))
    assert not LeanForward.serves(_policy("Llama", {"hidden_act": "gelu"}))
