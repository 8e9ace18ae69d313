"""Cut a batch into micro batches of similar lengths, so that little of what is computed is padding.

On GPUs verl packs sequences without padding, which needs flash-attn. Without it every row is padded to the longest of
its micro batch, and verl's balanced partition puts a long row into each: with a few long trajectories most of the work
is padding. One rank only: several ranks must agree on the number of micro batches, which verl's own function sees to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from verl.utils import tensordict_utils as tu
from verl.workers.engine import utils


def prepare(data: Any, dp_group: Any = None, **options: Any) -> tuple[list[Any], list[list[int]] | None]:
    """As verl's `prepare_micro_batches` (verl/workers/engine/utils.py): micro batches and their places in the batch."""
    grouped = tu.get_non_tensor_data(data=data, key="force_group_size", default=1) > 1
    dynamic = tu.get_non_tensor_data(data=data, key="use_dynamic_bsz", default=True)
    if not dynamic or grouped or (dp_group is not None and dp_group.size() > 1):
        batches, places = utils.prepare_micro_batches(data, dp_group, **options)
        return batches, places
    lengths = data["input_ids"].offsets().diff().tolist()
    cut = alike(lengths, int(data["max_token_len_per_gpu"]))
    return [tu.index_select_tensor_dict(data, places) for places in cut], cut


def alike(lengths: Sequence[int], limit: int) -> list[list[int]]:
    """Row numbers by rising length, cut where padding all rows of a part to its longest would pass `limit` tokens.

    A row longer than the limit gets a part of its own.
    """
    parts: list[list[int]] = [[]]
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if parts[-1] and (len(parts[-1]) + 1) * lengths[row] > limit:
            parts.append([])
        parts[-1].append(row)
    return parts
