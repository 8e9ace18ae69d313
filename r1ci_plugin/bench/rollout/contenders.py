"""Who takes part in the rollout engine's benchmark, each in a process of its own: the engine, `transformers.generate`.

In one process the threads that one contender leaves behind slow the next one down: OpenMP no longer spins once there
are more threads than processors. Left out: vLLM, which needs another Python (`vllm_engine.py`); what is asked
(`engine.py`).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter
from typing import Any

VOCABULARY = 1_500
CONTEXT = 1_024
RESULT = 20
"""Tokens of an execution result, between two turns."""
Job = tuple[list[int], int]
"""A prompt and how many tokens to sample after it."""
Rate = Callable[[Sequence[Job], int], float]

_WAITING = "OMP_WAIT_POLICY"  # read when a process loads OpenMP


class Apart:
    """A contender (`engine` or `generate`) in its own process, on all processors this process may use."""

    def __init__(self, who: str, rows: int, *, sleeping_threads: bool = False) -> None:
        before = os.environ.pop(_WAITING, None)
        if sleeping_threads:
            os.environ[_WAITING] = "PASSIVE"
        try:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _start, (who, rows))
            self._pool.submit(os.getpid).result()  # it takes its environment when it starts
        finally:
            os.environ.pop(_WAITING, None)
            if before is not None:
                os.environ[_WAITING] = before

    def rate(self, jobs: Sequence[Job], turns: int) -> float:
        """Sampled tokens a second over `turns` turns of every job; `RESULT` tokens follow a turn."""
        return self._pool.submit(_rate, jobs, turns).result()

    def close(self) -> None:
        self._pool.shutdown()


def tiny_policy() -> Any:
    """About 1.5 million random parameters in the shape of the seed policy."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        eos_token_id=1,
        pad_token_id=0,
    )
    return Qwen2ForCausalLM(config).eval()


# ---- in the process of a contender

_contender: Rate


def _start(who: str, rows: int) -> None:
    global _contender
    _contender = {"engine": _engine, "generate": _generate}[who](rows)


def _rate(jobs: Sequence[Job], turns: int) -> float:
    return _contender(jobs, turns)


def _engine(rows: int) -> Rate:
    from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine
    from r1ci_plugin.threads import one_thread

    with one_thread():
        policy = tiny_policy()
    engine = EmbeddedEngine(policy, max_model_len=CONTEXT, max_num_seqs=rows)

    async def one(name: str, prompt: list[int], count: int, turns: int) -> int:
        for turn in range(turns):
            params = {"max_tokens": count, "ignore_eos": True}
            got = await engine.generate(prompt, params, f"{name}.{turn}")
            prompt = prompt + got.token_ids + [2] * RESULT
        return turns * count

    async def rate(jobs: Sequence[Job], turns: int) -> float:
        await engine.forget()
        started = perf_counter()
        counts = await asyncio.gather(*(one(str(i), *job, turns) for i, job in enumerate(jobs)))
        return sum(counts) / (perf_counter() - started)

    return lambda jobs, turns: asyncio.run(rate(jobs, turns))


def _generate(rows: int) -> Rate:
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model = tiny_policy()

    @torch.inference_mode()
    def rate(jobs: Sequence[Job], turns: int) -> float:
        prompts, counts = [prompt for prompt, _ in jobs], [count for _, count in jobs]
        started = perf_counter()
        for _ in range(turns):
            width = max(map(len, prompts))
            ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
            there = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
            longest = max(counts)
            options = {"do_sample": True, "top_k": 0, "max_new_tokens": longest, "eos_token_id": None}
            sampled = model.generate(ids, attention_mask=there, **options)[:, width:].tolist()
            taken = zip(prompts, sampled, counts, strict=True)
            prompts = [prompt + row[:count] + [2] * RESULT for prompt, row, count in taken]
        return turns * sum(counts) / (perf_counter() - started)

    return rate
