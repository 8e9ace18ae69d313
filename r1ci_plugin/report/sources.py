"""What a report is made from: run folders and manifests, read and told apart by what lies in them.

    RUN/metrics/*.jsonl           a training run
    RUN/validation/STEP.jsonl     its judged answers to held-out questions
    RUN/trajectories.jsonl        a run of evaluation
    manifest.parquet              the questions' pass rates, potential and groups

Left out: drawing anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from r1ci_plugin.curriculum.manifest import Manifest, ManifestError, load_manifest
from r1ci_plugin.evaluation.scores import contenders, task_name
from r1ci_plugin.journal import text_lines
from r1ci_plugin.metrics import Metrics, read_steps
from r1ci_plugin.record import Record
from r1ci_plugin.record_files import TRAJECTORIES, NoRecords, read_records
from r1ci_plugin.report.tally import Tally


class SourceError(ValueError):
    """A path from which no report can be made; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One stage."""

    name: str
    stage: int
    steps: dict[int, Metrics]
    validation: dict[int, dict[str, Tally]]
    """By step and task, where the dumps of validation answers are there."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The judged answers of a contender (`evaluation/scores.py`) in a run of evaluation; lost ones are in no count."""

    run: str
    contender: str
    tasks: dict[str, Tally]

    @property
    def name(self) -> str:
        return f"{self.run}: {self.contender}"


@dataclass(frozen=True, slots=True)
class Placement:
    """A manifest under the name of its file."""

    name: str
    manifest: Manifest

    @property
    def is_measured(self) -> bool:
        """Whether the file has pass rates, not groups alone."""
        return any(entry.n for entry in self.manifest.entries)


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything, each kind in the order given."""

    runs: list[TrainingRun]
    evaluations: list[Evaluation]
    placements: list[Placement]


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read all paths. Raises SourceError for one that is none of the three kinds, or empty."""
    found = Sources([], [], [])
    names = _names(paths)
    for path in paths:
        if path.is_file() and path.suffix == ".parquet":
            found.placements.append(_placement(path))
        elif (path / "metrics").is_dir():
            found.runs.append(_training_run(path, names[path]))
        elif (path / TRAJECTORIES).is_file():
            found.evaluations.extend(_evaluations(path, names[path]))
        else:
            raise SourceError(
                f"{path} is no run folder (metrics/ or trajectories.jsonl in it) and no manifest (.parquet)"
                if path.exists()
                else f"{path} does not exist"
            )
    return found


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """The last part of every path, and as many before it as tell it from the others."""
    parts = {path: path.resolve().parts for path in paths}
    most = max(map(len, parts.values()), default=0)

    def name(path: Path) -> str:
        others = {other for other in parts.values() if other != parts[path]}
        depth = next((n for n in range(1, most) if all(other[-n:] != parts[path][-n:] for other in others)), most)
        return "/".join(parts[path][-depth:])

    return {path: name(path) for path in parts}


def _training_run(folder: Path, name: str) -> TrainingRun:
    steps = read_steps(folder)
    if not steps:
        raise SourceError(f"{folder / 'metrics'} holds no step yet")
    stages = [int(metrics["r1ci/curriculum/stage"]) for metrics in steps.values() if "r1ci/curriculum/stage" in metrics]
    dumps = {int(file.stem): file for file in (folder / "validation").glob("*.jsonl") if file.stem.isdecimal()}
    validation = {step: _validation(file) for step, file in sorted(dumps.items())}
    return TrainingRun(name, stages[-1] if stages else 1, steps, validation)


def _validation(file: Path) -> dict[str, Tally]:
    """The answers of one validation; the question is the JSON text that verl calls ground truth.

    Lines of another reward manager, and one that is being written, are left out.
    """
    found: dict[str, Tally] = {}
    for text in text_lines(file):
        try:
            line: dict[str, Any] = json.loads(text)
            task, answer = json.loads(line["gts"])["task"], Tally.of(line["acc"] > 0.5, line["calls"] > 0)
        except (ValueError, KeyError, TypeError):
            continue
        found[task] = found.get(task, Tally()) + answer
    return found


def _evaluations(folder: Path, name: str) -> list[Evaluation]:
    try:
        records = [record for record in read_records(folder) if not record.is_lost]
    except NoRecords as error:
        raise SourceError(str(error)) from None
    if not records:
        raise SourceError(f"{folder} holds no judged answer yet")
    return [Evaluation(name, contender, _tallies(own)) for contender, own in sorted(contenders(records).items())]


def _tallies(records: Sequence[Record]) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for record in records:
        task, answer = task_name(record.question), Tally.of(record.acc == 1.0, bool(record.trajectory.calls))
        found[task] = found.get(task, Tally()) + answer
    return dict(sorted(found.items()))


def _placement(file: Path) -> Placement:
    try:
        manifest = load_manifest(file)
    except ManifestError as error:
        raise SourceError(str(error)) from error
    return Placement(f"{file.resolve().parent.name}/{file.stem}", manifest)
