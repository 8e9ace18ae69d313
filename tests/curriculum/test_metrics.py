"""Training metrics: shares, group signal, and the advantage that shaping alone makes."""

from collections.abc import Sequence

import pytest

from r1ci_plugin.curriculum.metrics import Sample, batch_metrics, shaping_advantage_share
from r1ci_plugin.reward.manager import EXTRA_KEYS
from r1ci_plugin.trajectory import Trajectory

FACTS = {**Trajectory([1], outcome="answered").facts(), "wall_s": 4.0, "generate_s": 2.0, "execute_s": 1.0}


def sample(
    group: str, acc: float, *, reward: float | None = None, task: str = "bbh/navigate", **facts: float
) -> Sample:
    extra = {**dict.fromkeys(EXTRA_KEYS, 0.0), "acc": acc}
    return Sample(group, f"q-{group}", task, acc if reward is None else reward, {**FACTS, **facts}, extra)


def metrics_of(*samples: Sample, lost: int = 0) -> dict[str, float]:
    return batch_metrics(samples, lost)


def test_a_group_is_effective_only_if_its_correctness_differs() -> None:
    metrics = metrics_of(sample("a", 1), sample("a", 0), sample("b", 1), sample("b", 1, reward=0.9))
    assert metrics["r1ci/curriculum/effective_share"] == 0.5


def test_accuracy_is_reported_by_task_with_its_count() -> None:
    metrics = metrics_of(sample("a", 1), sample("a", 0), sample("b", 1, task="symbench/letters"))
    assert metrics["r1ci/train/bbh/navigate/acc"] == 0.5 and metrics["r1ci/train/bbh/navigate/n"] == 2
    assert metrics["r1ci/train/symbench/letters/acc"] == 1.0


def test_call_rates_are_shares_of_calls() -> None:
    metrics = metrics_of(
        sample("a", 1, calls=3, calls_ok=1, calls_timeout=1, repeated_calls=1, call_run_s=6.0, call_retries=2),
        sample("a", 0, calls=0),
    )
    assert metrics["r1ci/sandbox/other_rate"] == pytest.approx(1 / 3)
    assert metrics["r1ci/sandbox/retries"] == 2 and metrics["r1ci/sandbox/busy_s"] == 6.0
    assert metrics["r1ci/sandbox/timeout_rate"] == pytest.approx(1 / 3)
    assert metrics["r1ci/agent/repeat_call_rate"] == pytest.approx(1 / 3)
    assert metrics["r1ci/agent/code_rate"] == 0.5
    assert metrics["r1ci/sandbox/run_s/p50"] == 2.0


def test_lost_trajectories_are_counted() -> None:
    assert metrics_of(sample("a", 1), lost=7)["r1ci/agent/lost"] == 7


@pytest.mark.parametrize(
    ("groups", "share"),
    [
        ([([1.1, 0.1], [1, 0])], 0.0),
        ([([1.1, 0.9], [1, 1])], 1.0),
        ([([1.1, 1.1], [1, 1])], 0.0),
        ([([1.1, 0.1], [1, 0]), ([0.1, -0.1], [0, 0])], 0.5),
    ],
)
def test_standard_deviation_blows_shaping_up_to_full_advantage(
    groups: Sequence[tuple[Sequence[float], Sequence[float]]], share: float
) -> None:
    assert shaping_advantage_share(groups) == pytest.approx(share, abs=1e-3)


def test_time_is_shared_out_over_all_trajectories_and_the_slowest_is_told_apart() -> None:
    samples = [
        sample("a", 1.0, wall_s=2.0, generate_s=1.0, execute_s=0.5),
        sample("b", 0.0, wall_s=8.0, generate_s=3.0, execute_s=4.5),
    ]
    metrics = batch_metrics(samples, lost=0)
    assert metrics["r1ci/time/generate_share"] == pytest.approx(0.4)
    assert metrics["r1ci/time/code_share"] == pytest.approx(0.5)
    assert metrics["r1ci/time/rest_share"] == pytest.approx(0.1)
    slowest = {name: metrics[f"r1ci/time/slowest/{name}_s"] for name in ("wall", "generate", "code")}
    assert slowest == {"wall": 8.0, "generate": 3.0, "code": 4.5}
    assert batch_metrics([], lost=3)["r1ci/time/code_share"] == 0.0
