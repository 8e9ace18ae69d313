"""The reward manager that verl calls for every trajectory: verdict from the pool, then the reward's terms.

The answer comes from the agent loop, which read it from sampled text alone; the decoded response that verl offers also
holds what code printed and is never looked at. Left out: the verdict (`pool.py`), the terms (`shaping.py`), logging:
reward workers cannot log, so the numbers leave through `curriculum/replay.py`.
"""

from __future__ import annotations

from typing import Any

from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from r1ci_plugin.config import RewardWeights, settings_from
from r1ci_plugin.data.files import data_files, tasks_in
from r1ci_plugin.data.row import AGENT, read_row
from r1ci_plugin.record import NO_ANSWER
from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.reward.shaping import shape
from r1ci_plugin.tasks import Verdict

EXTRA_KEYS = (
    "acc",
    "graded",
    "format_ok",
    "shaping",
    "turns",
    "calls",
    "answered",
    "truncated",
    "unparseable",
    "verify_timeout",
    "verify_error",
)
"""The numeric keys of every `reward_extra_info`, the same for all tasks (verl bootstraps each one per data source)."""

TEXT_KEYS = ("outcome", "reason")
"""Its words, those of the verdict: verl leaves text out of its statistics (process_validation_metrics in
verl/trainer/ppo/metric_utils.py) and writes it to its dumps of validation answers.
"""


class R1CIRewardManager(RewardManagerBase):  # type: ignore[misc]  # verl ships no types
    """Judges one trajectory a call. verl makes one instance in each reward worker process, which owns one verifier
    pool.
    """

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, **_: Any) -> None:
        super().__init__(config, tokenizer, compute_score)
        settings = settings_from(config)
        self._weights: RewardWeights = settings.reward
        self._pool = VerifierPool(settings.verifier.workers, settings.verifier.deadline_s, warm=_tasks_of(config))

    async def run_single(self, data: Any) -> dict[str, Any]:
        """Reward and numbers of the last output of a trajectory (verl's DataProto).

        Raises PoolBroken if no verifier can be started: verl then drops the trajectory from its group.
        """
        row = data[-1].non_tensor_batch
        fields = row["tool_extra_fields"]
        if "r1ci_facts" not in fields:
            raise ValueError(f"R1CIRewardManager judges the agent loop {AGENT}: set the data column agent_name to it")
        question = read_row(row)
        answer = fields["r1ci_answer"]
        verdict = NO_ANSWER if answer is None else await self._pool.verify(question, answer)
        return reward_of(verdict, fields["r1ci_facts"], self._weights)

    async def close(self) -> None:
        """Stop the verifiers; a worker process that just ends takes them with it."""
        await self._pool.close()


def _tasks_of(config: Any) -> list[str]:
    """The tasks whose answers are to be judged; all where the data is not to be read here."""
    try:
        return tasks_in(data_files(config))
    except (OSError, ValueError, AttributeError, KeyError):
        return ["*"]


def reward_of(verdict: Verdict, facts: dict[str, float], weights: RewardWeights) -> dict[str, Any]:
    """What verl expects of a reward manager: `reward_score`, and `reward_extra_info` with EXTRA_KEYS and TEXT_KEYS."""
    parts = shape(verdict.score, facts, weights)
    numbers = {
        "acc": verdict.score,
        "graded": verdict.graded,
        "format_ok": facts["well_formed"],
        "shaping": parts.shaping,
        "turns": facts["turns"],
        "calls": facts["calls"],
        "answered": facts["outcome_answered"],
        "truncated": facts["outcome_length"],
        "unparseable": verdict.outcome == "unparseable",
        "verify_timeout": verdict.outcome == "timeout",
        "verify_error": verdict.outcome == "error",
    }
    words = {key: getattr(verdict, key) for key in TEXT_KEYS}
    return {"reward_score": parts.total, "reward_extra_info": {key: float(numbers[key]) for key in EXTRA_KEYS} | words}
