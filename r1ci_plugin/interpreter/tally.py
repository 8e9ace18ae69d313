"""What an executor has done so far: counts for each status, summed seconds, and how the latest calls were spread.

Left out: what a step of training did (`curriculum/metrics.py`, from the trajectories themselves).
"""

from __future__ import annotations

import time
from collections import defaultdict, deque

from r1ci_plugin.interpreter.executor import ExecResult

_LATEST = 2048
_PERCENTILES = (50, 95, 99)
GAUGES = frozenset({f"{name}_p{p}" for name in ("queue_s", "run_s") for p in _PERCENTILES} | {"utilisation"})
"""What may fall again; everything else only grows."""


class Tally:
    """`slots`: how many calls can run at once, where that is known. Belongs to one thread at a time."""

    def __init__(self, slots: int | None = None) -> None:
        self._slots = slots
        self._counts: defaultdict[str, float] = defaultdict(float)
        self._latest: deque[tuple[float, float]] = deque(maxlen=_LATEST)
        self._since: float | None = None

    def add(self, result: ExecResult) -> None:
        """Count a call that has come back."""
        if self._since is None:
            self._since = time.monotonic() - result.queue_s - result.run_s
        counts = self._counts
        counts["calls"] += 1
        counts[result.status] += 1
        counts["retries"] += result.attempts - 1
        counts["queue_s"] += result.queue_s
        counts["run_s"] += result.run_s
        self._latest.append((result.queue_s, result.run_s))

    def count(self, name: str) -> None:
        """Count something else."""
        self._counts[name] += 1

    def facts(self) -> dict[str, float]:
        """Counts and sums since the start; percentiles of the latest 2048 calls, and `utilisation`, the share of the
        slots' time that calls of ours ran, once there are any."""
        facts = dict(self._counts)
        if self._since is None:
            return facts
        for name, values in zip(("queue_s", "run_s"), zip(*self._latest, strict=True), strict=True):
            ordered = sorted(values)
            facts |= {f"{name}_p{p}": ordered[(len(ordered) - 1) * p // 100] for p in _PERCENTILES}
        if self._slots is not None:
            passed = time.monotonic() - self._since
            facts["utilisation"] = min(1.0, facts["run_s"] / (self._slots * passed)) if passed > 0 else 0.0
        return facts
