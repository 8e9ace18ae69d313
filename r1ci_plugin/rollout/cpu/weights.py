"""Take a new policy into a running model, bucket by bucket.

Left out: when it is safe to do so (`embedded.py` stops sampling between the first and the last bucket), how the
tensors travel (`replica.py`), and which weights a model holds (`r1ci_plugin/weights.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


class WeightLoader:
    """Copies named tensors into `model`, and refuses a set that does not cover it: a silent gap would leave the
    rollouts with a policy that nobody trains.
    """

    def __init__(self, model: Any) -> None:
        self._state: dict[str, torch.Tensor] = model.state_dict()
        self._seen: set[int] = set()

    @torch.no_grad()
    def load(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Copy one bucket. Raises KeyError for a name, ValueError for a shape that the model does not have."""
        for name, tensor in weights.items():
            own = self._state.get(name)
            if own is None:
                raise KeyError(f"weight sync: the rollout model has no tensor {name!r}")
            if own.shape != tensor.shape:
                raise ValueError(f"weight sync: {name} has shape {tuple(tensor.shape)}, not {tuple(own.shape)}")
            own.copy_(tensor)
            self._seen.add(own.data_ptr())

    def finish(self) -> None:
        """Close a sync. Raises ValueError naming what was not sent; tied weights need to come once only."""
        missing = [name for name, own in self._state.items() if own.data_ptr() not in self._seen]
        self._seen.clear()
        if missing:
            raise ValueError(f"weight sync: {len(missing)} tensors were not sent, first {missing[0]}")
