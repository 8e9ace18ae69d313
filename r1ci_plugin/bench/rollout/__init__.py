"""Benchmark of the rollout: the agent loop against a simulated token server, and the embedded CPU engine.

`parameters.py` holds all that was assumed, with its sources. The loop: `gpu.py` and `timeline.py` are the model, in
simulated time; `server.py`, `phases.py` and `worker.py` run the real loop against it, in real time; `loop.py` judges,
`nodes.py` looks past this machine, `variants.py` says what hangs on the assumptions. The engine: `engine.py`, and
vLLM beside it, `vllm_engine.py`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from r1ci_plugin.bench.figures import Figure
from r1ci_plugin.bench.rollout.parameters import Layout, Parameters

if TYPE_CHECKING:
    from r1ci_plugin.bench.rollout.loop import Outcome

MODEL_BAR = "<= 0.25"
"""Ours: how far the model of many workers may be from what is measured."""


def measure(quick: bool = False) -> list[Figure]:
    """All figures. Needs no network and no files."""
    from r1ci_plugin.bench.rollout import engine, loop

    outcomes = {}
    for name, run in loop.runs(quick).items():
        _say(str(run))
        outcomes[name] = loop.measured(run)
    found = [*loop.figures(outcomes), many_workers(outcomes["large"], quick)]
    _say("the CPU engine against transformers.generate")
    return [*found, *engine.measure(quick)]


def many_workers(large: Outcome, quick: bool) -> Figure:
    """What one worker cost, taken for 1, 2 and 4 of them (quick: 1 and 2), against them; and what 64 nodes need."""
    from r1ci_plugin.bench.rollout import nodes

    cores, count = len(os.sched_getaffinity(0)), 128 if quick else 512
    parameters = Parameters(profile="fast", layout=Layout(trajectories=count))
    seconds, demands = {}, {}
    for workers in (1, 2) if quick else (1, 2, 4):
        _say(f"{count} trajectories in no time, worker processes: {workers}")
        seconds[workers], demands[workers] = nodes.saturated(parameters, workers, slots=2 * cores)
    errors = nodes.model_errors(demands[1], seconds, count, cores)
    return Figure.judged(
        "rollout_worker_model_error",
        max(map(abs, errors.values())),
        MODEL_BAR,
        measured_s={workers: round(took, 2) for workers, took in seconds.items()},
        errors={workers: round(error, 3) for workers, error in errors.items()},
        plan=nodes.plan(large.measured),
    )


def sensitivity() -> list[dict[str, Any]]:
    """How the comparison changes with what was assumed."""
    from r1ci_plugin.bench.rollout import variants

    rows = []
    for name, parameters in variants.VARIANTS.items():
        _say(name)
        rows += variants.table({name: parameters})
    return rows


def _say(what: str) -> None:
    """Progress, for people."""
    print(f"rollout: {what}", file=sys.stderr, flush=True)
