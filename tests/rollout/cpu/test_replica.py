"""verl's side of the rollout engine: the server's answers, and weights on their way to it, without Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from verl.workers.rollout.base import get_rollout_class
from verl.workers.rollout.replica import RolloutReplicaRegistry

from r1ci_plugin.rollout.cpu import replica
from r1ci_plugin.rollout.cpu.replica import CPUReplica, ServerAdapter
from r1ci_plugin.rollout.cpu.server import CPUServer
from r1ci_plugin.weights import digest

Make = Callable[..., Any]
PROMPT = list(range(5, 45))


@pytest.fixture
def server(tmp_path: Path, make_model: Make, tokenizer: Any) -> Any:
    make_model().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    server = CPUServer(
        path=str(tmp_path), tokenizer_path=None, trust_remote_code=False, load_weights=False, prompt_length=60,
        response_length=30, ignore_eos=True, max_model_len=90, max_num_seqs=4, seed=0, threads=1,
    )  # fmt: skip
    yield server
    server._engine.close()


class RemoteCalls:
    """The handle of an actor in this process: `handle.method.remote(...)` is a call."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.buckets: list[int] = []

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if name == "load_weights":
                self.buckets.append(len(args[0]))
            return await getattr(self.actor, name)(*args, **kwargs)

        return SimpleNamespace(remote=call)


def adapter(monkeypatch: pytest.MonkeyPatch, handle: Any, rank: int, ranks: int, megabytes: int = 1) -> ServerAdapter:
    monkeypatch.setenv("RANK", str(rank))
    made = object.__new__(ServerAdapter)
    config = SimpleNamespace(
        tensor_model_parallel_size=ranks,
        data_parallel_size=1,
        pipeline_model_parallel_size=1,
        checkpoint_engine=SimpleNamespace(update_weights_bucket_megabytes=megabytes),
    )
    monkeypatch.setattr(replica.BaseRollout, "__init__", lambda self, config, *rest: setattr(self, "config", config))
    made.__init__(config, None, None)  # type: ignore[misc]
    made._server = handle
    return made


def test_synced_weights_are_the_trainers_by_digest(
    server: CPUServer, make_model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = make_model(5, hidden_size=256, head_dim=64).state_dict()
    model = make_model(6, hidden_size=256, head_dim=64)
    server._engine.close()
    from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine

    server._engine = EmbeddedEngine(model, max_model_len=90, max_num_seqs=4, threads=1)
    handle = RemoteCalls(server)

    async def main() -> tuple[str, Any]:
        sender = adapter(monkeypatch, handle, rank=0, ranks=2)
        await sender.update_weights(iter(state.items()), global_steps=7, base_sync_done=True)
        return await server.digest(), await server.generate(PROMPT, {"max_tokens": 2}, "r")

    received, output = asyncio.run(main())
    assert received == digest(state.items())
    assert len(handle.buckets) > 1 and sum(handle.buckets) == len(state)
    assert output.extra_fields["global_steps"] == 7


def test_every_rank_takes_part_in_gathering_but_only_the_first_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = []

    def weights() -> Any:
        for name in "abc":
            gathered.append(name)
            yield name, torch.ones(3)

    second = adapter(monkeypatch, None, rank=3, ranks=2)
    assert (second.replica_rank, second.rollout_rank) == (1, 1)
    asyncio.run(second.update_weights(weights(), global_steps=1))
    assert gathered == ["a", "b", "c"]


def test_unmerged_adapters_and_deltas_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = adapter(monkeypatch, None, rank=0, ranks=1)
    with pytest.raises(NotImplementedError, match=r"lora\.merge=true"):
        asyncio.run(sender.update_weights(iter(()), peft_config=object()))
    with pytest.raises(NotImplementedError, match="delta_flush"):
        asyncio.run(sender.update_weights(iter(()), wire_format="delta_flush"))


def test_the_server_answers_as_verls_do(server: CPUServer) -> None:
    async def main() -> None:
        await server.set_global_steps(3)
        free = await server.generate(PROMPT, {"temperature": 1.0, "logprobs": True}, "a")
        assert len(free.token_ids) == len(free.log_probs) == 30  # response_length
        assert (free.stop_reason, free.num_preempted, free.extra_fields["global_steps"]) == ("completed", 0, 3)
        late = await server.generate([*PROMPT, *PROMPT[:35]], {}, "b")
        assert len(late.token_ids) == 90 - 75  # what the trajectory has left
        assert len((await server.generate(PROMPT, {"max_tokens": 0}, "c")).token_ids) == 1
        with pytest.raises(ValueError, match="leaves no room"):
            await server.generate([5] * 90, {}, "d")
        with pytest.raises(ValueError, match="text"):
            await server.generate(PROMPT, {}, "e", image_data=["x"])

    asyncio.run(main())


def test_the_server_parks_and_rejects_as_verls_do(server: CPUServer) -> None:
    async def main() -> None:
        assert await server.abort_all_requests() == {"aborted_count": 0, "request_ids": []}
        parked = asyncio.create_task(server.generate(PROMPT, {"max_tokens": 2}, "a"))
        await asyncio.sleep(0.05)
        assert not parked.done()
        await server.resume_generation()
        assert len((await parked).token_ids) == 2
        await server.abort_all_requests(reject_request=True)
        assert (await server.generate(PROMPT, {}, "b")).stop_reason == "aborted"
        await server.resume_generation()
        assert await server.abort_request("nobody") == {"aborted": False, "request_id": "nobody"}

    asyncio.run(main())


def test_the_server_has_every_method_verl_calls() -> None:
    import inspect

    from verl.workers.rollout.replica import RolloutReplica

    source = inspect.getsource(RolloutReplica)
    called = {part.split(".remote")[0] for part in source.split("server.")[1:] if ".remote" in part[:60]}
    assert {"wake_up", "sleep", "resume_generation"} <= called
    assert not {name for name in called if not hasattr(CPUServer, name)}


def test_verl_finds_both_ends_by_name() -> None:
    replica.register()
    assert RolloutReplicaRegistry.get("r1ci_cpu") is CPUReplica
    assert get_rollout_class("r1ci_cpu", "async") is ServerAdapter


def test_server_names_are_of_one_job_and_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    job = SimpleNamespace(get_job_id=lambda: "04000000")
    monkeypatch.setattr(replica.ray, "get_runtime_context", lambda: job)
    names = {replica.server_name(0), replica.server_name(1), replica.server_name(0, "reward")}
    job.get_job_id = lambda: "05000000"
    names.add(replica.server_name(0))
    assert len(names) == 4
