"""The way of the weights where trainer and rollout engine are apart: a checkpoint engine of verl over gloo.

verl's trainer mode `separate_async` sends weights from the first trainer worker to one worker beside every rollout
server (verl/checkpoint_engine/base.py). Its own engines for that need NCCL, RDMA or a GPU library; this one needs
sockets, also across nodes. Each update makes a process group of its own, which costs milliseconds and leaves nothing to
mend after a failure. A bucket's names and shapes go through the group's key-value store, its bytes by one broadcast.

verl imports this module where a recipe names it in `checkpoint_engine.custom_backend_module`. Left out: handing the
weights to the server (`replica.py`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from typing import Any

import ray
import torch
import torch.distributed
from verl.checkpoint_engine.base import CheckpointEngine, CheckpointEngineRegistry

dist: Any = torch.distributed  # its stubs leave out most of what is used here

NAME = "r1ci_gloo"
"""The value of `checkpoint_engine.backend` that selects this engine."""
TIMEOUT = timedelta(minutes=5)
"""Of one broadcast, and of waiting for the other side."""

Bucket = list[tuple[str, torch.Tensor]]


@CheckpointEngineRegistry.register(NAME)
class GlooCheckpointEngine(CheckpointEngine):  # type: ignore[misc]  # verl ships no types
    """One end of the transfer. Rank 0 sends, ranks 1.. receive, other trainer workers (rank -1) only gather along.

    bucket_size: bytes sent at a time, more for a single tensor that is larger. is_master: the first trainer worker.
    """

    def __init__(self, bucket_size: int, is_master: bool = False) -> None:
        self._bucket_size = bucket_size
        self._is_master = is_master
        self._rank = -1
        self._store: Any = None
        self._group: Any = None

    def prepare(self) -> dict[str, Any]:
        """The sender opens the store of the coming group; returns where it listens."""
        if not self._is_master:
            return {}
        host = _own_address()
        self._store = dist.TCPStore(host, 0, is_master=True, wait_for_workers=False, timeout=TIMEOUT)
        return {"host": host, "port": self._store.port}

    @classmethod
    def build_topology(
        cls, actor_wg_world_size: int, rollout_world_size: int, metadata: list[dict[str, Any]]
    ) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Arguments of `init_process_group` for every trainer worker and every rollout worker."""
        world = 1 + rollout_world_size

        def side(ranks: list[int]) -> dict[str, list[Any]]:
            return {"rank": ranks, "world_size": [world] * len(ranks), "address": [metadata[0]] * len(ranks)}

        return side([0] + [-1] * (actor_wg_world_size - 1)), side(list(range(1, world)))

    def init_process_group(self, rank: int, world_size: int, address: dict[str, Any]) -> None:
        """Join the group of this update."""
        self._rank = rank
        if rank < 0:
            return
        if not self._is_master:
            self._store = dist.TCPStore(address["host"], address["port"], is_master=False, timeout=TIMEOUT)
        options = dist.ProcessGroupGloo._Options()
        options._timeout = TIMEOUT
        options._devices = [dist.ProcessGroupGloo.create_device(hostname=_own_address())]
        self._group = dist.ProcessGroupGloo(self._store, rank, world_size, options)

    def finalize(self) -> None:
        """Leave the group."""
        self._group = self._store = None

    async def send_weights(self, weights: Iterable[tuple[str, torch.Tensor]], global_steps: int | None = None) -> None:
        """Send all tensors. Every trainer worker walks through them: gathering a sharded tensor takes all."""
        if self._rank < 0:
            for _ in weights:
                pass
            return
        number = 0
        for number, bucket in enumerate(_buckets(weights, self._bucket_size), 1):
            layout = [(name, list(tensor.shape), str(tensor.dtype).removeprefix("torch.")) for name, tensor in bucket]
            self._store.set(f"bucket {number}", json.dumps(layout))
            self._broadcast(torch.cat([tensor.contiguous().view(-1).view(torch.uint8) for _, tensor in bucket]))
        self._store.set(f"bucket {number + 1}", "[]")
        self._group.barrier().wait()  # the store must outlive the last read

    async def receive_weights(self, global_steps: int | None = None) -> AsyncIterator[tuple[str, torch.Tensor]]:
        """Yields (name, tensor) as sent."""
        number = 1
        while layout := json.loads(self._store.get(f"bucket {number}")):
            kinds = [(name, shape, getattr(torch, dtype)) for name, shape, dtype in layout]
            sizes = [torch.Size(shape).numel() * dtype.itemsize for _, shape, dtype in kinds]
            data = torch.empty(sum(sizes), dtype=torch.uint8)
            self._broadcast(data)
            for (name, shape, dtype), part in zip(kinds, torch.split(data, sizes), strict=True):
                yield name, part.clone().view(dtype).view(shape)  # a copy of its own is aligned
            number += 1
        self._group.barrier().wait()

    def _broadcast(self, data: torch.Tensor) -> None:
        options = dist.BroadcastOptions()
        options.rootRank, options.rootTensor = 0, 0
        self._group.broadcast([data], options).wait()


def _buckets(weights: Iterable[tuple[str, torch.Tensor]], limit: int) -> Iterator[Bucket]:
    """Neighbouring tensors of up to `limit` bytes together, as CPU tensors."""
    bucket: Bucket = []
    size = 0
    for name, tensor in weights:
        if bucket and size + tensor.nbytes > limit:
            yield bucket
            bucket, size = [], 0
        bucket.append((name, tensor.detach().cpu()))
        size += tensor.nbytes
    if bucket:
        yield bucket


def _own_address() -> str:
    """Where other nodes reach this process."""
    return str(ray.util.get_node_ip_address())
