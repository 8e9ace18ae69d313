"""One forward pass of a policy over rows of a `SlotMemory`: what goes in, and the pass through transformers' modules.

Left out: the quicker pass for Llama-shaped policies (`lean.py`), and which rows go through it (`batcher.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from r1ci_plugin.rollout.cpu.slots import SlotCache, SlotMemory

_MASK_CELLS = 1 << 24
"""Of the mask of one pass, as attention takes it (for each query head of a group): 64 MB."""


def steps_at_once(memory: SlotMemory, rows: int, extent: int) -> int:
    """New tokens a row that one pass may take. The mask grows with the square of a row: whole, one of 6000 tokens with
    8 query heads a key head took 1.2 GB."""
    return max(1, _MASK_CELLS // (rows * extent * memory.group))


@dataclass(frozen=True, slots=True)
class NewTokens:
    """B rows of Q new tokens each."""

    ids: torch.Tensor
    """(B, Q) int64."""
    positions: torch.Tensor
    """(B, Q) int64, 0 for padding."""
    mask: torch.Tensor
    """(B, 1, Q, extent) float32, added to the scores of attention."""
    cache: SlotCache

    @classmethod
    def of(cls, memory: SlotMemory, rows: slice | torch.Tensor, ids: np.ndarray, positions: np.ndarray) -> NewTokens:
        """ids and positions (B, Q) for these slots; the memory's capacity stands for the position of padding."""
        place = torch.from_numpy(positions)
        real = np.where(positions < memory.capacity, positions, 0)
        extent = int(real.max()) + 1
        seen = torch.arange(extent)[None, None] <= place[:, :, None]
        mask = torch.zeros(seen.shape).masked_fill_(~seen, -torch.inf)[:, None]
        return cls(torch.from_numpy(ids), torch.from_numpy(real), mask, SlotCache(memory, rows, place, extent))


class Forward(Protocol):
    """A policy's forward pass."""

    def store(self, new: NewTokens) -> None:
        """Write keys and values of the new tokens, for rows that are not sampled from yet."""
        ...

    def logits(self, new: NewTokens) -> torch.Tensor:
        """The same; and the logits of each row's last token, (B, V) float32."""
        ...


class ModuleForward:
    """Through the modules of `model`, a causal LM of transformers with attention implementation `attention.NAME`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def store(self, new: NewTokens) -> None:
        self.logits(new)

    def logits(self, new: NewTokens) -> torch.Tensor:
        output = self._model(
            input_ids=new.ids,
            attention_mask=new.mask,
            position_ids=new.positions,
            past_key_values=new.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return torch.as_tensor(output.logits[:, -1]).float()
