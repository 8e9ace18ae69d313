"""Metrics of the curriculum: drift between what was measured and what training sees, shares, and the filter."""

from __future__ import annotations

import pytest

from r1ci_plugin.curriculum.ledger import Ledger
from r1ci_plugin.curriculum.metrics import Sample
from r1ci_plugin.curriculum.progress import Progress, curriculum_metrics
from r1ci_plugin.reward.manager import EXTRA_KEYS
from r1ci_plugin.trajectory import Trajectory

FACTS = {**Trajectory([1], outcome="answered").facts(), "wall_s": 4.0, "generate_s": 2.0, "execute_s": 1.0}


def sample(question_id: str, acc: float) -> Sample:
    extra = {**dict.fromkeys(EXTRA_KEYS, 0.0), "acc": acc}
    return Sample(f"uid-{question_id}", question_id, "bbh/navigate", acc, FACTS, extra)


def progress_of(samples: list[Sample], filtered: list[Sample], measured: dict[str, tuple[int, int]]) -> Progress:
    ledger = Ledger(measured, decay=0.0)
    ledger.record((one.question_id, one.acc) for one in (*samples, *filtered))
    groups = {one.question_id: int(one.question_id[-1]) for one in (*samples, *filtered)}
    return Progress(samples, filtered, groups, ledger, 3, 0, 10, 7, "0123456789abcdef")


def test_drift_is_how_far_pass_rates_moved_from_their_measurement() -> None:
    judged = [sample("up1", 1.0), sample("down2", 0.0), sample("new3", 1.0)]
    metrics = curriculum_metrics(progress_of(judged, [], {"up1": (20, 10), "down2": (20, 4)}))
    assert metrics["r1ci/curriculum/drift"] == pytest.approx((0.5 - 0.2) / 2)
    assert metrics["r1ci/curriculum/drift_abs"] == pytest.approx((0.5 + 0.2) / 2)


def test_nothing_measured_has_no_drift() -> None:
    assert "r1ci/curriculum/drift" not in curriculum_metrics(progress_of([sample("a1", 1.0)], [], {}))


def test_pass_rates_count_what_was_filtered_and_shares_what_was_trained() -> None:
    progress = progress_of([sample("a1", 1.0), sample("b2", 0.0)], [sample("c1", 0.0)], {})
    assert progress.pass_rates(3) == [0.5, 0.0, None]
    metrics = curriculum_metrics(progress)
    assert (metrics["r1ci/curriculum/group_1/share"], metrics["r1ci/curriculum/group_1/acc"]) == (0.5, 0.5)
    assert metrics["r1ci/curriculum/gate_acceptance"] == pytest.approx(2 / 3)
