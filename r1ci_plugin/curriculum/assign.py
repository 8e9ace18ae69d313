"""From settings and questions to groups and a sampler: what a run will train on, before verl is there. Pure.

The preflight and the data set ask the same function, so that what is announced is what is trained. Left out: reading
rows (`dataset.py`, `checks/data.py`).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from r1ci_plugin.config import R1CISettings
from r1ci_plugin.curriculum.build import recut
from r1ci_plugin.curriculum.manifest import LEFT_OUT, Entry, Manifest, digest, load_manifest, make_manifest
from r1ci_plugin.curriculum.sampler import CurriculumSampler
from r1ci_plugin.curriculum.schedule import RUNS, Schedule, Statistics, schedule_for


@dataclass(frozen=True, slots=True)
class Known:
    """What the data says of a question."""

    question_id: str
    task: str
    difficulty: int

    @classmethod
    def of_row(cls, data_source: str, extra_info: Mapping[str, Any]) -> Known:
        """From two columns of a parquet row (`data/row.py`). Raises KeyError without a question id."""
        return cls(extra_info["question_id"], data_source, extra_info.get("difficulty") or 0)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a run draws from, and how."""

    manifest: Manifest
    schedule: Schedule
    sampler: CurriculumSampler
    """Over the rows; rows of group 0 are never drawn."""
    digest: str
    """Names rows, groups and order together: equal for runs that may share checkpoints."""


def assign(settings: R1CISettings, rows: Sequence[Known]) -> Assignment:
    """What a run with these settings trains on.

    Raises ManifestError for a manifest that cannot be read or lacks a question, ValueError where nothing is left.
    """
    chosen = settings.curriculum
    manifest = _manifest(settings, rows)
    groups = _once(rows, manifest.group_of([row.question_id for row in rows]))
    groups = [0 if _is_left_out(row.task, chosen.leave_out) else group for row, group in zip(rows, groups, strict=True)]
    if not any(groups):
        raise ValueError("no question is left to train on: the manifest or r1ci.curriculum.leave_out leaves all out")
    schedule = schedule_for(settings)
    tasks = [row.task for row in rows] if chosen.balance_tasks else None
    sampler = CurriculumSampler(groups, tasks=tasks, seed=chosen.seed)
    sampler.reweight(schedule.weights(1, Statistics(sampler.sizes)))
    ids = [row.question_id for row in rows]
    order = (settings.stage, chosen.schedule, chosen.number_of_stages, chosen.balance_tasks, chosen.seed)
    name = digest([manifest.digest, order, *ids, *groups])
    return Assignment(manifest, schedule, sampler, name)


def _manifest(settings: R1CISettings, rows: Sequence[Known]) -> Manifest:
    """The manifest of the settings, or all questions in group 1, with groups cut anew if the settings say so."""
    chosen = settings.curriculum
    if settings.manifest:
        manifest = load_manifest(settings.manifest)
    else:
        unique = {row.question_id: Entry(row.question_id, 1, row.task, row.difficulty) for row in rows}
        manifest = make_manifest(unique.values())
    if chosen.number_of_stages is None and chosen.group_by == "potential":
        return manifest
    told = {row.question_id: row for row in rows}  # a manifest of two columns does not know task and difficulty
    entries = (
        replace(entry, task=told[entry.question_id].task, difficulty=told[entry.question_id].difficulty)
        for entry in manifest.entries
        if entry.question_id in told
    )
    known = make_manifest(entries, manifest.rule)
    return recut(known, chosen.number_of_stages or RUNS, chosen.group_by, chosen.seed)


def _once(rows: Sequence[Known], groups: Sequence[int]) -> list[int]:
    """The groups with every further row of the same question left out."""
    seen: set[str] = set()
    kept = []
    for row, group in zip(rows, groups, strict=True):
        kept.append(LEFT_OUT if row.question_id in seen else group)
        seen.add(row.question_id)
    return kept


def _is_left_out(task: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(task, pattern) for pattern in patterns)
