"""The lean forward pass gives what the policy's own modules give, and follows the weights the trainer sends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from r1ci_plugin.rollout.cpu.lean import LeanForward  # noqa: E402
from r1ci_plugin.rollout.cpu.models import prepare_policy  # noqa: E402
from r1ci_plugin.rollout.cpu.slots import SlotCache, SlotMemory  # noqa: E402
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


def _passes(forward: Any, config: Any) -> list[Any]:
    """A ragged prefill of three rows and two decode steps after it."""
    memory = SlotMemory(config, 3, CAPACITY)
    chance, given = np.random.default_rng(0), []
    places = np.array([[0, 1, 2, 3], [0, 1, CAPACITY, CAPACITY], [0, 1, 2, CAPACITY]])
    for positions in (places, np.array([[4], [2], [3]]), np.array([[5], [3], [4]])):
        real = np.where(positions < CAPACITY, positions, 0)
        extent = int(real.max()) + 1
        seen = torch.arange(extent)[None, None] <= torch.from_numpy(positions)[:, :, None]
        mask = torch.zeros(seen.shape).masked_fill_(~seen, -torch.inf)[:, None]
        ids = torch.from_numpy(chance.integers(0, SHAPE["vocab_size"], positions.shape))
        cache = SlotCache(memory, slice(0, 3), torch.from_numpy(positions), extent)
        given.append(forward(ids, torch.from_numpy(real), mask, cache))
    # the rows whose last place was padding have no answer in the prefill
    return [given[0][:1], *given[1:]]


def _modules(model: Any) -> Any:
    def forward(ids: Any, positions: Any, mask: Any, cache: Any) -> Any:
        output = model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
        )
        return output.logits[:, -1]

    return forward


@pytest.mark.parametrize("name", POLICIES)
@torch.inference_mode()
def test_it_gives_what_the_modules_give(name: str) -> None:
    untouched, model = _policy(*POLICIES[name]), _policy(*POLICIES[name])
    assert LeanForward.serves(model)
    lean = _passes(LeanForward(model, CAPACITY), model.config)
    for own, other in zip(lean, _passes(_modules(untouched), model.config), strict=True):
        torch.testing.assert_close(own, other, atol=2e-5, rtol=1e-5)
    for own, other in zip(_passes(_modules(model), model.config), lean, strict=True):
        torch.testing.assert_close(own, other, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("name", POLICIES)
def test_it_follows_the_weights_that_are_loaded_into_the_model(name: str) -> None:
    model, trained = _policy(*POLICIES[name]), _policy(*POLICIES[name], seed=1)
    lean, loader = LeanForward(model, CAPACITY), WeightLoader(model)
    loader.load(trained.state_dict())
    loader.finish()
    with torch.inference_mode():
        for own, other in zip(_passes(lean, model.config), _passes(_modules(trained), model.config), strict=True):
            torch.testing.assert_close(own, other, atol=2e-5, rtol=1e-5)


def test_policies_of_another_shape_are_left_to_transformers() -> None:
    assert not LeanForward.serves(_policy("Qwen3", {"head_dim": 8}))
    scaled = {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}
    assert not LeanForward.serves(_policy("Llama", scaled))
    assert not LeanForward.serves(_policy("Llama", {"hidden_act": "gelu"}))
