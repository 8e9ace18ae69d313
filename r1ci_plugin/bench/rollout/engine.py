"""The CPU rollout engine against `transformers.generate` on the same random tiny policy, tokens a second.

Two workloads. *Mixed lengths*: distinct prompts, one turn each, every one with its own number of tokens to sample;
`generate` has to go on until its longest row ends, and only asked-for tokens count for both. *Trajectories*: samples of
few questions over three turns; `generate` reads the whole context again at every turn. The engine starts every round
with empty caches. Left out: a trained policy (the lengths are imposed), Ray and the interpreter.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from r1ci_plugin.bench.figures import Figure, interleaved, medians
from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine

VOCABULARY = 1_500
CONTEXT = 1_024
TURN = 60
"""Tokens of a turn in the trajectories; `RESULT` tokens of execution result follow it."""
RESULT = 20
Job = tuple[list[int], int]
"""A prompt and how many tokens to sample after it."""


def measure(quick: bool = False) -> list[Figure]:
    """Both figures. Needs no network and no files."""
    rows, rounds = (32, 3) if quick else (128, 5)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    jobs, questions = mixed_lengths(rows), trajectories(rows)
    engine = EmbeddedEngine(tiny_policy(), max_model_len=CONTEXT, max_num_seqs=rows)
    plain = tiny_policy()
    try:
        workloads = {
            "rollout_mixed_lengths": {
                "engine": lambda: asyncio.run(_engine_rate(engine, jobs, turns=1)),
                "generate": lambda: _generate_rate(plain, jobs, turns=1),
            },
            "rollout_trajectories": {
                "engine": lambda: asyncio.run(_engine_rate(engine, questions, turns=3)),
                "generate": lambda: _generate_rate(plain, questions, turns=3),
            },
        }
        return [_figure(name, medians(interleaved(two, rounds)), rows) for name, two in workloads.items()]
    finally:
        engine.close()


def _figure(name: str, rates: dict[str, float], rows: int) -> Figure:
    detail = {f"{who}_tokens_per_s": round(rate) for who, rate in rates.items()}
    return Figure.judged(name, rates["engine"] / rates["generate"], ">= 1.5", rows=rows, **detail)


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
