"""Training metrics of one batch of trajectories, all under `r1ci/`. Pure.

Units are in the names: `_s` seconds, `_rate` a share of trajectories or calls in 0..1, else a mean per trajectory.
Groups are the trajectories of one question; a group is *effective* if its `acc` differs, since GRPO gives a group of
constant correctness no signal on it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r1ci_plugin.curriculum.staleness import TurnVersions
from r1ci_plugin.trajectory import OUTCOMES

_PHASES = {"generate": "generate", "code": "execute"}
"""What a trajectory waits for: name of the metric to name of the fact."""
_STATUSES = ("ok", "error", "timeout", "memory")
_PERCENTILES = (50, 95, 99)
_EPSILON = 1e-6  # verl's GRPO adds it to the standard deviation (verl/trainer/ppo/core_algos.py)


@dataclass(frozen=True, slots=True)
class Sample:
    """A judged trajectory as the replay buffer sees it."""

    group: str
    """verl's uid of the question's draw."""
    question_id: str
    task: str
    reward: float
    facts: dict[str, float]
    """`Trajectory.facts`, and its seconds as the agent loop adds them."""
    extra: dict[str, Any]
    """The reward manager's numbers, and the verdict's words."""
    isolation: str = ""
    record: dict[str, Any] | None = None
    """The trajectory's record without verdict, where it is kept (`curriculum/records.py`)."""
    versions: Sequence[TurnVersions] = ()
    """Which weights each turn was sampled with (`staleness.py`)."""

    @property
    def acc(self) -> float:
        return float(self.extra["acc"])


def batch_metrics(samples: Sequence[Sample], lost: int) -> dict[str, float]:
    """Every metric of a batch; `lost` trajectories were dropped before it."""
    return {
        **_reward_metrics(samples),
        **_agent_metrics(samples, lost),
        **_sandbox_metrics(samples),
        **_time_metrics(samples),
        **_task_metrics(samples),
        **_group_metrics(samples),
    }


def _reward_metrics(samples: Sequence[Sample]) -> dict[str, float]:
    return {
        "r1ci/reward/total": _mean([sample.reward for sample in samples]),
        **{
            f"r1ci/reward/{key}": _mean([sample.extra[key] for sample in samples])
            for key in ("acc", "graded", "format_ok", "shaping")
        },
        **{
            f"r1ci/verify/{name}_rate": _mean([sample.extra[key] for sample in samples])
            for name, key in (("unparseable", "unparseable"), ("timeout", "verify_timeout"), ("error", "verify_error"))
        },
    }


def _agent_metrics(samples: Sequence[Sample], lost: int) -> dict[str, float]:
    facts = [sample.facts for sample in samples]
    calls = sum(fact["calls"] for fact in facts)
    return {
        "r1ci/agent/turns": _mean([fact["turns"] for fact in facts]),
        "r1ci/agent/calls": _mean([fact["calls"] for fact in facts]),
        "r1ci/agent/code_rate": _mean([float(fact["calls"] > 0) for fact in facts]),
        "r1ci/agent/repeat_call_rate": sum(fact["repeated_calls"] for fact in facts) / max(calls, 1),
        "r1ci/agent/imitated_result_rate": _mean([float(fact["imitated_results"] > 0) for fact in facts]),
        "r1ci/agent/sampled_tokens": _mean([fact["sampled_tokens"] for fact in facts]),
        "r1ci/agent/inserted_tokens": _mean([fact["inserted_tokens"] for fact in facts]),
        **{
            f"r1ci/agent/stop/{name}": _mean([fact[f"outcome_{name}"] for fact in facts])
            for name in OUTCOMES
            if name != "lost"
        },
        "r1ci/agent/lost": float(lost),
    }


