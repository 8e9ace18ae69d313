"""verl's two ends of the rollout engine: `CPUReplica` starts the server actor, `ServerAdapter` sends it weights.

The actor's name holds the Ray job and the kind of model beside the replica's rank, so an adapter can only find the
server of its own run, never one that another run on the same cluster has left behind.
Left out: the server's methods (`server.py`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from typing import Any

import ray
import torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from verl.utils.fs import copy_to_local
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica
from verl.workers.rollout.utils import ensure_async_iterator

NAME = "r1ci_cpu"
"""The value of `rollout.name` that selects this engine."""


def server_name(replica_rank: int, kind: str = "actor") -> str:
    """The Ray actor name of a replica of the calling job."""
    return f"{NAME}_{kind}_{ray.get_runtime_context().get_job_id()}_{replica_rank}"


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster: Ray's name for it, cores a process may use there, bytes of memory."""

    id: str
    cores: int
    memory: int


class CPUReplica(RolloutReplica):  # type: ignore[misc]  # verl ships no types
    """One server actor, on the node of the workers whose policy it serves."""

    async def launch_servers(self) -> None:
        from r1ci_plugin.rollout.cpu.server import CPUServer

        node = await self.workers[0].__ray_call__.remote(_node) if self.workers else _node()
        place = NodeAffinitySchedulingStrategy(node_id=node.id, soft=False)
        name = server_name(self.replica_rank, self._kind)
        server = (
            ray.remote(CPUServer)
            .options(name=name, num_cpus=0, max_concurrency=self.max_concurrency, scheduling_strategy=place)
            .remote(**self._server_settings(node))
        )
        await server.ready.remote()
        self.servers = [server]
        self._server_handle = server
        self._server_address = name

    @property
    def _kind(self) -> str:
        kind = "reward" if self.is_reward_model else "teacher" if self.is_teacher_model else "actor"
        return f"{kind}{self.name_suffix}"

    def _server_settings(self, node: Node) -> dict[str, Any]:
        config, model = self.config, self.model_config
        tokenizer_path = model.get("tokenizer_path")
        here = max(1, self.gpus_per_node // self.world_size)  # replicas that share this machine
        return {
            "path": copy_to_local(model.get("path")),
            "tokenizer_path": tokenizer_path and copy_to_local(tokenizer_path),
            "trust_remote_code": bool(model.get("trust_remote_code", False)),
            "load_weights": config.load_format != "dummy",
            "prompt_length": config.prompt_length,
            "response_length": config.response_length,
            "ignore_eos": config.ignore_eos,
            "max_model_len": config.max_model_len or config.prompt_length + config.response_length,
            "max_num_seqs": config.max_num_seqs,
            "seed": config.seed + self.replica_rank,
            "threads": max(1, node.cores // here),
            "kv_cache_bytes": node.memory // 4 // here,
        }


def _node(_worker: Any = None) -> Node:
    """The node of the process it runs in."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Node(str(ray.get_runtime_context().get_node_id()), len(os.sched_getaffinity(0)), memory)


class ServerAdapter(BaseRollout):  # type: ignore[misc]  # verl ships no types
    """Lives in every trainer worker, or beside the server where trainer and rollout are apart (`transfer.py`).

    A replica's first rank sends the weights, all ranks take part in making them.
    """

    def __init__(self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1) -> None:
        super().__init__(config, model_config, device_mesh)
        rank = int(os.environ["RANK"])
        world = (
            self.config.tensor_model_parallel_size
            * self.config.data_parallel_size
            * self.config.pipeline_model_parallel_size
        )
        self.replica_rank = rank // world if replica_rank == -1 else replica_rank
        self.rollout_rank = rank % world
        self._server: Any = None

    def _handle(self) -> Any:
        # Late, because verl starts the servers after the trainer workers.
        if self._server is None:
            self._server = ray.get_actor(server_name(self.replica_rank))
        return self._server

    async def resume(self, tags: list[str]) -> None:
        if self.rollout_rank == 0:
            await self._handle().wake_up.remote(tags=tags)

    async def release(self) -> None:
        if self.rollout_rank == 0:
            await self._handle().sleep.remote()

    @torch.no_grad()
    async def update_weights(
        self,
        weights: Iterable[tuple[str, torch.Tensor]] | AsyncIterable[tuple[str, torch.Tensor]],
        global_steps: int | None = None,
        wire_format: str = "named_tensors",
        peft_config: Any = None,
        base_sync_done: bool = True,
        **kwargs: Any,
    ) -> None:
        """Send all tensors in buckets of `checkpoint_engine.update_weights_bucket_megabytes`.

        Raises NotImplementedError for adapters that are not merged into the policy, and for delta updates.
        """
        if wire_format != "named_tensors":
            raise NotImplementedError(f"the CPU rollout engine takes whole tensors, not {wire_format!r}")
        if peft_config is not None:
            raise NotImplementedError(
                "the CPU rollout engine serves merged weights only: actor_rollout_ref.model.lora.merge=true"
            )
        limit = self.config.checkpoint_engine.update_weights_bucket_megabytes << 20
        bucket: dict[str, torch.Tensor] = {}
        size = 0
        # Every rank walks through the generator: gathering a sharded tensor takes all of them.
        async for name, tensor in ensure_async_iterator(weights):
            if self.rollout_rank != 0:
                continue
            if bucket and size + tensor.nbytes > limit:
                await self._handle().load_weights.remote(bucket, False, None)
                bucket, size = {}, 0
            bucket[name] = tensor.detach().cpu()
            size += tensor.nbytes
        if self.rollout_rank == 0:
            await self._handle().load_weights.remote(bucket, True, global_steps)


def register() -> None:
    """Make `rollout.name=r1ci_cpu` known to verl."""
    from verl.workers.rollout import base
    from verl.workers.rollout.replica import RolloutReplicaRegistry

    RolloutReplicaRegistry.register(NAME, lambda: CPUReplica)
    base._ROLLOUT_REGISTRY[(NAME, "async")] = f"{__name__}.{ServerAdapter.__name__}"
