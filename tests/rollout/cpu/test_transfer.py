"""Weights from trainer to rollout where the two are apart: real gloo groups, all ends in threads of this process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from r1ci_plugin.rollout.cpu import transfer
from r1ci_plugin.rollout.cpu.transfer import GlooCheckpointEngine
from r1ci_plugin.weights import digest


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_own_address", lambda: "127.0.0.1")


def weights() -> dict[str, torch.Tensor]:
    made = torch.Generator().manual_seed(7)
    return {
        "odd": torch.randn(3, 5, generator=made).to(torch.bfloat16),  # 30 bytes: what follows is unaligned
        "matrix": torch.randn(40, 30, generator=made),
        "view": torch.randn(30, 40, generator=made).T,
        "steps": torch.tensor(11),
        "larger than a bucket": torch.randn(900, generator=made),
        "mask": torch.tensor([True, False, True]),
    }


async def receive(engine: GlooCheckpointEngine) -> dict[str, torch.Tensor]:
    return {name: tensor async for name, tensor in engine.receive_weights(global_steps=1)}


def update(trainers: list[GlooCheckpointEngine], rollouts: list[GlooCheckpointEngine]) -> list[Any]:
    """One update as verl's CheckpointEngineManager does it: prepare, connect, send and receive, finalize."""
    metadata = [engine.prepare() for engine in (*trainers, *rollouts)]
    sides = GlooCheckpointEngine.build_topology(len(trainers), len(rollouts), metadata)
    walked: list[int] = []

    def run(engine: GlooCheckpointEngine, arguments: dict[str, Any], is_trainer: bool) -> Any:
        engine.init_process_group(**arguments)
        if not is_trainer:
            return asyncio.run(receive(engine))
        gathered = ((name, walked.append(1) or tensor) for name, tensor in weights().items())  # type: ignore[func-returns-value]
        return asyncio.run(engine.send_weights(gathered, global_steps=1))

    with ThreadPoolExecutor(len(trainers) + len(rollouts)) as pool:
        jobs = [
            pool.submit(run, engine, {key: values[number] for key, values in side.items()}, is_trainer)
            for engines, side, is_trainer in ((trainers, sides[0], True), (rollouts, sides[1], False))
            for number, engine in enumerate(engines)
        ]
        results = [job.result(timeout=60) for job in jobs]
    for engine in (*trainers, *rollouts):
        engine.finalize()
    assert len(walked) == len(trainers) * len(weights())  # gathering takes every trainer worker
    return results[len(trainers) :]


def test_every_rollout_worker_gets_the_trainers_weights_bit_by_bit_update_after_update() -> None:
    trainers = [GlooCheckpointEngine(3000, is_master=True), GlooCheckpointEngine(3000)]
    rollouts = [GlooCheckpointEngine(3000) for _ in range(2)]
    for _ in range(2):
        for received in update(trainers, rollouts):
            assert {name: (tensor.dtype, tensor.shape) for name, tensor in received.items()} == {
                name: (tensor.dtype, tensor.shape) for name, tensor in weights().items()
            }
            assert digest(received.items()) == digest(weights().items())


def test_verl_finds_the_engine_by_the_name_recipes_use() -> None:
    from verl.checkpoint_engine import CheckpointEngineRegistry

    assert CheckpointEngineRegistry.get("r1ci_gloo") is GlooCheckpointEngine
