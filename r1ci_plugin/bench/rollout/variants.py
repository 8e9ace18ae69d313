"""How much the comparison of the three ways to do a step hangs on what was assumed. Simulated, without overhead."""

from __future__ import annotations

from typing import Any

from r1ci_plugin.bench.rollout import timeline
from r1ci_plugin.bench.rollout.parameters import Layout, Parameters
from r1ci_plugin.bench.rollout.workload import make_workload

VARIANTS: dict[str, Parameters] = {
    "as committed": Parameters(),
    "code 30 % faster": Parameters(code_time=0.7),
    "code 30 % slower": Parameters(code_time=1.3),
    "tokens 30 % faster": Parameters(token_time=0.7),
    "tokens 30 % slower": Parameters(token_time=1.3),
    "no batch slow-down": Parameters(slow_down=0.0),
    "twice the batch slow-down": Parameters(slow_down=2.0),
    "inline: 1 call at once": Parameters(layout=Layout(inline_code_at_once=1)),
    "inline: 4 calls at once": Parameters(layout=Layout(inline_code_at_once=4)),
    "inline: 16 calls at once": Parameters(layout=Layout(inline_code_at_once=16)),
    "640 trajectories, 16 GPUs (the paper's)": Parameters(layout=Layout(640, 40)),
    "4,096 trajectories, 8 GPUs": Parameters(layout=Layout(4_096)),
    "profile fast": Parameters(profile="fast"),
    "profile limit": Parameters(profile="limit"),
    "other draws": Parameters(seed=1),
}


def table(variants: dict[str, Parameters]) -> list[dict[str, Any]]:
    """A row for each variant: seconds of a step done each way, and the ideal against the other two."""
    return [_row(name, parameters) for name, parameters in variants.items()]


def _row(name: str, parameters: Parameters) -> dict[str, Any]:
    trajectories = make_workload(parameters).trajectories
    ideal = timeline.ideal(trajectories, parameters)
    stepwise = timeline.stepwise(trajectories, parameters)
    inline = timeline.inline(trajectories, parameters)
    return {
        "assumption": name,
        "ideal_s": round(ideal.step_s, 1),
        "stepwise_s": round(stepwise.step_s, 1),
        "inline_s": round(inline.step_s, 1),
        "ideal_vs_stepwise": round(ideal.step_s / stepwise.step_s, 3),
        "ideal_vs_inline": round(ideal.step_s / inline.step_s, 3),
        "code_wait_share_ideal": round(ideal.code_wait_share, 4),
        "code_wait_share_inline": round(inline.code_wait_share, 4),
    }
