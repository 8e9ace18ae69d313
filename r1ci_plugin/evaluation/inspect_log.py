"""Records as a log of inspect_ai and back, so that others can look at our answers and score them with their tools.

One log holds one contender. A sample is one answer: its conversation, our verdict as the score `r1ci`, and the whole
record in its metadata, from which it is read back without loss. Results of code stand as user messages, as they do for
chat endpoints. Written to the format that inspect_ai 0.3.285 reads (`inspect_ai/log/_log.py`, version 2), as plain
JSON: the package is not needed. Left out: logs that others made, which hold no verifier's payload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import r1ci_plugin
from r1ci_plugin.evaluation.scores import scores_of, task_name
from r1ci_plugin.evaluation.tables import Row, rows_of
from r1ci_plugin.protocol import PROTOCOL, render_prompt
from r1ci_plugin.record import Record, Usage

SCORER = "r1ci"
METADATA = "r1ci_record"
"""Where a sample keeps its record."""

_STOP_REASONS = {"answered": "stop", "no_answer": "stop", "length": "max_tokens", "call_limit": "tool_calls"}


class NotOurs(ValueError):
    """A file is no log that `to_log` made. The message says what is missing."""


def to_log(name: str, records: Sequence[Record], created: str) -> dict[str, Any]:
    """The log of one contender's records. `created` is a time in ISO 8601 with its zone."""
    first = records[0]
    ids = list(dict.fromkeys(_sample_id(record) for record in records))
    usage = sum((record.usage for record in records), Usage())
    judged = [record for record in records if not record.is_lost]
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "created": created,
            "task": name,
            "dataset": {"name": "r1ci", "samples": len(ids), "sample_ids": ids},
            "model": _model(first),
            "config": {"epochs": 1 + max(record.sample for record in records)},
            "packages": {"r1ci_plugin": r1ci_plugin.__version__},
            "metadata": {
                "agent": first.agent,
                "form": first.form,
                "temperature": first.temperature,
                "protocol": PROTOCOL,
            },
        },
        "plan": {"name": first.agent, "steps": [{"solver": first.agent, "params": {}}]},
        "results": {
            "total_samples": len(records),
            "completed_samples": len(judged),
            "scores": [
                {"name": SCORER, "scorer": SCORER, "params": {}, "metrics": _metrics(rows_of(scores_of(records)))}
            ],
        },
        "stats": {"started_at": created, "completed_at": created, "model_usage": {_model(first): _usage(usage)}},
        "samples": [_sample(record) for record in records],
    }


def from_log(log: Any) -> Iterator[Record]:
    """The records of a log, read from JSON, in order. Raises NotOurs."""
    samples = log.get("samples") if isinstance(log, Mapping) else None
    if not isinstance(samples, list):
        raise NotOurs("it holds no samples: it is no log of inspect_ai, or only its header")
    for sample in samples:
        try:
            yield Record.from_dict(sample["metadata"][METADATA])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotOurs(
                f"sample {sample.get('id') if isinstance(sample, dict) else sample!r} holds no record under "
                f"metadata.{METADATA} ({type(error).__name__}: {error}): only logs of `r1ci eval export` can be read"
            ) from None


def _sample(record: Record) -> dict[str, Any]:
    sample = {
        "id": _sample_id(record),
        "epoch": record.sample + 1,
        "input": render_prompt(record.question.prompt),
        "target": str(record.question.payload.get("answer", "")),
        "messages": _messages(record),
        "output": _output(record),
        "metadata": {"task": task_name(record.question), METADATA: record.to_dict()},
        "model_usage": {_model(record): _usage(record.usage)},
        "total_time": record.wall_s,
    }
    if record.is_lost or record.verdict is None:
        reason = record.trajectory.reason or "lost"
        return {**sample, "error": {"message": reason, "traceback": "", "traceback_ansi": ""}}
    score = {
        "value": "C" if record.acc else "I",
        "answer": record.trajectory.answer,
        "explanation": record.verdict.reason,
        "metadata": {"outcome": record.verdict.outcome, "graded": record.verdict.graded},
    }
    return {**sample, "scores": {SCORER: score}}


def _messages(record: Record) -> list[dict[str, Any]]:
    messages = [{"role": "user", "content": render_prompt(record.question.prompt)}]
    for turn in record.trajectory.turns:
        messages.append({"role": "assistant", "content": turn.text})
        if turn.call is not None and turn.call.inserted_text:
            messages.append({"role": "user", "content": turn.call.inserted_text})
    return messages


def _output(record: Record) -> dict[str, Any]:
    turns = record.trajectory.turns
    choice = {
        "message": {"role": "assistant", "content": turns[-1].text if turns else ""},
        "stop_reason": _STOP_REASONS.get(record.trajectory.outcome or "", "unknown"),
    }
    return {"model": _model(record), "choices": [choice], "usage": _usage(record.usage), "time": record.wall_s}


def _metrics(rows: Sequence[Row]) -> dict[str, Any]:
    """Overall accuracy, macro over tasks, with its interval; nothing where all answers were lost."""
    if not rows:
        return {}
    values = {"accuracy_macro": rows[-1].accuracy, "low": rows[-1].low, "high": rows[-1].high}
    return {name: {"name": name, "value": value, "params": {}} for name, value in values.items()}


def _sample_id(record: Record) -> str:
    return f"{record.question.task}:{record.question.question_id}"


def _model(record: Record) -> str:
    return record.policy or "unknown"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.sampled_tokens,
        "total_tokens": usage.prompt_tokens + usage.sampled_tokens,
        "total_cost": usage.cost,
    }