def _sandbox_metrics(samples: Sequence[Sample]) -> dict[str, float]:
    facts = [sample.facts for sample in samples]
    calls = sum(fact["calls"] for fact in facts)
    called = [fact for fact in facts if fact["calls"]]
    levels = Counter(sample.isolation for sample in samples if sample.isolation)
    return {
        "r1ci/sandbox/calls": calls,
        **{
            f"r1ci/sandbox/{name}_rate": sum(fact[f"calls_{name}"] for fact in facts) / max(calls, 1)
            for name in _STATUSES
        },
        "r1ci/sandbox/other_rate": (calls - sum(fact[f"calls_{name}"] for fact in facts for name in _STATUSES))
        / max(calls, 1),
        "r1ci/sandbox/retries": sum(fact["call_retries"] for fact in facts),
        "r1ci/sandbox/busy_s": sum(fact["call_run_s"] for fact in facts),
        **_spread("r1ci/sandbox/run_s", [fact["call_run_s"] / fact["calls"] for fact in called]),
        **_spread("r1ci/sandbox/queue_s", [fact["call_queue_s"] / fact["calls"] for fact in called]),
        **{f"r1ci/sandbox/level/{name}": n / sum(levels.values()) for name, n in levels.items()},
    }


def _time_metrics(samples: Sequence[Sample]) -> dict[str, float]:
    """Where the trajectories' time went; a step of synchronous training lasts as long as its slowest one."""
    facts = [sample.facts for sample in samples]
    total = sum(fact["wall_s"] for fact in facts)
    spent = {name: sum(fact[f"{key}_s"] for fact in facts) for name, key in _PHASES.items()}
    slowest = max(facts, key=lambda fact: fact["wall_s"], default={"wall_s": 0.0, "generate_s": 0.0, "execute_s": 0.0})
    return {
        **{f"r1ci/time/{name}_share": seconds / total if total else 0.0 for name, seconds in spent.items()},
        "r1ci/time/rest_share": 1 - sum(spent.values()) / total if total else 0.0,
        "r1ci/time/slowest/wall_s": slowest["wall_s"],
        **{f"r1ci/time/slowest/{name}_s": slowest[f"{key}_s"] for name, key in _PHASES.items()},
    }


def _task_metrics(samples: Sequence[Sample]) -> dict[str, float]:
    by_task: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        by_task[sample.task].append(sample.acc)
    return {
        f"r1ci/train/{task}/{name}": value
        for task, accs in sorted(by_task.items())
        for name, value in (("acc", _mean(accs)), ("n", float(len(accs))))
    }


def _group_metrics(samples: Sequence[Sample]) -> dict[str, float]:
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.group].append(sample)
    effective = [len({sample.acc for sample in group}) > 1 for group in groups.values()]
    return {
        "r1ci/curriculum/effective_share": _mean([float(flag) for flag in effective]),
        "r1ci/reward/shaping_advantage_share": shaping_advantage_share(
            [([sample.reward for sample in group], [sample.acc for sample in group]) for group in groups.values()]
        ),
    }


def shaping_advantage_share(groups: Sequence[tuple[Sequence[float], Sequence[float]]]) -> float:
    """Share of the batch's absolute advantage that lies in groups of constant acc, where only shaping makes it.

    groups: (rewards, accs) of each question. Advantages are std-normalised as in GRPO, which blows small terms up.
    """
    total = from_shaping = 0.0
    for rewards, accs in groups:
        weight = float(np.abs(advantages(rewards)).sum())
        total += weight
        from_shaping += weight if len(set(accs)) == 1 else 0.0
    return from_shaping / total if total else 0.0


def advantages(rewards: Sequence[float]) -> NDArray[np.float64]:
    """The advantage of each trajectory of a group, std-normalised, as verl's GRPO computes it from the rewards.

    Source: compute_grpo_outcome_advantage in verl/trainer/ppo/core_algos.py. Shape: that of `rewards`.
    """
    values = np.asarray(rewards, dtype=np.float64)
    if len(values) < 2:
        return np.zeros_like(values)
    return np.asarray((values - values.mean()) / (values.std(ddof=1) + _EPSILON))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    percentiles = np.percentile(values, _PERCENTILES) if values else (0.0,) * len(_PERCENTILES)
    return {f"{name}/p{label}": float(value) for label, value in zip(_PERCENTILES, percentiles, strict=True)}
