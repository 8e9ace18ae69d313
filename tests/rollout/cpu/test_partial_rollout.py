"""A trajectory that is interrupted for new weights, by verl's own client of the asynchronous modes and our server.

Its first tokens have the log-probs of the old weights, the others those of the new ones over the whole text before
them: nothing of the old weights is left in a cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from verl.workers.rollout.llm_server import FullyAsyncLLMServerClient

from r1ci_plugin.rollout.cpu.server import CPUServer

PROMPT, LENGTH = list(range(5, 45)), 110
Make = Callable[..., Any]


@pytest.fixture
def server(tmp_path: Path, make_model: Make, tokenizer: Any) -> Any:
    make_model(0).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    server = CPUServer(
        path=str(tmp_path), tokenizer_path=None, trust_remote_code=False, load_weights=True, prompt_length=40,
        response_length=LENGTH, ignore_eos=True, max_model_len=160, max_num_seqs=4, seed=0, threads=1,
    )  # fmt: skip
    yield server
    server._engine.close()


class Handle:
    """The server as an actor handle, which remembers how many tokens each answer had."""

    def __init__(self, server: CPUServer) -> None:
        self.parts: list[int] = []

        async def generate(**kwargs: Any) -> Any:
            output = await server.generate(**kwargs)
            self.parts.append(len(output.token_ids))
            return output

        self.generate = SimpleNamespace(remote=generate)


def client_of(handle: Handle) -> FullyAsyncLLMServerClient:
    """verl's client without its load balancer, which lives in an actor."""

    class Client(FullyAsyncLLMServerClient):  # type: ignore[misc]
        async def _acquire_server(self, request_id: str, **extra: Any) -> tuple[str, Any]:
            return "only", handle

        def _release_server(self, server_id: str, request_id: str | None = None) -> None:
            pass

    rollout = SimpleNamespace(name="r1ci_cpu", response_length=LENGTH, full_determinism=False)
    return Client(SimpleNamespace(actor_rollout_ref=SimpleNamespace(rollout=rollout)))


async def interrupted(server: CPUServer, client: Any, weights: Any) -> Any:
    """One call of generate, with an update of weights in its middle as verl's checkpoint manager does it."""
    await server.set_global_steps(0)
    sampling = {"temperature": 1.0, "max_tokens": LENGTH, "logprobs": True}
    running = asyncio.create_task(client.generate("trajectory", prompt_ids=PROMPT, sampling_params=sampling))
    while (await server.statistics())["sampled_tokens"] < 5:
        await asyncio.sleep(0)
    await server.abort_all_requests()
    await server.release_kv_cache()
    await server.load_weights(weights, True, 1)
    await server.resume_kv_cache()
    await server.resume_generation()
    return await running


def test_an_interrupted_trajectory_goes_on_with_the_new_weights_alone(
    server: CPUServer, make_model: Make, reference: Make
) -> None:
    handle = Handle(server)
    output = asyncio.run(interrupted(server, client_of(handle), make_model(1).state_dict()))
    cut = handle.parts[0]
    assert len(handle.parts) == 2 and 5 <= cut < LENGTH and len(output.token_ids) == LENGTH
    old = reference(PROMPT, output.token_ids, seed=0)
    new = reference(PROMPT, output.token_ids, seed=1)
    assert output.log_probs[:cut] == pytest.approx(old[:cut], abs=1e-4)
    assert output.log_probs[cut:] == pytest.approx(new[cut:], abs=1e-4)
    assert (output.extra_fields["min_global_steps"], output.extra_fields["max_global_steps"]) == (0, 1)
