"""The CPU rollout engine against `transformers.generate` and vLLM on the same random tiny policy, tokens a second.

Two workloads. *Mixed lengths*: distinct prompts, one turn each, every one with its own number of tokens to sample;
`generate` has to go on until its longest row ends, and only asked-for tokens count for both. *Trajectories*: samples of
few questions over three turns; `generate` reads the whole context again at every turn. The engine starts every round
with empty caches. vLLM takes part where `R1CI_BENCH_VLLM` names a Python that has it (`vllm_engine.py`). Each contender
has a process of its own and OpenMP's own way of waiting, as a server alone on its machine; the engine is measured
once more with the sleeping threads of a job (`r1ci_plugin/threads.py`), beside the figure. Left out: a trained policy
(the lengths are imposed), Ray and the interpreter.
"""

from __future__ import annotations

import os
import random
from functools import partial

from r1ci_plugin.bench.figures import Figure, interleaved, medians
from r1ci_plugin.bench.rollout.contenders import CONTEXT, RESULT, VOCABULARY, Apart, Job, tiny_policy
from r1ci_plugin.bench.rollout.vllm_engine import PYTHON, VllmEngine

TURN = 60
"""Tokens of a turn in the trajectories."""


def measure(quick: bool = False) -> list[Figure]:
    """Each workload against each contender. Needs no network and no files."""
    rows, rounds = (32, 3) if quick else (128, 5)
    ours = {"engine": Apart("engine", rows), "engine_in_a_job": Apart("engine", rows, sleeping_threads=True)}
    apart = {**ours, "generate": Apart("generate", rows)}
    vllm = VllmEngine(os.environ[PYTHON], tiny_policy(), CONTEXT, rows) if PYTHON in os.environ else None
    try:
        found = []
        for name, jobs, turns in (("mixed_lengths", mixed_lengths(rows), 1), ("trajectories", trajectories(rows), 3)):
            contenders = {who: partial(one.rate, jobs, turns) for who, one in apart.items()}
            if vllm:
                contenders["vllm"] = partial(vllm.rate, jobs, turns, RESULT)
            interleaved(contenders, 1)  # what is made on first use
            found += _figures(name, medians(interleaved(contenders, rounds)), rows, vllm)
        return found
    finally:
        for one in apart.values():
            one.close()
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
