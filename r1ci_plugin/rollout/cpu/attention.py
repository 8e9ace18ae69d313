"""Attention over slot views for grouped-query models, without repeating keys and values.

The stock path of transformers copies keys and values once a query head whenever a mask is given; for a decode step of
many rows that copy costs more than all else. Here the query heads of a group become extra query rows of their shared
key head: the same sums, no copy. Registered as attention implementation `NAME`. Left out: building the mask
(`forward.py` gives a ready float mask (B, 1, Q, extent)).
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface

NAME = "r1ci_grouped"


def grouped_attention(
    module: torch.nn.Module | None,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """query (B, heads, Q, D), key and value (B, kv heads, extent, D) -> (B, Q, heads, D)."""
    rows, heads, steps, size = query.shape
    group = heads // key.shape[1]
    if group > 1:
        query = query.reshape(rows, key.shape[1], group * steps, size)
        if steps > 1:
            attention_mask = attention_mask.repeat(1, 1, group, 1)
    out = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask, scale=scaling)
    return out.reshape(rows, heads, steps, size).transpose(1, 2).contiguous(), None


def register() -> None:
    """Make `attn_implementation=NAME` known to transformers (again and again without harm)."""
    AttentionInterface.register(NAME, grouped_attention)
