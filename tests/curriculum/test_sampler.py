"""The sampler: every question once an epoch, shares as the weights ask, and the same order after any restart."""

import pickle
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.curriculum.sampler import CurriculumSampler

GROUPS = st.lists(st.integers(0, 4), min_size=1, max_size=60).filter(any)
SEEDS = st.integers(0, 5)


@given(GROUPS, SEEDS, st.integers(1, 4))
def test_every_question_comes_once_an_epoch_and_those_of_group_0_never(
    groups: list[int], seed: int, epochs: int
) -> None:
    sampler = CurriculumSampler(groups, seed=seed)
    wanted = [row for row, group in enumerate(groups) if group]
    for _ in range(epochs):
        assert sorted(sampler) == wanted


@given(GROUPS, st.integers(1, 4), SEEDS)
def test_stage_s_draws_all_that_stage_s_minus_1_draws_and_nothing_above_it(
    groups: list[int], stage: int, seed: int
) -> None:
    weights = [float(group <= stage) for group in range(1, 5)]
    wanted = {row for row, group in enumerate(groups) if 1 <= group <= stage}
    if not wanted:
        with pytest.raises(ValueError, match="no question lies"):
            CurriculumSampler(groups, weights, seed=seed)
        return
    drawn = set(CurriculumSampler(groups, weights, seed=seed))
    assert drawn == wanted
    assert drawn >= {row for row, group in enumerate(groups) if 1 <= group <= stage - 1}


@st.composite
def samplers(draw: st.DrawFn) -> Any:
    """A recipe for equal samplers: groups, tasks or none, weights, seed."""
    groups = draw(GROUPS)
    tasks = draw(st.none() | st.lists(st.sampled_from("abc"), min_size=len(groups), max_size=len(groups)))
    weights = draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.0]), min_size=4, max_size=4))
    if not any(weights[group - 1] for group in groups if group):
        weights = [1.0] * 4
    seed = draw(SEEDS)
    return lambda: CurriculumSampler(groups, weights, tasks=tasks, seed=seed)


def act(sampler: CurriculumSampler, steps: list[str]) -> list[int]:
    """Draws, and now and then other weights or other groups."""
    rows = []
    for step in steps:
        if step == "draw":
            rows.append(sampler.draw())
        elif step == "reweight":
            sampler.reweight([1.0, 1.0, 0.5, 0.25] if sampler.weights != (1.0, 1.0, 0.5, 0.25) else [1.0] * 4)
        else:
            sampler.regroup([1 + (row * 7) % 4 for row in range(len(sampler.groups))], [1.0] * 4)
    return rows


STEPS = st.lists(st.sampled_from(["draw"] * 8 + ["reweight", "regroup"]), max_size=80)


@given(samplers(), STEPS, STEPS)
def test_a_restart_anywhere_goes_on_with_the_undisturbed_order(make: Any, before: list[str], after: list[str]) -> None:
    undisturbed = make()
    expected = act(undisturbed, before + after)
    first = make()
    drawn = act(first, before)
    second = make()
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    assert second.state_dict() == first.state_dict()
    assert drawn + act(second, after) == expected


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.25, 0.5, 2.0]), SEEDS)
def test_groups_are_drawn_in_the_shares_their_weights_ask_for(few: int, many: int, weight: float, seed: int) -> None:
    groups = [1] * few + [2] * many
    sampler = CurriculumSampler(groups, (1.0, weight), seed=seed)
    count = 200
    drawn = Counter(groups[sampler.draw()] for _ in range(count))
    assert abs(drawn[1] - count * few / (few + weight * many)) <= 1


def test_balanced_tasks_come_alike_however_many_questions_they_have() -> None:
    tasks = ["big"] * 90 + ["small"] * 6 + ["tiny"] * 3
    sampler = CurriculumSampler([1] * 60 + [2] * 39, tasks=tasks, seed=3)
    drawn = Counter(tasks[sampler.draw()] for _ in range(300))
    assert all(abs(count - 100) <= 2 for count in drawn.values()), drawn


def test_a_deck_is_drawn_to_its_end_before_a_question_comes_again_though_weights_change() -> None:
    sampler = CurriculumSampler([1] * 10 + [2] * 10, (1.0, 0.0))
    first = [sampler.draw() for _ in range(4)]
    sampler.reweight((1.0, 1.0))
    rest = [row for row in (sampler.draw() for _ in range(13)) if row < 10]
    assert len(set(first + rest[:6])) == len(first + rest[:6])


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    sampler = CurriculumSampler([1] * 50)
    assert list(sampler) != list(sampler)
    assert list(CurriculumSampler([1] * 50, seed=0)) != list(CurriculumSampler([1] * 50, seed=1))
    assert (sampler.epoch, len(sampler)) == (2, 50)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (CurriculumSampler([1] * 20), "rows"),
        (CurriculumSampler([1] * 9 + [2]), "rows"),
        (CurriculumSampler([1] * 10, seed=1), "seed 1"),
        (CurriculumSampler([1] * 10, tasks=["a"] * 10), "rows"),
    ],
)
def test_the_state_of_other_rows_groups_or_seeds_is_refused(other: CurriculumSampler, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CurriculumSampler([1] * 10).load_state_dict(other.state_dict())


@pytest.mark.parametrize("groups", [[], [-1, 1], [200]])
def test_groups_that_are_none_are_refused(groups: list[int]) -> None:
    with pytest.raises(ValueError):
        CurriculumSampler(groups)


def test_torchs_loaders_take_it_as_a_sampler_and_go_on_where_they_were_saved() -> None:
    from torchdata.stateful_dataloader import StatefulDataLoader

    def loader() -> Any:
        sampler = CurriculumSampler([1, 2, 0] * 10, seed=1)
        return StatefulDataLoader(list(range(30)), batch_size=3, sampler=sampler)

    expected = [batch.tolist() for batch in loader()]
    assert sorted(row for batch in expected for row in batch) == [row for row in range(30) if row % 3 != 2]
    first = loader()
    walk = iter(first)
    drawn = [next(walk).tolist() for _ in range(2)]
    second = loader()
    second.load_state_dict(first.state_dict())
    assert drawn + [batch.tolist() for batch in second] == expected
