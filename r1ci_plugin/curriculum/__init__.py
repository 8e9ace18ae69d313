"""The curriculum: how much each question can still teach, which questions a stage trains on, and in which order.

Potential, manifest, schedule and sampler are pure; `CurriculumDataset` and `CurriculumReplayBuffer` are verl's edges
and need the extra `train`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from r1ci_plugin.curriculum.build import build_manifest
    from r1ci_plugin.curriculum.dataset import CurriculumDataset
    from r1ci_plugin.curriculum.potential import improvement_potential
    from r1ci_plugin.curriculum.replay import CurriculumReplayBuffer
    from r1ci_plugin.curriculum.sampler import CurriculumSampler
    from r1ci_plugin.curriculum.schedule import Schedule

_LAZY = {
    "CurriculumDataset": "dataset",
    "CurriculumReplayBuffer": "replay",
    "CurriculumSampler": "sampler",
    "Schedule": "schedule",
    "build_manifest": "build",
    "improvement_potential": "potential",
}

__all__ = [
    "CurriculumDataset",
    "CurriculumReplayBuffer",
    "CurriculumSampler",
    "Schedule",
    "build_manifest",
    "improvement_potential",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
