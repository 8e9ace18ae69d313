"""The rollout benchmark end to end, with small numbers: real loop, executor and reward manager."""

from dataclasses import replace

import pytest

from r1ci_plugin.bench.rollout import loop, nodes, variants
from r1ci_plugin.bench.rollout.loop import Outcome, Run
from r1ci_plugin.bench.rollout.parameters import Layout, Parameters
from r1ci_plugin.bench.rollout.timeline import StepTimes
from r1ci_plugin.bench.rollout.worker import Measured
from r1ci_plugin.bench.rollout.workload import make_workload

SMALL = Parameters(profile="fast", layout=Layout(trajectories=12, trajectories_per_gpu=6))

TOOK = Measured(
    trajectories=1_000,
    calls=2_000,
    step_s=100.0,
    busy_share=0.9,
    code_wait_share=0.03,
    loop_cpu_s=4.0,
    verl_cpu_s=2.0,
    simulation_cpu_s=1.0,
    verifier_cpu_s=0.5,
    executor_cpu_s=5.0,
    call_s=0.5,
    queue_s=0.0,
    peak_mb=600.0,
    lost=0,
    right=500,
)


@pytest.mark.parametrize("mode", ["async", "stepwise", "inline"])
def test_every_way_of_doing_a_step_ends_with_all_trajectories_judged(mode: loop.Mode) -> None:
    parameters = replace(SMALL, trajectory=replace(SMALL.trajectory, right=1.0))
    outcome = loop.measured(Run(parameters, 50.0, 4, mode))
    calls = [turn for one in make_workload(parameters).trajectories for turn in one.turns if turn.code_s is not None]
    assert (outcome.measured.trajectories, outcome.measured.calls) == (12, len(calls))
    assert outcome.measured.lost == 0 and outcome.measured.right == 12
    assert outcome.vs_ideal > 0.99  # nobody is faster than the model without overhead
    assert 0 < outcome.measured.busy_share <= 1


def test_a_workload_is_the_same_each_time_and_shorter_only_in_its_sleeping() -> None:
    first, again, faster = make_workload(SMALL), make_workload(SMALL), make_workload(SMALL, 10.0)
    assert first.trajectories == again.trajectories
    drawn = [[turn.code_s for turn in one.turns] for one in first.trajectories]
    assert drawn == [[turn.code_s for turn in one.turns] for one in faster.trajectories]
    assert [len(one.turns) for one in first.trajectories] == [len(one.turns) for one in faster.trajectories]


def test_figures_are_judged_by_their_bars() -> None:
    simulated = {
        "async": StepTimes(98.0, 1.0, 0.0),
        "stepwise": StepTimes(200.0, 0.5, 0.4),
        "inline": StepTimes(300.0, 0.3, 0.6),
    }
    mixed = Outcome(Run(Parameters(), 4, 8), TOOK, simulated)
    slow = Outcome(Run(Parameters(profile="limit"), 4, 8), replace(TOOK, step_s=110.0), simulated)
    found = {one.name: one for one in loop.figures({"mixed": mixed, "limit": slow, "large": mixed})}
    assert found["rollout_step_vs_inline"].value == pytest.approx(100 / 300) and found["rollout_step_vs_inline"].met
    worst = found["rollout_step_vs_ideal"]
    assert worst.value == pytest.approx(110 / 98) and not worst.met
    assert found["rollout_step_vs_ideal_large"].met and not found["rollout_code_wait_share"].met
    assert found["rollout_overhead_ms"].value == pytest.approx(2.5) and found["rollout_overhead_ms"].met


def test_the_model_of_workers_is_bound_by_one_loop_first_and_by_the_cores_then() -> None:
    demand = nodes.Demand(worker_s=0.004, others_s=0.004)
    assert demand.step_s(1_000, 1, cores=2) == pytest.approx(4.0)
    assert demand.step_s(1_000, 2, cores=4) == pytest.approx(2.0)
    assert demand.step_s(1_000, 4, cores=2) == pytest.approx(4.0)
    assert nodes.model_errors(demand, {1: 5.0}, 1_000, 2) == {1: pytest.approx(-0.2)}


def test_the_plan_grows_with_the_nodes() -> None:
    one, sixty_four = nodes.plan(TOOK, (1, 64))
    assert (one["trajectories"], sixty_four["trajectories"]) == (4_096, 64 * 4_096)
    assert one["calls_per_s"] == pytest.approx(4_096 * 2 / 100, rel=0.01)
    assert one["slots"] > one["calls_per_s"] * 0.5  # Little: what runs at once
    assert sixty_four["worker_cores"] == pytest.approx(64 * one["worker_cores"], rel=0.05)
    assert sixty_four["worker_processes"] >= sixty_four["worker_cores"] / nodes.WORKER_BUSY


def test_sensitivity_shows_the_committed_case_beside_its_changes() -> None:
    small = {
        "as it is": SMALL,
        "slower code": replace(SMALL, code_time=5.0),
        "slower tokens": replace(SMALL, token_time=2.0),
    }
    base, code, tokens = variants.table(small)
    assert code["ideal_s"] >= base["ideal_s"] and code["inline_s"] > base["inline_s"]
    assert tokens["stepwise_s"] > 1.5 * base["stepwise_s"]
