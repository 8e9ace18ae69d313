"""Staleness: versions between the weights that sampled and the weights that are trained, weighed by tokens."""

from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.curriculum.staleness import bounds, staleness_metrics

turn = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 50)).map(
    lambda found: (min(found[:2]), max(found[:2]), found[2])
)


def test_on_policy_training_has_none() -> None:
    metrics = staleness_metrics([[(4, 4, 10), (4, 4, 3)]], version=4)
    assert metrics == {
        "r1ci/staleness/mean": 0.0,
        "r1ci/staleness/max": 0.0,
        "r1ci/staleness/spanning_share": 0.0,
    }


def test_tokens_weigh_and_an_interrupted_turn_counts_as_of_its_oldest_weights() -> None:
    metrics = staleness_metrics([[(3, 3, 30), (4, 5, 10)], [(5, 5, 60)]], version=5)
    assert metrics["r1ci/staleness/mean"] == (30 * 2 + 10 * 1) / 100
    assert metrics["r1ci/staleness/max"] == 2.0
    assert metrics["r1ci/staleness/spanning_share"] == 0.5


def test_an_engine_that_does_not_say_has_no_metrics() -> None:
    assert bounds([(None, None, 5)]) == (None, None)
    assert staleness_metrics([[(None, None, 5)], []], version=3) == {}


@given(st.lists(st.lists(turn, min_size=1), min_size=1), st.integers(9, 20))
def test_the_mean_lies_between_the_newest_and_the_oldest_weights(
    trajectories: list[list[tuple[int, int, int]]], version: int
) -> None:
    metrics = staleness_metrics(trajectories, version)
    if metrics:
        assert 0 <= metrics["r1ci/staleness/mean"] <= metrics["r1ci/staleness/max"] <= version
        assert 0 <= metrics["r1ci/staleness/spanning_share"] <= 1
