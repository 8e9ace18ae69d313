"""From one machine to many nodes: a model of what worker processes and executors need, and how well it fits here.

A worker process is one event loop, so it does at most one second of work a second; the cores of a machine do not do
more either, for all that runs on them. What a trajectory costs of both is measured with one worker whose GPUs are
infinitely fast; the model says how long it then takes several such workers to get a step done, and that is measured.
Left out: the driver of verl and its data plane, which are not ours and grow with the batch.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt
from multiprocessing.synchronize import Barrier
from time import monotonic
from typing import Any

from r1ci_plugin.bench.rollout.parameters import Layout, Parameters
from r1ci_plugin.bench.rollout.worker import Measured, run_step
from r1ci_plugin.bench.rollout.workload import make_workload

NO_TIME = 1_000.0
"""The time scale at which GPUs and code take no time to speak of."""
GPUS_PER_NODE = 8
WORKER_BUSY = 0.5
"""How busy a worker process may be, so that answers don't wait for one another."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Processor seconds a trajectory."""

    worker_s: float
    """In the worker process."""
    others_s: float
    """In verifiers and executor."""

    @classmethod
    def of(cls, took: Measured) -> Demand:
        """As measured, the simulation included where the process had to do it."""
        worker_s = took.loop_cpu_s + took.simulation_cpu_s
        return cls(worker_s / took.trajectories, (took.verifier_cpu_s + took.executor_cpu_s) / took.trajectories)

    def step_s(self, trajectories: int, workers: int, cores: int) -> float:
        """Seconds until so many trajectories are done by so many workers, if nothing else takes time."""
        return trajectories * max(self.worker_s / min(workers, cores), (self.worker_s + self.others_s) / cores)


def saturated(parameters: Parameters, workers: int, slots: int) -> tuple[float, Demand]:
    """Seconds of a step split over worker processes, with GPUs and code that take no time; and what the first worker's
    trajectories cost."""
    share = replace(parameters.layout, trajectories=parameters.layout.trajectories // workers)
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(workers)
    with context.Pool(workers, initializer=_keep, initargs=(together,)) as pool:
        jobs = [(replace(parameters, layout=share, seed=number), slots) for number in range(workers)]
        done = pool.starmap(_worker, jobs, chunksize=1)
    seconds = max(began + took.step_s / NO_TIME for began, took in done) - min(began for began, _ in done)
    return seconds, Demand.of(done[0][1])


def plan(took: Measured, nodes: Sequence[int] = (1, 4, 16, 64)) -> list[dict[str, Any]]:
    """What so many nodes of eight GPUs need beside the GPUs, for steps like the one measured on all of its GPUs.

    Workers are busy at most half of the time; slots are the mean number of calls at once (Little's law) and four
    standard deviations of a Poisson number.
    """
    demand = Demand.of(replace(took, simulation_cpu_s=0.0))
    rows = []
    for count in nodes:
        trajectories = count * GPUS_PER_NODE * Layout().trajectories_per_gpu
        scale = trajectories / took.trajectories
        at_once = scale * took.calls * took.call_s / took.step_s
        worker_cores = trajectories * demand.worker_s / took.step_s
        rows.append(
            {
                "nodes": count,
                "gpus": count * GPUS_PER_NODE,
                "trajectories": trajectories,
                "worker_processes": max(count, ceil(worker_cores / WORKER_BUSY)),
                "worker_cores": round(worker_cores, 2),
                "other_cores": round(trajectories * demand.others_s / took.step_s, 2),
                "calls_per_s": round(scale * took.calls / took.step_s, 1),
                "slots": ceil(at_once + 4 * sqrt(at_once)),
            }
        )
    return rows


def model_errors(demand: Demand, seconds: dict[int, float], trajectories: int, cores: int) -> dict[int, float]:
    """By number of workers: how far the model's step is from the measured one, as a share of it."""
    return {
        workers: demand.step_s(trajectories, workers, cores) / took - 1 for workers, took in sorted(seconds.items())
    }


_together: Barrier | None = None


def _keep(together: Barrier) -> None:
    global _together
    _together = together


def _worker(parameters: Parameters, slots: int) -> tuple[float, Measured]:
    """In a worker process: when the step began on the machine's clock, and what it took."""
    workload = make_workload(parameters, NO_TIME)
    began: list[float] = []

    def start() -> None:
        assert _together is not None
        _together.wait()
        began.append(monotonic())

    took = run_step(workload, parameters, time_scale=NO_TIME, slots=slots, on_start=start)
    return began[0], took
