"""The curriculum's benchmark: resuming really is exact, and simulations give what is expected."""

from __future__ import annotations

import numpy as np
import pytest

from r1ci_plugin.bench import curriculum


def test_the_order_after_kill_9_at_20_random_points_is_the_undisturbed_order() -> None:
    figure = curriculum.resuming()
    assert figure.value == curriculum.KILLS == 20
    assert figure.detail["batches"] >= 20


@pytest.mark.parametrize("prior", [0.5, 1.0])
def test_what_is_simulated_is_what_is_expected(prior: float) -> None:
    simulated = curriculum.simulate_adaptive(prior, 20_000)
    assert simulated == pytest.approx(curriculum.expected(curriculum.ERROR_COST, prior), abs=0.01)


def test_no_rule_is_reckoned_better_than_the_best_one() -> None:
    best = curriculum.best_saving(0.5)
    for cost in (20.0, 50.0, 100.0, 200.0):
        saved, agreed = curriculum.expected(cost, 0.5)
        assert agreed < curriculum.AGREEMENT or saved <= best + 1e-9


def test_the_best_classifier_is_no_worse_than_ours() -> None:
    figure = curriculum.recovery(5_000)
    assert figure.met and figure.value is not None and figure.value <= 1.01


def test_true_groups_are_those_of_the_thresholds() -> None:
    rates = np.asarray([0.5, 0.2000001, 0.1999999, 0.14, 0.1, 0.05, 0.0, 1.0])
    assert curriculum._true_groups(rates).tolist() == [1, 1, 2, 2, 3, 4, 4, 4]
