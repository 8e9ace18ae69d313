"""The metrics of a run are read over all its starts, and a torn line costs only itself."""

import json
from pathlib import Path

from verl.trainer.ppo.metric_utils import process_validation_metrics

from r1ci_plugin.metrics import read_steps, validation_acc


def test_a_repeated_step_counts_as_its_later_start_has_it(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    first = [{"step": step, "data": {"training/global_step": step, "acc": 0.1 * step, "only": 1}} for step in (1, 2, 3)]
    second = [
        {"step": 2, "data": {"val-core/a/acc/mean@1": 0.5}},  # before training goes on at the checkpoint of step 2
        {"step": 3, "data": {"training/global_step": 3, "acc": 0.9}},
    ]
    texts = ["\n".join(map(json.dumps, lines)) for lines in (first, second)]
    (tmp_path / "metrics" / "2026-01-01T00-00-00.jsonl").write_text(texts[0] + '\n{"step": 4, "da')
    (tmp_path / "metrics" / "2026-01-01T01-00-00.jsonl").write_text(texts[1] + "\n")
    steps = read_steps(tmp_path)
    assert {step: metrics["acc"] for step, metrics in steps.items()} == {1: 0.1, 2: 0.2, 3: 0.9}
    assert steps[2]["val-core/a/acc/mean@1"] == 0.5 and "only" in steps[2]
    assert "only" not in steps[3]  # said of the attempt that was thrown away


def test_held_out_accuracy_is_the_mean_over_tasks() -> None:
    metrics = {"val-core/bbh/navigate/acc/mean@1": 1.0, "val-core/symbench/letters/acc/mean@1": 0.0, "val-aux/x": 9.0}
    assert validation_acc(metrics) == 0.5
    assert validation_acc({"r1ci/reward/acc": 1.0}) is None


def test_lost_held_out_answers_are_in_no_accuracy() -> None:
    verl = process_validation_metrics(
        ["bbh/navigate"] * 2,
        ["a", "b"],
        {"acc": [1.0, 0.0]},
        expected_acc_counts={("bbh/navigate", question): 1 for question in "abcd"},
    )["bbh/navigate"]
    assert verl["acc"]["mean@1"] == 0.25  # four were asked, two were lost
    metrics = {
        "val-core/bbh/navigate/acc/mean@1": verl["acc"]["mean@1"],
        "val-aux/bbh/navigate/acc_success_only/mean@1": verl["acc_success_only"]["mean@1"],
    }
    assert validation_acc(metrics) == 0.5
