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


def read_steps(run: Path) -> dict[int, Metrics]:
    """Metrics by step, in order, of all starts of the run; where a step was repeated after a crash, the later counts.

    The last line of a start that was killed may be torn and is left out.
    """
    steps: dict[int, Metrics] = {}
    for file in sorted((run / "metrics").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
                steps.setdefault(int(record["step"]), {}).update(record["data"])
            except (ValueError, KeyError, TypeError):
                continue
    return dict(sorted(steps.items()))


def validation_acc(metrics: Metrics) -> float | None:
    """Mean over tasks of the accuracy on held-out questions; None for a step without validation."""
    found = [value for key, value in metrics.items() if re.fullmatch(r"val-core/.+/acc/mean@\d+", key)]
    return statistics.mean(found) if found else None
