"""Runs to plan, without composing a recipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from r1ci_plugin.plan.job import Engine, Job
from r1ci_plugin.plan.shapes import MODELS

MakeJob = Callable[..., Job]


@pytest.fixture
def make_job() -> MakeJob:
    """A stage of the 7B policy on two nodes of 8, with any field of the run or the engine changed."""

    def make(model: str = "Qwen/Qwen2.5-7B-Instruct-1M", engine: dict[str, Any] | None = None, **changes: Any) -> Job:
        chosen = {
            "tensor_parallel": 2,
            "share": 0.7,
            "model_len": 10240,
            "sequences": 512,
            "batched_tokens": 8192,
            "bucket": 2048 << 20,
            "trajectories": 640,
            **(engine or {}),
        }
        fields: dict[str, Any] = {
            "shape": MODELS[model],
            "nodes": 2,
            "gpus_per_node": 8,
            "longest": 10240,
            "update_tokens": 24576,
            "log_prob_tokens": 24576,
            "reference_tokens": 24576,
            "reference_bytes": 2,
            "recompute": True,
            "engine": Engine(**chosen),
            "checkpoints": 2,
            **changes,
        }
        return Job(**fields)

    return make
