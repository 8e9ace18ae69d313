"""Is everything there that a training run needs? One function a concern, from a composed configuration to findings.

The preflight of a run stops at the findings that are not ok; `r1ci doctor` prints them all. Nothing here starts Ray,
imports verl.trainer or changes a file; only `executor.py` runs something, a code call, and only `nodes.py` asks other
machines. Left out: trying the doors in verl (`doctor.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from r1ci_plugin.checks.data import check_data, check_verifiers
from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.checks.policy import check_policy
from r1ci_plugin.checks.process import check_backend, check_run_folder, check_section, check_verl
from r1ci_plugin.checks.trainer import check_ray, check_trainer

__all__ = ["Finding", "broken", "check_all", "check_gpu", "ok"]


def check_all(config: Any) -> Iterator[Finding]:
    """All findings on a composed configuration (a DictConfig), the cheapest and most telling first."""
    checks: tuple[Callable[[Any], Iterable[Finding]], ...] = (
        check_verl,
        check_section,
        check_backend,
        check_run_folder,
        check_policy,
        check_data,
        check_trainer,
        check_ray,
        check_gpu,
    )
    sound = True
    for check in checks:
        for finding in check(config):
            sound = sound and finding.ok
            yield finding
    if sound:  # seconds, and no use where the run cannot start anyway
        yield from check_verifiers(config)


def check_gpu(config: Any) -> Iterator[Finding]:
    """On GPUs: vLLM can load the policy, lengths agree, and the memory plan is told."""
    if config.actor_rollout_ref.rollout.name == "vllm":
        from r1ci_plugin.checks import gpu

        yield from gpu.check_all(config)
