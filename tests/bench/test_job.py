"""The job's figures: what counts as start-up and as overhead."""

import math

import pytest

from r1ci_plugin.bench.job import BARS, Timing, figures, not_measured, overhead_of


def test_overhead_is_the_time_of_rollouts_in_which_nobody_samples_or_runs_code() -> None:
    step = {"timing_s/step": 10.0, "timing_s/gen": 6.0}
    waits = {"r1ci/time/slowest/generate_s": 4.0, "r1ci/time/slowest/code_s": 1.5}
    assert overhead_of({**step, **waits}) == pytest.approx(0.05)
    assert math.isnan(overhead_of(step)), "a job that does not say has no overhead of 0"


def test_figures_are_medians_held_against_the_bars() -> None:
    ours = [Timing(34.0, 5.0, 0.02), Timing(30.0, 5.0, 0.04), Timing(31.0, 5.0, 0.09)]
    single = [Timing(29.0, 2.0, float("nan"))] * 3
    startup, overhead = figures(ours, single)
    assert (startup.value, startup.met) == (2.0, True)
    assert (overhead.value, overhead.met) == (0.04, True)
    assert not figures([Timing(40.0, 5.0, 0.2)], single)[0].met


def test_what_was_not_measured_is_not_met() -> None:
    assert {figure.name: (figure.value, figure.met) for figure in not_measured()} == dict.fromkeys(BARS, (None, False))
