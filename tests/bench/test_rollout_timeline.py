"""Steps in simulated time: the ideal is the longest path, and nobody beats it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r1ci_plugin.bench.rollout.parameters import GpuParameters, Layout, Parameters
from r1ci_plugin.bench.rollout.timeline import ideal, inline, makespan, shares, stepwise
from r1ci_plugin.bench.rollout.workload import ScriptedTrajectory, ScriptedTurn

GPU = GpuParameters(batch=(1, 2), step_ms=(10.0, 10.0), prefill_ms_per_token=0.0, max_running=256)
"""A token takes 10 ms, whatever the batch."""
ONE = Parameters(gpu=GPU, layout=Layout(trajectories=8, trajectories_per_gpu=8, inline_code_at_once=1))

turns = st.tuples(st.integers(1, 60), st.floats(0.01, 20))
steps = st.lists(st.lists(turns, min_size=0, max_size=3), min_size=1, max_size=8)


def trajectories(drawn: list[list[tuple[int, float]]]) -> list[ScriptedTrajectory]:
    made = []
    for number, calls in enumerate(drawn):
        code = [ScriptedTurn((number,) * tokens, seconds) for tokens, seconds in calls]
        made.append(ScriptedTrajectory((number,) * 5, (*code, ScriptedTurn((number,) * 10, None))))
    return made


def path_s(trajectory: ScriptedTrajectory) -> float:
    return sum(0.010 * len(turn.ids) + (turn.code_s or 0.0) for turn in trajectory.turns)


@given(steps)
@settings(max_examples=60)
def test_the_ideal_is_the_longest_path_and_no_barrier_is_faster(drawn: list[list[tuple[int, float]]]) -> None:
    todo = trajectories(drawn)
    best = ideal(todo, ONE)
    longest = max(map(path_s, todo))
    boundaries = 0.010 * max(len(one.turns) for one in todo)  # who returns waits for the end of a step
    assert longest - 1e-6 <= best.step_s <= longest + boundaries + 1e-6
    barrier, few = stepwise(todo, ONE), inline(todo, ONE)
    assert best.step_s - boundaries - 1e-6 <= barrier.step_s <= few.step_s + 1e-6
    for times in (best, barrier, few):
        assert times.code_wait_share >= 0 and times.busy_share + times.code_wait_share <= 1 + 1e-9


def test_inline_code_runs_one_call_after_the_other_while_nothing_is_sampled() -> None:
    todo = trajectories([[(10, 2.0)], [(10, 3.0)]])
    assert ideal(todo, ONE).step_s == pytest.approx(3.2, abs=0.02)
    assert stepwise(todo, ONE).step_s == pytest.approx(3.2, abs=0.02)
    assert inline(todo, ONE).step_s == pytest.approx(5.2, abs=0.02)
    assert inline(todo, ONE).code_wait_share == pytest.approx(5 / 5.2, abs=0.01)
    both = replace(ONE, layout=replace(ONE.layout, inline_code_at_once=2))
    assert inline(todo, both).step_s == pytest.approx(3.2, abs=0.02)


def test_calls_are_started_in_order_where_a_place_is_free() -> None:
    assert makespan([3.0, 1.0, 1.0, 1.0], 2) == pytest.approx(3.0)
    assert makespan([1.0, 1.0, 3.0], 2) == pytest.approx(4.0)
    assert makespan([1.0, 2.0], None) == pytest.approx(2.0)


def test_code_wait_is_when_nothing_runs_but_code() -> None:
    busy_share, wait_share = shares(10.0, [[(0.0, 4.0), (6.0, 8.0)]], [[(3.0, 7.0), (3.5, 6.5)]])
    assert (busy_share, wait_share) == (pytest.approx(0.6), pytest.approx(0.2))
