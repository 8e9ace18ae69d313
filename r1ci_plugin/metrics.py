"""The metrics of a training run as verl's file logger wrote them: one JSON line a step, one file a start of the run.

Left out: what the numbers mean (docs/metrics.md).
"""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from typing import Any

Metrics = dict[str, Any]
"""Of one step, by name."""
TRAINED = "training/global_step"
"""In the line of a step that was trained, and in no other."""


def read_steps(run: Path) -> dict[int, Metrics]:
    """Metrics by step, in order, of all starts of the run; where a step was repeated after a crash, the later counts.

    A validation that a start begins with is added to its step. The last line of a start that was killed may be torn and
    is left out.
    """
    steps: dict[int, Metrics] = {}
    for file in sorted((run / "metrics").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
                step, data = int(record["step"]), dict(record["data"])
                steps[step] = data if TRAINED in data else {**steps.get(step, {}), **data}
            except (ValueError, KeyError, TypeError):
                continue
    return dict(sorted(steps.items()))


def validation_acc(metrics: Metrics) -> float | None:
    """Mean over tasks of the accuracy on held-out questions; None for a step without validation.

    verl counts a lost answer as a wrong one in `val-core` and leaves it out in `val-aux/.../acc_success_only`
    (process_validation_metrics in verl/trainer/ppo/metric_utils.py), which is what we mean by accuracy.
    """
    found: list[float] = []
    for key, value in metrics.items():
        if match := re.fullmatch(r"val-core/(.+)/acc/(mean@\d+)", key):
            without_lost = metrics.get(f"val-aux/{match[1]}/acc_success_only/{match[2]}")
            found.append(value if without_lost is None else without_lost)
    return statistics.mean(found) if found else None
