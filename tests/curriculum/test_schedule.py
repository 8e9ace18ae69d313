"""Schedules: the method's stages and every ablation are weights over groups, at the same budget."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.schedule import RUNS, Schedule, Statistics, Weights, schedule_for

FOUR = Statistics((10, 10, 10, 10))


def schedule(name: str = "stages", stage: int = 1, **curriculum: Any) -> Schedule:
    return schedule_for(settings_from({"r1ci": {"stage": stage, "curriculum": {"schedule": name, **curriculum}}}))


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_stage_s_opens_groups_1_to_s_in_every_step(stage: int) -> None:
    expected = tuple(float(group <= stage) for group in range(1, 5))
    assert {schedule(stage=stage).weights(step, FOUR) for step in (1, 75, 150)} == {expected}


def test_no_curriculum_opens_all_groups_and_reverse_the_lowest_first() -> None:
    assert schedule("all").weights(1, FOUR) == (1, 1, 1, 1)
    assert schedule("reverse", stage=1).weights(1, FOUR) == (0, 0, 0, 1)
    assert schedule("reverse", stage=3).weights(1, FOUR) == (0, 1, 1, 1)


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 40))
def test_any_number_of_stages_opens_one_group_after_the_other_over_the_budget_of_the_method(
    count: int, steps: int
) -> None:
    statistics = Statistics((5,) * count)
    opened = [
        int(sum(schedule(stage=stage, number_of_stages=count, steps=steps).weights(step, statistics)))
        for stage in range(1, RUNS + 1)
        for step in range(1, steps + 1)
    ]
    assert opened[0] == 1 and opened == sorted(opened)
    if RUNS * steps >= count:
        assert set(opened) == set(range(1, count + 1))
        spans = [opened.count(group) for group in set(opened)]
        assert max(spans) - min(spans) <= 1


def test_four_stages_by_number_are_the_methods_own() -> None:
    for stage in range(1, 5):
        by_number = schedule(stage=stage, number_of_stages=4)
        assert all(by_number.weights(step, FOUR) == schedule(stage=stage).weights(step, FOUR) for step in (1, 150))


def test_online_merge_cuts_anew_every_few_steps_and_others_never() -> None:
    online = schedule("online_merge", recut_steps=10)
    assert [step for step in range(1, 31) if online.cuts_after(step)] == [10, 20, 30]
    assert not any(schedule(name).cuts_after(10) for name in ("stages", "all", "reverse"))


def test_online_merge_opens_the_next_group_where_the_policy_left_a_stage_no_question() -> None:
    online = schedule("online_merge", stage=1)
    assert online.weights(1, FOUR) == (1, 0, 0, 0)
    assert online.weights(1, Statistics((0, 0, 3, 4))) == (1, 1, 1, 0)
    with pytest.raises(ValueError, match="number_of_stages"):
        schedule("online_merge", number_of_stages=2)


class Halves(Schedule):
    """A schedule of one's own."""

    def weights(self, step: int, statistics: Statistics) -> Weights:
        return (0.5,) * statistics.groups


def test_a_schedule_of_ones_own_is_found_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("own_schedules")
    module.Halves, module.Number = Halves, lambda settings: 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_schedules", module)
    assert schedule("own_schedules:Halves").weights(1, FOUR) == (0.5,) * 4
    for wrong in ("own_schedules:Number", "own_schedules:Missing", "no_module_of_ours:X", "staged"):
        with pytest.raises(ValueError, match=wrong.partition(":")[0]):
            schedule(wrong)
