"""The metrics of a run are read over all its starts, and a torn line costs only itself."""

import json
from pathlib import Path

from r1ci_plugin.metrics import read_steps, validation_acc


def test_a_repeated_step_counts_as_its_later_start_has_it(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    lines = [json.dumps({"step": step, "data": {"acc": 0.1 * step}}) for step in (1, 2, 3)]
    (tmp_path / "metrics" / "2026-01-01T00-00-00.jsonl").write_text("\n".join([*lines, '{"step": 4, "da']))
    (tmp_path / "metrics" / "2026-01-01T01-00-00.jsonl").write_text('{"step": 3, "data": {"acc": 0.9}}\n')
    assert {step: metrics["acc"] for step, metrics in read_steps(tmp_path).items()} == {1: 0.1, 2: 0.2, 3: 0.9}


def test_held_out_accuracy_is_the_mean_over_tasks() -> None:
    metrics = {"val-core/bbh/navigate/acc/mean@1": 1.0, "val-core/symbench/letters/acc/mean@1": 0.0, "val-aux/x": 9.0}
    assert validation_acc(metrics) == 0.5
    assert validation_acc({"r1ci/reward/acc": 1.0}) is None
