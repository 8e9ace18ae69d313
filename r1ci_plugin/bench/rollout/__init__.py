"""Benchmark of the rollout: the agent loop against a simulated token server, and the embedded CPU engine.

`parameters.py` holds everything that was chosen, with its source; nothing else in this package is a number of the
benchmark's own.
"""

from __future__ import annotations

from r1ci_plugin.bench.figures import Figure
from r1ci_plugin.bench.rollout import engine


def measure(quick: bool = False) -> list[Figure]:
    """All figures. Needs no network and no files."""
    return engine.measure(quick)
