"""Did a stage begin at step 0, on the rows of its groups, with the old weights, and take every optimizer step?

Judged from what the job itself reported (`curriculum/starts.py`), verl's metrics and checkpoints, and the files it was
told to read; never from exit codes. A stage that began wrong is found at its first batch, not after its last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.assign import Assignment, Known, assign
from r1ci_plugin.curriculum.starts import FILE, Start, rows_by_group
from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.run_folder import RunFolder, Settings
from r1ci_plugin.weights import digest_of

AGAIN = "run the same command again"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a stage must begin with."""

    stage: int
    policy: str | None = None
    """Folder of `actor_rollout_ref.model.path`; None: whatever the recipe says."""
    weights: str | None = None
    """Digest of the policy it starts from; None: that of the folder the recipe names."""


def check_start(run: RunFolder, expected: Expected) -> list[Start]:
    """The starts of a run, all found right; an empty list while there is none. Raises StageFailed."""
    starts = run.starts()
    if not starts:
        return []
    settings = run.settings()
    anew = f"move {run.path} away, then {AGAIN}"
    if settings.stage != expected.stage:
        raise StageFailed(f"{run.path} holds a run of stage {settings.stage}, not {expected.stage}", anew)
    if expected.policy is not None and Path(settings.policy) != Path(expected.policy):
        raise StageFailed(f"stage {expected.stage} loaded the policy {settings.policy}, not {expected.policy}", anew)
    _check_steps_of_starts(starts, expected.stage, run, anew)
    for start in starts:
        _check_rows(start, settings, anew)
    weights = expected.weights or digest_of(settings.policy)
    for start in starts:
        if start.step == 0 and None not in (start.weights, weights) and start.weights != weights:
            raise StageFailed(
                f"stage {expected.stage} began with the weights {_short(start.weights)}, not with those of the policy "
                f"it starts from ({_short(weights)})",
                anew,
            )
    return starts


def check_end(run: RunFolder, expected: Expected) -> list[Start]:
    """As `check_start`, and every optimizer step was taken and saved. Raises StageFailed."""
    starts = check_start(run, expected)
    if not starts:
        raise StageFailed(
            f"stage {expected.stage} left no {FILE}: it never reached its first batch",
            f"read {run.console}, then {AGAIN}",
        )
    total, last = run.settings().total_steps, run.last_step()
    if total is None:
        raise StageFailed(
            f"stage {expected.stage} has no number of steps to reach", "set trainer.total_training_steps=N"
        )
    if last < total:
        raise StageFailed(
            f"stage {expected.stage} ended at step {last} of {total}",
            f"read {run.console} (a small trainer.total_epochs ends a stage early), then {AGAIN}: it goes on there",
        )
    if last > total:
        raise StageFailed(
            f"stage {expected.stage} has {last} steps behind it, not {total}",
            f"set trainer.total_training_steps={last}, or move {run.path} away",
        )
    _check_updates(run, starts, total, expected.stage)
    return starts


def _check_steps_of_starts(starts: Sequence[Start], stage: int, run: RunFolder, anew: str) -> None:
    """The first start is at step 0; every other at 0 again, or at a step that this run itself had reached."""
    reached = max(run.updated_steps() | {run.last_step()})
    for position, start in enumerate(starts):
        if start.stage != stage:
            raise StageFailed(f"a start of {run.path} trained stage {start.stage}, not {stage}", anew)
        if start.step and (position == 0 or start.step > reached):
            raise StageFailed(
                f"stage {stage} began at step {start.step}, not at step 0: it went on from a checkpoint of another run",
                anew,
            )


def _check_rows(start: Start, settings: Settings, anew: str) -> None:
    """The job draws from the rows that its settings, the manifest and the files give."""
    assignment = planned(settings)
    manifest = assignment.manifest.digest if settings.manifest is not None else None
    if start.manifest != manifest:
        raise StageFailed(
            f"stage {start.stage} trains by the manifest {start.manifest}, but {settings.manifest} is {manifest}", anew
        )
    if start.step:
        return  # a schedule may have cut groups anew since; verl's checkpoint is tied to its questions by digest
    wanted = rows_by_group(assignment.sampler)
    # overlong prompts are dropped, so a group may be smaller than its file says
    too_many = [group for group, rows in start.groups.items() if rows > wanted.get(group, 0)]
    missing = [group for group in wanted if not start.groups.get(group)]
    if too_many or missing:
        raise StageFailed(
            f"stage {start.stage} trains on {_rows(start.groups)}, but the manifest and the data give {_rows(wanted)}",
            anew,
        )


def planned(settings: Settings) -> Assignment:
    """What a run with these settings must draw from. Raises StageFailed where data or manifest cannot be read."""
    import pyarrow.parquet as parquet

    try:
        rows = [
            Known.of_row(row["data_source"], row["extra_info"])
            for file in settings.train_files
            for row in parquet.read_table(file, columns=["data_source", "extra_info"]).to_pylist()
        ]
        return assign(settings_from({"r1ci": settings.get("r1ci")}), rows)
    except (OSError, KeyError, ValueError) as error:
        raise StageFailed(f"the questions of the stage cannot be read: {error}", "restore the files") from None


def _check_updates(run: RunFolder, starts: Sequence[Start], total: int, stage: int) -> None:
    """Every step is in the metrics. verl saves a step before it validates and logs it: the line of a step that a start
    went on from, and of the last one, may be missing."""
    resumed = {total, *(start.step for start in starts)}
    missing = set(range(1, total + 1)) - run.updated_steps() - resumed
    if missing:
        raise StageFailed(
            f"stage {stage} has a checkpoint of step {total}, but its metrics show no optimizer step in "
            f"{len(missing)} of {total} steps, first {min(missing)}",
            f"move {run.path} away, then {AGAIN}",
        )


def _short(digest: str | None) -> str:
    return (digest or "unknown")[:16]


def _rows(groups: dict[int, int]) -> str:
    return ", ".join(f"{rows} rows of group {group}" for group, rows in sorted(groups.items())) or "no rows"
