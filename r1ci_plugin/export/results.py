"""Accuracy of a policy from a folder of `r1ci eval run`. Every task counts the same, however many questions it has."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from r1ci_plugin.evaluation.run_folder import read_settings
from r1ci_plugin.evaluation.scores import scores_of
from r1ci_plugin.evaluation.statistics import Floats, macro
from r1ci_plugin.record import Record
from r1ci_plugin.record_files import read_records
from r1ci_plugin.stages.errors import StageFailed


@dataclass(frozen=True, slots=True)
class Result:
    """One way of answering. Accuracies in 0..1."""

    agent: str
    form: str
    temperature: float | None
    overall: float
    """Mean over tasks."""
    suites: dict[str, float]
    """Mean over the tasks of each suite."""
    tasks: int
    answers: int
    lost: int
    """Answers lost to the infrastructure; in no accuracy."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    policy: str
    """As the evaluation was told it."""
    weights: str | None
    """Their digest, where the evaluation could tell it (`r1ci_plugin.weights`)."""
    results: list[Result]


def read_evaluation(folder: Path) -> Evaluation:
    """Raises StageFailed for a folder that holds no evaluation."""
    try:
        records, settings = list(read_records(folder)), read_settings(folder)
    except ValueError as error:
        raise StageFailed(f"{folder} holds no evaluation ({error})", f"r1ci eval run --out {folder}") from None
    ways: dict[tuple[str, str, float | None], list[Record]] = defaultdict(list)
    for record in records:
        ways[record.agent, record.form, record.temperature].append(record)
    results = [_result(way, records) for way, records in sorted(ways.items(), key=str)]
    if not any(result.answers for result in results):
        raise StageFailed(f"{folder} holds no judged answer", f"r1ci eval run --out {folder}")
    return Evaluation(str(settings.get("policy")), settings.get("weights"), results)


def _result(way: tuple[str, str, float | None], records: list[Record]) -> Result:
    scores = scores_of(records)
    suites: dict[str, dict[str, Floats]] = defaultdict(dict)
    for task, one in scores.tasks.items():
        suites[task.partition("/")[0]][task] = one.rates
    return Result(
        *way,
        overall=scores.accuracy if scores.tasks else 0.0,
        suites={suite: macro(rates) for suite, rates in suites.items()},
        tasks=len(scores.tasks),
        answers=sum(int(one.answers.sum()) for one in scores.tasks.values()),
        lost=sum(scores.lost.values()),
    )
