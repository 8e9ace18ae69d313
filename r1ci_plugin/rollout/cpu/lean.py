"""The forward pass of Llama-shaped policies, without the modules of transformers.

Calling those costs a small policy as much time as its arithmetic. The model's own parameters stay the only weights:
those that are multiplied with the same input (query, key and value; gate and up) are moved next to each other, so that
one product does for all of them, and the modules see the same memory. What loads weights into the model, or reads them,
need not know. Left out: policies of another shape (`forward.py`), the cache (`slots.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from r1ci_plugin.rollout.cpu.attention import grouped_attention
from r1ci_plugin.rollout.cpu.forward import NewTokens

_SHAPES = frozenset({"LlamaForCausalLM", "Qwen2ForCausalLM"})
_Rotation = tuple[torch.Tensor, torch.Tensor]
"""Of rotary embedding: cosine and sine of the new tokens' positions, (B, Q, 1, head size) each."""


@dataclass(frozen=True, slots=True)
class _Product:
    """One matrix for several linear modules with the same input."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.weight, self.bias)


@dataclass(frozen=True, slots=True)
class _Layer:
    before_attention: torch.Tensor
    qkv: _Product
    output: _Product
    before_mlp: torch.Tensor
    gate_up: _Product
    down: _Product


class LeanForward:
    """The `Forward` of a policy over `capacity` positions, in float32 on the CPU: the model's own up to rounding."""

    @staticmethod
    def serves(model: Any) -> bool:
        """Whether the policy has the shape written down here, and no hooks that its modules would have to call."""
        if type(model).__name__ not in _SHAPES or any(
            module._forward_hooks or module._forward_pre_hooks for module in model.modules()
        ):
            return False
        config = model.config
        return bool(config.hidden_act == "silu" and config.rope_parameters["rope_type"] == "default")

    def __init__(self, model: Any, capacity: int) -> None:
        config, body = model.config, model.model
        self._heads, self._kv_heads = config.num_attention_heads, config.num_key_value_heads
        self._epsilon = config.rms_norm_eps
        self._embedding, self._norm, self._head = body.embed_tokens.weight, body.norm.weight, model.lm_head.weight
        self._layers = [_layer(layer) for layer in body.layers]
        cos, sin = body.rotary_emb(self._embedding, torch.arange(capacity)[None])
        half = cos.shape[-1] // 2
        self._size = cos.shape[-1]
        # the other half of a head comes by rolling it; the first half takes it with a minus
        self._cos = cos[0].contiguous()
        self._sin = torch.cat([-sin[0, :, :half], sin[0, :, half:]], dim=-1)

    def store(self, new: NewTokens) -> None:
        """As `Forward` says. What the last layer makes of its keys and values nobody would read."""
        x, rotation = self._start(new)
        last = len(self._layers) - 1
        for index in range(last):
            x = self._through(index, x, rotation, new)
        self._attends(last, x, rotation, new)

    def logits(self, new: NewTokens) -> torch.Tensor:
        """As `Forward` says."""
        x, rotation = self._start(new)
        for index in range(len(self._layers)):
            x = self._through(index, x, rotation, new)
        return functional.linear(self._normed(x[:, -1], self._norm), self._head)

    def _start(self, new: NewTokens) -> tuple[torch.Tensor, _Rotation]:
        cos, sin = self._cos[new.positions][:, :, None], self._sin[new.positions][:, :, None]
        return functional.embedding(new.ids, self._embedding), (cos, sin)

    def _through(self, index: int, x: torch.Tensor, rotation: _Rotation, new: NewTokens) -> torch.Tensor:
        """(B, Q, hidden) through a layer."""
        layer = self._layers[index]
        seen, _ = grouped_attention(None, *self._attends(index, x, rotation, new), new.mask)
        x = x + layer.output(seen.reshape(*x.shape[:2], -1))
        gate, up = layer.gate_up(self._normed(x, layer.before_mlp)).chunk(2, dim=-1)
        return x + layer.down(functional.silu(gate) * up)

    def _attends(
        self, index: int, x: torch.Tensor, rotation: _Rotation, new: NewTokens
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A layer's queries of the new tokens, and all keys and values, the new ones stored among them."""
        layer, (cos, sin) = self._layers[index], rotation
        rotated = self._heads + self._kv_heads
        qkv = layer.qkv(self._normed(x, layer.before_attention)).view(*x.shape[:2], -1, self._size)
        qk, value = qkv[:, :, :rotated], qkv[:, :, rotated:]
        qk = torch.addcmul(qk * cos, qk.roll(self._size // 2, -1), sin).transpose(1, 2)
        return qk[:, : self._heads], *new.cache.update(qk[:, self._heads :], value.transpose(1, 2), index)

    def _normed(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(x, weight.shape, weight, self._epsilon)


def _layer(layer: Any) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    return _Layer(
        before_attention=layer.input_layernorm.weight,
        qkv=_together([attention.q_proj, attention.k_proj, attention.v_proj]),
        output=_together([attention.o_proj]),
        before_mlp=layer.post_attention_layernorm.weight,
        gate_up=_together([mlp.gate_proj, mlp.up_proj]),
        down=_together([mlp.down_proj]),
    )


def _together(modules: Sequence[torch.nn.Linear]) -> _Product:
    return _Product(_neighbours([m.weight for m in modules]), _neighbours([m.bias for m in modules]))


@torch.no_grad()
def _neighbours(parameters: Sequence[Any]) -> Any:
    """One tensor of the parameters along their first axis; each is a view of it from now on. None if they are None."""
    if len(parameters) == 1 or parameters[0] is None:
        return parameters[0]
    joined = torch.cat(list(parameters))
    for parameter, part in zip(parameters, torch.split(joined, [len(p) for p in parameters]), strict=True):
        parameter.data = part
    return joined
