"""Turn one step's logits into tokens and their log-probabilities, for a whole batch at once.

The draw is the inverse of the cumulative distribution at one uniform number a row. That number is a hash of (the
request's key, the position in the sequence), so a seeded request gets the same tokens whatever else is in the batch,
and a request that was aborted and continued gets the tokens it would have got undisturbed.

Log-probabilities are those of the distribution that was sampled from: logits / temperature, cut by top_k and top_p and
renormalised (verl's `logprobs_mode: processed_logprobs`). Without a cut this is what verl's trainer computes. A greedy
request reports temperature 1. Left out: stop conditions (`stopping.py`), the model's forward pass (`forward.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

# Parameters other engines know: accepted at the value that changes nothing, refused at any other.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1, None),
    "best_of": (1, None),
    "min_p": (0, 0.0, None),
    "min_tokens": (0, None),
    "repetition_penalty": (1, 1.0, None),
    "presence_penalty": (0, 0.0, None),
    "frequency_penalty": (0, 0.0, None),
    "prompt_logprobs": (None, False),
}
# Parameters that shape returned text only; this engine returns tokens.
_TEXT_ONLY = {"include_stop_str_in_output", "skip_special_tokens", "spaces_between_special_tokens", "detokenize"}


@dataclass(frozen=True)
class SamplingParams:
    """How one request is sampled, by the names vLLM and verl use.

    temperature 0 is greedy; top_k below 1 and top_p 1 are off; `max_tokens` None is "as many as fit".
    `stop` strings end the request when its newly sampled text holds one; their tokens stay in the result, with the
    overhang of the last one.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stop_token_ids: frozenset[int] = field(default_factory=frozenset)
    ignore_eos: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 (greedy) or positive, got {self.temperature}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must lie in (0, 1], got {self.top_p}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if "" in self.stop:
            raise ValueError("an empty stop string would end every request at once")

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> SamplingParams:
        """Read verl's parameter dictionary. Raises ValueError on a parameter this engine cannot honour."""
        rest = {name: value for name, value in given.items() if name not in _TEXT_ONLY and name != "logprobs"}
        for name, allowed in _NEUTRAL.items():
            if name in rest and rest.pop(name) not in allowed:
                raise ValueError(f"the CPU rollout engine does not support {name}={given[name]!r}")
        limit = rest.pop("max_tokens", None)
        new_limit = rest.pop("max_new_tokens", None)
        stop = rest.pop("stop", None) or ()
        params = {
            "temperature": rest.pop("temperature", 1.0),
            "top_p": rest.pop("top_p", 1.0),
            "top_k": rest.pop("top_k", -1),
            "max_tokens": new_limit if limit is None else limit,
            "seed": rest.pop("seed", None),
            "stop": (stop,) if isinstance(stop, str) else tuple(stop),
            "stop_token_ids": frozenset(rest.pop("stop_token_ids", None) or ()),
            "ignore_eos": bool(rest.pop("ignore_eos", False)),
        }
        if rest:
            raise ValueError(f"the CPU rollout engine does not know the sampling parameters {sorted(rest)}")
        return cls(**params)


def uniform(keys: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """One float64 in [0, 1) a row from uint64 keys and positions (splitmix64, 32 bits of it)."""
    places = positions.astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    state = _mix(keys + np.uint64(0x9E3779B97F4A7C15)) ^ _mix(places)
    return np.asarray((_mix(state) >> np.uint64(32)).astype(np.float64) / 4294967296.0)


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


@dataclass
class RowSettings:
    """The sampling settings of a batch of B rows as columns, kept between steps while the batch doesn't change."""

    temperature: torch.Tensor  # (B, 1) float32; 1 where greedy
    greedy: torch.Tensor  # (B,) bool
    top_k: torch.Tensor  # (B, 1) int64; the vocabulary size where off
    top_p: torch.Tensor  # (B, 1) float32
    keys: np.ndarray  # (B,) uint64
    any_scaled: bool
    any_greedy: bool
    any_cut: bool

    @classmethod
    def of(cls, params: list[SamplingParams], keys: list[int], vocab_size: int) -> RowSettings:
        greedy = [p.temperature == 0.0 for p in params]
        scale = [1.0 if p.temperature == 0.0 else p.temperature for p in params]
        # A greedy row's distribution is not cut: its log-probabilities are those of the whole softmax.
        rows = list(zip(params, greedy, strict=True))
        top_k = [min(p.top_k, vocab_size) if p.top_k > 0 and not g else vocab_size for p, g in rows]
        top_p = [1.0 if g else p.top_p for p, g in rows]
        return cls(
            temperature=torch.tensor(scale, dtype=torch.float32)[:, None],
            greedy=torch.tensor(greedy),
            top_k=torch.tensor(top_k)[:, None],
            top_p=torch.tensor(top_p, dtype=torch.float32)[:, None],
            keys=np.array(keys, dtype=np.uint64),
            any_scaled=any(s != 1.0 for s in scale),
            any_greedy=any(greedy),
            any_cut=any(k < vocab_size for k in top_k) or any(p < 1.0 for p in top_p),
        )


def sample(logits: torch.Tensor, rows: RowSettings, positions: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw one token a row.

    Args:
        logits: (B, V) float32.
        rows: the settings of the B rows.
        positions: (B,) the place in its sequence that the drawn token will take.

    Returns:
        tokens (B,) int64 and their log-probabilities (B,) float32.

    Raises:
        FloatingPointError: the policy gave NaN or infinite logits.
    """
    if rows.any_scaled:
        logits = logits / rows.temperature
    log_probs = torch.log_softmax(logits, dim=-1)
    if rows.any_cut:
        log_probs = _cut(log_probs, rows)
    cumulative = log_probs.double().exp_().cumsum(dim=-1)
    target = torch.from_numpy(uniform(rows.keys, positions))[:, None] * cumulative[:, -1:]
    tokens = torch.searchsorted(cumulative, target, right=True)[:, 0]
    if rows.any_greedy:
        tokens = torch.where(rows.greedy, log_probs.argmax(dim=-1), tokens)
    if not torch.isfinite(cumulative[:, -1]).all():
        raise FloatingPointError("the policy's logits are not finite: its weights hold NaN or infinity")
    return tokens, log_probs.gather(1, tokens[:, None])[:, 0]


def _cut(log_probs: torch.Tensor, rows: RowSettings) -> torch.Tensor:
    """Keep the top_k likeliest tokens, then the fewest of them that hold top_p of what is left; renormalise."""
    ranked, order = log_probs.sort(dim=-1, descending=True)
    rank = torch.arange(ranked.shape[1])[None]
    ranked = ranked.masked_fill(rank >= rows.top_k, -torch.inf)
    probs = torch.softmax(ranked, dim=-1)
    before = probs.cumsum(dim=-1) - probs
    ranked = ranked.masked_fill((before >= rows.top_p) & (rank > 0), -torch.inf)
    kept = torch.full_like(log_probs, -torch.inf).scatter(1, order, ranked)
    cut = (rows.top_k < log_probs.shape[1]) | (rows.top_p < 1.0)
    # Rows without a cut keep their bits: a sort must not change a neighbour's numbers.
    return torch.where(cut, torch.log_softmax(kept, dim=-1), log_probs)
