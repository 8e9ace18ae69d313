"""The agent loop's figures: a step with the simulated GPUs against the ideal, against code run inline, and its cost.

What the plugin does is measured in real time; what it is compared with is simulated without any overhead
(`timeline.py`). GPUs and code run `time_scale` times faster than they would, and so our own work, which does not,
weighs as many times more: every figure is worse than it would be at full length. Left out: many workers (`nodes.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from r1ci_plugin.bench.figures import Figure
from r1ci_plugin.bench.rollout import timeline
from r1ci_plugin.bench.rollout.parameters import PROFILES, Layout, Parameters
from r1ci_plugin.bench.rollout.phases import Mode
from r1ci_plugin.bench.rollout.timeline import StepTimes
from r1ci_plugin.bench.rollout.worker import Measured, run_step
from r1ci_plugin.bench.rollout.workload import make_workload

SIMULATED: Mapping[Mode, Callable[..., StepTimes]] = {
    "async": timeline.ideal,
    "stepwise": timeline.stepwise,
    "inline": timeline.inline,
}


@dataclass(frozen=True, slots=True)
class Run:
    """A step to be measured. slots: code calls at once; sleeping ones cost memory alone."""

    parameters: Parameters
    time_scale: float
    slots: int
    mode: Mode = "async"

    def __str__(self) -> str:
        return f"{self.parameters.layout.trajectories} trajectories, {self.parameters.profile}, {self.mode}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A measured step and the simulated ones for the same trajectories."""

    run: Run
    measured: Measured
    simulated: Mapping[Mode, StepTimes]

    @property
    def vs_ideal(self) -> float:
        """The step against the same way of doing it without overhead."""
        return self.measured.step_s / self.simulated[self.run.mode].step_s

    def detail(self) -> dict[str, Any]:
        """The numbers behind the figures."""
        took = self.measured
        return {
            "trajectories": took.trajectories,
            "calls": took.calls,
            "time_scale": self.run.time_scale,
            "step_s": round(took.step_s, 2),
            "simulated_s": {mode: round(times.step_s, 2) for mode, times in self.simulated.items()},
            "vs_ideal": round(self.vs_ideal, 4),
            "gpu_busy_share": round(took.busy_share, 4),
            "code_wait_share": round(took.code_wait_share, 4),
            "code_wait_share_ideal": round(self.simulated["async"].code_wait_share, 4),
            "queue_ms_per_call": round(1e3 * took.queue_s / max(1, took.calls), 2),
            "overhead_ms": round(took.overhead_ms, 3),
            "peak_mb": round(took.peak_mb),
            "lost": took.lost,
        }


def measured(run: Run) -> Outcome:
    """Do the step. Trajectories that were lost to the infrastructure are an error: nothing here may fail."""
    workload = make_workload(run.parameters, run.time_scale)
    simulated = {mode: how(workload.trajectories, run.parameters) for mode, how in SIMULATED.items()}
    took = run_step(workload, run.parameters, time_scale=run.time_scale, slots=run.slots, mode=run.mode)
    return Outcome(run, took, simulated)


AGAIN = ("mixed again", "mixed once more")
"""Further readings of the processor time, which is a difference and wanders by a fifth from run to run."""


def runs(quick: bool) -> dict[str, Run]:
    """What is measured, by name. Quick has one profile, a smaller large step, and shorter times."""
    mixed, large = Parameters(), Parameters(layout=Layout(trajectories=1_024 if quick else 4_096))
    if quick:
        return {"mixed": Run(mixed, 8, 128), "large": Run(large, 8, 256)}
    barrier = Parameters(profile="fast", layout=Layout(trajectories=128))
    return {
        **{name: Run(Parameters(profile=name), 8 if name == "limit" else 4, 128) for name in PROFILES},
        **{name: Run(mixed, 4, 128) for name in AGAIN},
        "large": Run(large, 1, 512),
        "stepwise": Run(barrier, 4, 128, "stepwise"),
        "inline": Run(barrier, 4, 128, "inline"),
    }


def figures(outcomes: Mapping[str, Outcome]) -> list[Figure]:
    """Everything against its bar. Each figure is that of the `mixed` profile, but for the step against the ideal, which
    is that of the worst profile. The processor time is the median of its readings."""
    mixed, large = outcomes["mixed"], outcomes["large"]
    inline_s = mixed.simulated["inline"].step_s
    profiles = {name: outcomes[name] for name in PROFILES if name in outcomes}
    worst = max(profiles.values(), key=lambda outcome: outcome.vs_ideal)
    shares = {name: round(outcome.measured.code_wait_share, 4) for name, outcome in profiles.items()}
    barriers = {
        f"{mode}_measured_vs_simulated": round(outcomes[mode].vs_ideal, 4)
        for mode in ("stepwise", "inline")
        if mode in outcomes
    }
    took = mixed.measured
    readings = [outcomes[name].measured.overhead_ms for name in ("mixed", *AGAIN) if name in outcomes]
    parts = {
        "verl_ms": 1e3 * took.verl_cpu_s / took.trajectories,
        "verifier_ms": 1e3 * took.verifier_cpu_s / took.trajectories,
        "executor_ms": 1e3 * took.executor_cpu_s / took.trajectories,
    }
    return [
        Figure.judged(
            "rollout_step_vs_inline", took.step_s / inline_s, "<= 0.42", inline_s=round(inline_s, 1), **barriers
        ),
        Figure.judged(
            "rollout_step_vs_ideal",
            worst.vs_ideal,
            "<= 1.05",
            **{name: outcome.detail() for name, outcome in profiles.items()},
        ),
        Figure.judged("rollout_step_vs_ideal_large", large.vs_ideal, "<= 1.10", **large.detail()),
        Figure.judged(
            "rollout_code_wait_share", took.code_wait_share, "<= 0.02", profiles=shares, busy=round(took.busy_share, 4)
        ),
        Figure.judged(
            "rollout_overhead_ms",
            median(readings),
            "<= 3",
            readings=[round(ms, 3) for ms in readings],
            **{name: round(ms, 3) for name, ms in parts.items()},
            large=round(large.measured.overhead_ms, 3),
        ),
    ]
