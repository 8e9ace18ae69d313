"""The key/value memory of the rollout engine: a fixed number of slots, each holding the prefix of one sequence.

One tensor (layers, 2, slots, kv heads, capacity, head size) is allocated once and never grown or concatenated; the
operating system gives it pages only as they are written. `SlotCache` speaks the Cache protocol of transformers for some
of the slots; over a slice of neighbouring slots it hands out views, so that a decode step copies nothing.

A slot remembers its tokens. `longest_prefix` compares a prompt with all of them at once: that is how the next turn of a
trajectory finds its cache (verl gives every turn a new request id), and how the samples of one prompt share a prefill.
Left out: which request sits in which slot (`batcher.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers.cache_utils import Cache


class SlotMemory:
    """`slots` sequences of up to `capacity` tokens. Token t of slot s has valid keys and values iff t < length[s]."""

    def __init__(self, config: Any, slots: int, capacity: int) -> None:
        self.slots, self.capacity = slots, capacity
        self.group = int(config.num_attention_heads) // _kv_shape(config, 1)[0]  # query heads that share a key head
        self._shape = (config.num_hidden_layers, 2, slots, *_kv_shape(config, capacity + 1))
        self.tokens = np.zeros((slots, capacity), dtype=np.int64)
        self.length = np.zeros(slots, dtype=np.int64)
        self.used = np.zeros(slots, dtype=np.int64)  # a growing stamp: the smallest was used longest ago
        self._stamp = 0
        self.kv = torch.empty(0)
        self.allocate()

    def allocate(self) -> None:
        """Take fresh (unwritten) memory and forget everything cached."""
        # The last position is a dump for the padding of ragged prefills; nothing ever attends to it.
        # numpy's zeros are lazy pages; they must be numbers, as a masked NaN still poisons a sum.
        self.kv = torch.from_numpy(np.zeros(self._shape, dtype=np.float32))
        self.forget()

    def forget(self) -> None:
        """Drop what is cached (the weights have changed)."""
        self.length[:] = 0

    def touch(self, slot: int) -> None:
        self._stamp += 1
        self.used[slot] = self._stamp

    def longest_prefix(self, prompt: np.ndarray) -> np.ndarray:
        """(slots,) how many leading tokens of `prompt` each slot has cached."""
        n = min(len(prompt), int(self.length.max()))
        same = self.tokens[:, :n] == prompt[:n]
        run = np.where(same.all(axis=1), n, same.argmin(axis=1)) if n else np.zeros(self.slots, dtype=np.int64)
        return np.minimum(run, self.length)

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        if source != target:
            self.kv[:, :, target, :, :length] = self.kv[:, :, source, :, :length]
            self.tokens[target, :length] = self.tokens[source, :length]
        self.length[target] = length

    def swap(self, a: int, b: int) -> None:
        """Exchange two slots' contents."""
        if a == b:
            return
        na, nb = int(self.length[a]), int(self.length[b])
        held = self.kv[:, :, a, :, :na].clone()
        self.kv[:, :, a, :, :nb] = self.kv[:, :, b, :, :nb]
        self.kv[:, :, b, :, :na] = held
        for column in (self.tokens, self.length, self.used):
            column[[a, b]] = column[[b, a]]


class SlotCache(Cache):  # type: ignore[misc]  # transformers ships no types
    """A transformers cache over `rows` of a `SlotMemory` for one forward pass of B rows and Q new tokens each."""

    def __init__(self, memory: SlotMemory, rows: slice | torch.Tensor, positions: torch.Tensor, extent: int) -> None:
        """`positions` (B, Q): where each new key goes; `extent`: how many positions attention looks at."""
        super().__init__(layers=[])
        self._kv = memory.kv
        self._rows = rows
        self._index = (torch.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows)[:, None]
        self._positions = positions
        self._extent = extent

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store (B, kv heads, Q, head size) new states; return all, (B, kv heads, extent, head size) each."""
        keys, values = self._kv[layer_idx]
        keys[self._index, :, self._positions] = key_states.transpose(1, 2)
        values[self._index, :, self._positions] = value_states.transpose(1, 2)
        return keys[self._rows, :, : self._extent], values[self._rows, :, : self._extent]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self._extent - self._positions.shape[1]

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        return self._extent, 0


def common_prefix(a: np.ndarray, b: np.ndarray) -> int:
    """Length of the common prefix."""
    n = min(len(a), len(b))
    same = a[:n] == b[:n]
    return n if same.all() else int(same.argmin())


def _kv_shape(config: Any, positions: int) -> tuple[int, int, int]:
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return heads, positions, head_size


def bytes_per_token(config: Any) -> int:
    """Key/value bytes of one token, all layers, float32."""
    heads, _, size = _kv_shape(config, 1)
    return int(config.num_hidden_layers * 2 * heads * size * 4)
