"""The sizes of a model: a decoder of the Qwen2, Qwen3 or Llama kind, from its config.json or from a table.

Left out: mixtures of experts and models with other inputs than text, which are refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class UnknownModel(ValueError):
    """The sizes of this model cannot be had here."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a dense decoder, in the words of Hugging Face's config.json."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    tied: bool
    """The output head is the embedding (`tie_word_embeddings`)."""
    qkv_bias: bool = True
    """Qwen2 has biases on queries, keys and values; Qwen3 and Llama have none."""
    output_bias: bool = False
    """Llama with `attention_bias` has one on the attention's output as well."""
    qk_norm: bool = False
    """Qwen3 normalises queries and keys, each head by itself."""
    positions: int = 32768
    """Longest sequence (`max_position_embeddings`)."""

    @property
    def query_width(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        return self.kv_heads * self.head_dim

    @property
    def embedding(self) -> int:
        """Parameters of the embedding, and of the output head where it is not tied."""
        return self.vocab * self.hidden

    @property
    def layer(self) -> int:
        """Parameters of one decoder layer."""
        attention = 2 * self.hidden * self.query_width + 2 * self.hidden * self.kv_width
        bias = self.qkv_bias * (self.query_width + 2 * self.kv_width) + self.output_bias * self.hidden
        norms = 2 * self.hidden + self.qk_norm * 2 * self.head_dim
        return attention + bias + 3 * self.hidden * self.intermediate + norms

    @property
    def parameters(self) -> int:
        """Parameters of the model, a tied embedding once."""
        return (1 if self.tied else 2) * self.embedding + self.layers * self.layer + self.hidden


MODELS = {
    "Qwen/Qwen2.5-3B-Instruct": ModelShape(36, 2048, 11008, 16, 2, 128, 151936, tied=True),
    "Qwen/Qwen2.5-7B-Instruct-1M": ModelShape(28, 3584, 18944, 28, 4, 128, 152064, tied=False, positions=1010000),
    "Qwen/Qwen2.5-14B-Instruct-1M": ModelShape(48, 5120, 13824, 40, 8, 128, 152064, tied=False, positions=1010000),
    "Qwen/Qwen3-4B-Instruct-2507": ModelShape(
        36, 2560, 9728, 32, 8, 128, 151936, tied=True, qkv_bias=False, qk_norm=True, positions=262144
    ),
}
"""The models of the recipes, by their names on the Hugging Face hub: values of their config.json. The sums agree with
the parameters their model cards state (3.09, 7.61, 14.7 and 4.0 billion)."""

_KINDS = {"qwen2", "qwen3", "llama"}


def shape_of(path: str) -> ModelShape:
    """The sizes of a policy: a Hugging Face folder, or a name of `MODELS`. Raises UnknownModel."""
    file = Path(path).expanduser() / "config.json"
    if file.is_file():
        try:
            return from_config(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnknownModel(f"the sizes of {path} cannot be read from {file}: {error}") from error
    if path in MODELS:
        return MODELS[path]
    raise UnknownModel(
        f"the sizes of {path} are not known: it is no folder with a config.json and no model of a recipe"
    )


def from_config(config: dict[str, Any]) -> ModelShape:
    """The sizes a config.json gives. Raises ValueError for another kind of model, KeyError for a missing size."""
    kind = config.get("model_type")
    if kind not in _KINDS:
        raise ValueError(f"models of the kind {kind!r} are not planned, only {', '.join(sorted(_KINDS))}")
    heads = int(config["num_attention_heads"])
    hidden = int(config["hidden_size"])
    llama_bias = kind == "llama" and bool(config.get("attention_bias"))
    return ModelShape(
        layers=int(config["num_hidden_layers"]),
        hidden=hidden,
        intermediate=int(config["intermediate_size"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head_dim=int(config.get("head_dim") or hidden // heads),
        vocab=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings")),
        qkv_bias=kind == "qwen2" or llama_bias or (kind == "qwen3" and bool(config.get("attention_bias"))),
        output_bias=llama_bias or (kind == "qwen3" and bool(config.get("attention_bias"))),
        qk_norm=kind == "qwen3",
        positions=int(config.get("max_position_embeddings") or 32768),
    )
