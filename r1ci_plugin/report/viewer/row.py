"""One record in a line of the list: what is needed to list, filter and sort it without its text."""

from __future__ import annotations

from typing import Any

from r1ci_plugin.record import Record

ANSWER_CHARS = 80
"""Of an answer, as much as a line shows."""


def row_of(record: Record) -> dict[str, Any]:
    """JSON-able; the same keys for every record."""
    trajectory, training = record.trajectory, record.training
    calls = [call.result.status if call.result is not None else "rejected" for call in trajectory.calls]
    tokens = trajectory.transport == "tokens"
    mask = trajectory.response_mask if tokens else []
    return {
        "key": record.key,
        "task": record.question.task,
        "difficulty": record.question.difficulty,
        "group": training.group if training is not None else record.question.question_id,
        "agent": record.agent,
        "policy": record.policy,
        "form": record.form,
        "temperature": record.temperature,
        "sample": record.sample,
        "verdict": "lost" if record.is_lost or record.verdict is None else record.verdict.outcome,
        "outcome": trajectory.outcome or "lost",
        "answer": (trajectory.answer or "")[:ANSWER_CHARS],
        "turns": len(trajectory.turns),
        "calls": calls,
        "sampled": sum(mask) if tokens else record.usage.sampled_tokens,
        "inserted": len(mask) - sum(mask),
        "wall_s": round(record.wall_s, 2),
        "step": training.step if training is not None else None,
        "stage": training.stage if training is not None else None,
        "reward": training.reward if training is not None else None,
        "advantage": training.advantage if training is not None else None,
    }
