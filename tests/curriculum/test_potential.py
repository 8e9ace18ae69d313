"""Potential is exact where groups are decided, and its alternatives say what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.curriculum import improvement_potential
from r1ci_plugin.curriculum.groups import Grouping, equal_parts
from r1ci_plugin.curriculum.interval import INTERVALS
from r1ci_plugin.curriculum.potential import POTENTIALS, form_of, potential_interval

FORMS = st.sampled_from(sorted(POTENTIALS))
CHANCES = st.sampled_from([0.0, 0.25, 0.5])


def test_4_and_16_of_20_right_share_group_1_which_floats_would_part() -> None:
    assert 4 * 0.8 * (1 - 0.8) < 0.64
    assert improvement_potential(4, 20) == improvement_potential(16, 20) == 0.64
    assert Grouping().group(4, 20) == Grouping().group(16, 20) == 1


def test_the_groups_of_20_answers_are_those_of_the_paper() -> None:
    groups = [Grouping().group(right, 20) for right in range(21)]
    assert groups == [4, 4, 3, 2, *[1] * 13, 2, 3, 4, 4]


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), FORMS, CHANCES)
def test_every_potential_lies_in_0_to_1_and_one_of_them_in_one_group(
    counts: tuple[int, int], form: str, chance: float
) -> None:
    potential = improvement_potential(*counts, form, chance)
    assert 0 <= potential <= 1
    thresholds = (1.1, *Grouping().thresholds, -1.0)
    found = [number + 1 for number in range(4) if thresholds[number + 1] <= potential < thresholds[number]]
    assert found == [Grouping(form=form).group(*counts, chance)]


@given(FORMS, CHANCES)
def test_a_form_is_1_at_its_peak_and_falls_to_both_sides(form: str, chance: float) -> None:
    from fractions import Fraction

    chosen, level = form_of(form), Fraction(str(chance))
    peak = chosen.peak(level)
    assert chosen.value(peak, level) == 1
    left = [chosen.value(peak * Fraction(step, 10), level) for step in range(11)]
    right = [chosen.value(peak + (1 - peak) * Fraction(step, 10), level) for step in range(11)]
    assert left == sorted(left) and right == sorted(right, reverse=True)


def test_asymmetric_forms_tell_a_hard_question_from_an_easy_one() -> None:
    assert improvement_potential(4, 20) == improvement_potential(16, 20)
    assert improvement_potential(4, 20, "harder") > improvement_potential(16, 20, "harder")
    assert improvement_potential(4, 20, "easier") == improvement_potential(16, 20, "harder")


def test_a_coin_flip_on_a_yes_no_question_has_no_corrected_potential() -> None:
    assert improvement_potential(10, 20) == 1
    assert improvement_potential(10, 20, "chance_corrected", chance=0.5) == 0
    assert improvement_potential(8, 20, "chance_corrected", chance=0.5) == 0
    assert improvement_potential(15, 20, "chance_corrected", chance=0.5) == 1
    assert improvement_potential(15, 20, "chance_corrected") == improvement_potential(15, 20)


def test_group_variance_is_the_share_of_groups_of_five_with_signal() -> None:
    rng = np.random.default_rng(0)
    for right in (2, 7, 10):
        answers = rng.random((200_000, 5)) < right / 20
        mixed = (answers.any(axis=1) & ~answers.all(axis=1)).mean()
        assert improvement_potential(right, 20, "group_variance") == pytest.approx(mixed * 16 / 15, abs=0.01)


@given(
    st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    FORMS,
    CHANCES,
    st.sampled_from(sorted(INTERVALS)),
)
def test_the_interval_of_potential_is_the_image_of_that_of_the_pass_rate(
    counts: tuple[int, int], form: str, chance: float, kind: str
) -> None:
    from fractions import Fraction

    low, high = INTERVALS[kind](*counts, 0.95)
    ends = potential_interval((low, high), form, chance)
    inside = [
        float(form_of(form).value(Fraction(p), Fraction(str(chance)))) for p in np.linspace(low, high, 201).tolist()
    ]
    assert ends[0] == pytest.approx(min(inside), abs=1e-9)
    assert max(inside) - 1e-9 <= ends[1] <= max(inside) + 0.01
    assert ends[0] - 1e-9 <= improvement_potential(*counts, form, chance) <= ends[1] + 1e-9


@pytest.mark.parametrize(
    "arguments", [(0, 0), (3, 2), (-1, 5), (1, 5, "nonsense"), (1, 5, "paper", 1.0), (1, 5, "paper", -0.1)]
)
def test_what_cannot_be_measured_is_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError):
        improvement_potential(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("thresholds", [(), (0.3, 0.6), (0.5, 0.5), (1.0, 0.5), (0.5, 0.0)])
def test_thresholds_that_do_not_fall_are_refused(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="fall"):
        Grouping(thresholds)


@given(
    st.dictionaries(st.text(max_size=4), st.sampled_from([0.0, 0.19, 0.64, 1.0]), min_size=1, max_size=40),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_equal_parts_are_equal_ordered_and_the_same_for_any_order_of_names(
    values: dict[str, float], count: int, seed: int
) -> None:
    if count > len(values):
        with pytest.raises(ValueError, match="cannot be cut"):
            equal_parts(values, count, seed)
        return
    groups = equal_parts(values, count, seed)
    sizes = [list(groups.values()).count(group) for group in range(1, count + 1)]
    assert sum(sizes) == len(values) and max(sizes) - min(sizes) <= 1
    for name, group in groups.items():
        assert all(values[name] >= values[other] for other, lower in groups.items() if lower > group)
    assert equal_parts(dict(reversed(values.items())), count, seed) == groups


def test_another_seed_breaks_ties_in_another_way() -> None:
    values = dict.fromkeys(map(str, range(40)), 1.0)
    assert equal_parts(values, 2, seed=0) != equal_parts(values, 2, seed=1)
