"""docs/metrics.md names every metric that training emits under r1ci/, and no other."""

import re
from pathlib import Path

from r1ci_plugin.curriculum.metrics import Sample, batch_metrics
from r1ci_plugin.curriculum.staleness import staleness_metrics
from r1ci_plugin.reward.manager import EXTRA_KEYS
from r1ci_plugin.trajectory import Trajectory

ROOT = Path(__file__).parents[2]
NAME = r"r1ci/[\w/]+"


def documented() -> set[str]:
    rows = [line for line in (ROOT / "docs" / "metrics.md").read_text().splitlines() if line.startswith("| `r1ci/")]
    return {name for row in rows for name in re.findall(rf"`({NAME})`", row.split(" | ")[0])}


def emitted_of_a_batch() -> set[str]:
    times = {"wall_s": 1.0, "generate_s": 1.0, "execute_s": 0.0}
    facts = {**Trajectory([1], outcome="answered").facts(), **times, "calls": 1, "calls_ok": 1}
    sample = Sample("g", "q", "bbh/navigate", 1.0, facts, dict.fromkeys(EXTRA_KEYS, 0.0), isolation="ns")
    names = batch_metrics([sample, sample], lost=0)
    return {name.replace("bbh/navigate", "SUITE/TASK").replace("level/ns", "level/LEVEL") for name in names}


def written_of_the_curriculum() -> set[str]:
    """As they stand in the source: they need a whole training run to be emitted."""
    sources = "\n".join(file.read_text() for file in (ROOT / "r1ci_plugin" / "curriculum").glob("*.py"))
    names = re.findall(r'"(r1ci/curriculum/.+?)"', sources)
    return {re.sub(r"\{\w+\}", "N", name) for name in names}


def test_every_metric_is_documented_and_every_documented_one_is_there() -> None:
    emitted = emitted_of_a_batch() | written_of_the_curriculum() | set(staleness_metrics([[(0, 0, 1)]], version=0))
    assert len(emitted) > 30
    assert documented() == emitted
