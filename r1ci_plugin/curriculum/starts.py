"""What every start of a run really began with, said by the job itself: a line of `starts.jsonl` in the run folder.

verl restores step, data order and weights from whatever checkpoint lies in the run folder, whatever the recipe says. So
the job reports them from the inside, at its first batch, before the first optimizer step: the step, the rows it draws
from, and the weights the rollout engine holds. Left out: judging the lines (`stages/check.py`).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from r1ci_plugin.curriculum.sampler import CurriculumSampler
from r1ci_plugin.leftovers import MARK

FILE = "starts.jsonl"


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a job."""

    step: int
    """Optimizer steps done before it: 0, or the step of the checkpoint it went on from."""
    stage: int
    manifest: str | None
    """Digest of the manifest; None: every question is in group 1."""
    groups: dict[int, int]
    """Rows it draws from, by potential group."""
    weights: str | None
    """`r1ci_plugin.weights.digest` of the rollout engine; None where the engine cannot say (vLLM)."""


class StartWriter:
    """Writes one line a process, at the first training batch."""

    def __init__(self) -> None:
        self._written = False

    def write(self, step: int, dataset: Any) -> None:
        """step: optimizer steps done before this batch. dataset: the `CurriculumDataset`. Without a run folder in the
        environment (`leftovers.MARK`) nothing is written."""
        folder = os.environ.get(MARK)
        if self._written or not folder:
            return
        self._written = True
        groups = rows_by_group(dataset.sampler)
        append_start(Path(folder), Start(step, dataset.stage, dataset.manifest_digest, groups, _engine_digest()))


def rows_by_group(sampler: CurriculumSampler) -> dict[int, int]:
    """Rows that a sampler draws from, by potential group."""
    return dict(sorted(Counter(sampler.groups[sampler.eligible()].tolist()).items()))


def append_start(folder: Path, start: Start) -> None:
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(start)) + "\n")


def read_starts(folder: Path) -> list[Start]:
    """All starts of a run, oldest first; a line cut by a crash is left out."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [start for line in lines if (start := _parse(line)) is not None]


def _parse(line: str) -> Start | None:
    try:
        data = json.loads(line)
        return Start(**{**data, "groups": {int(group): rows for group, rows in data["groups"].items()}})
    except (ValueError, KeyError, TypeError):
        return None


def _engine_digest() -> str | None:
    """Which weights the rollout engine of this job holds. Only our CPU engine can say."""
    import ray

    from r1ci_plugin.rollout.cpu.replica import server_name

    try:
        server = ray.get_actor(server_name(0))
    except ValueError:
        return None
    return str(ray.get(server.digest.remote()))
