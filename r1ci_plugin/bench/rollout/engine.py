"""The CPU rollout engine against `transformers.generate` and vLLM on the same random tiny policy, tokens a second.

Two workloads. *Mixed lengths*: distinct prompts, one turn each, every one with its own number of tokens to sample;
`generate` has to go on until its longest row ends, and only asked-for tokens count for both. *Trajectories*: samples of
few questions over three turns; `generate` reads the whole context again at every turn. The engine starts every round
with empty caches. vLLM takes part where `R1CI_BENCH_VLLM` names a Python that has it (`vllm_engine.py`). Left out: a
trained policy (the lengths are imposed), Ray and the interpreter.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from r1ci_plugin.bench.figures import Figure, interleaved, medians
from r1ci_plugin.bench.rollout.vllm_engine import PYTHON, VllmEngine
from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine

VOCABULARY = 1_500
CONTEXT = 1_024
TURN = 60
"""Tokens of a turn in the trajectories; `RESULT` tokens of execution result follow it."""
RESULT = 20
Job = tuple[list[int], int]
"""A prompt and how many tokens to sample after it."""


def measure(quick: bool = False) -> list[Figure]:
    """Each workload against each contender. Needs no network and no files."""
    rows, rounds = (32, 3) if quick else (128, 5)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    engine, plain = EmbeddedEngine(tiny_policy(), max_model_len=CONTEXT, max_num_seqs=rows), tiny_policy()
    vllm = VllmEngine(os.environ[PYTHON], tiny_policy(), CONTEXT, rows) if PYTHON in os.environ else None
    try:
        found = []
        for name, jobs, turns in (("mixed_lengths", mixed_lengths(rows), 1), ("trajectories", trajectories(rows), 3)):
            contenders = {
                "engine": partial(_run_engine, engine, jobs, turns),
                "generate": partial(_generate_rate, plain, jobs, turns),
                **({"vllm": partial(vllm.rate, jobs, turns, RESULT)} if vllm else {}),
            }
            interleaved(contenders, 1)  # what is made on first use
            found += _figures(name, medians(interleaved(contenders, rounds)), rows, vllm)
        return found
    finally:
        engine.close()
        if vllm:
            vllm.close()


def _figures(name: str, rates: dict[str, float], rows: int, vllm: VllmEngine | None) -> list[Figure]:
    per_s = {f"{who}_tokens_per_s": round(rate) for who, rate in rates.items()}
    against_generate = rates["engine"] / rates["generate"]
    figures = [Figure.judged(f"rollout_{name}", against_generate, ">= 1.5", rows=rows, **per_s)]
    if vllm:
        ratio = rates["engine"] / rates["vllm"]
        return [*figures, Figure.judged(f"rollout_{name}_against_vllm", ratio, ">= 1", vllm=vllm.version)]
    reason = f"{PYTHON} names no Python with vLLM for CPUs"
    return [*figures, Figure.judged(f"rollout_{name}_against_vllm", None, ">= 1", reason=reason)]


def _run_engine(engine: EmbeddedEngine, jobs: Sequence[Job], turns: int) -> float:
    return asyncio.run(_engine_rate(engine, jobs, turns))


def tiny_policy() -> Any:
    """About 1.5 million random parameters in the shape of the seed policy."""
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


def mixed_lengths(rows: int) -> list[Job]:
    """Distinct prompts of 200 to 400 tokens with 20 to 200 to sample."""
    chance = random.Random(0)
    return [(_tokens(chance, chance.randint(200, 400)), chance.randint(20, 200)) for _ in range(rows)]


def trajectories(rows: int) -> list[Job]:
    """Eight samples a question; the questions share a head prompt."""
    chance = random.Random(1)
    head = _tokens(chance, 200)
    questions = [head + _tokens(chance, chance.randint(60, 120)) for _ in range(-(-rows // 8))]
    return [(questions[row // 8], TURN) for row in range(rows)]


def _tokens(chance: random.Random, count: int) -> list[int]:
    return [chance.randrange(2, VOCABULARY) for _ in range(count)]


async def _engine_rate(engine: EmbeddedEngine, jobs: Sequence[Job], turns: int) -> float:
    await engine.forget()

    async def one(name: str, prompt: list[int], count: int) -> int:
        for turn in range(turns):
            params = {"max_tokens": count, "ignore_eos": True}
            got = await engine.generate(prompt, params, f"{name}.{turn}")
            prompt = prompt + got.token_ids + [2] * RESULT
        return turns * count

    started = perf_counter()
    counts = await asyncio.gather(*(one(str(i), prompt, count) for i, (prompt, count) in enumerate(jobs)))
    return sum(counts) / (perf_counter() - started)


@torch.inference_mode()
def _generate_rate(model: Any, jobs: Sequence[Job], turns: int) -> float:
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
