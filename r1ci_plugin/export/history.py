"""The runs behind a policy, first stage first, each with what its metrics say. Read-only."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from r1ci_plugin.metrics import validation_acc
from r1ci_plugin.stages.run_folder import RunFolder, Settings
from r1ci_plugin.stages.state import State

WINDOW = 10
"""Training steps that are averaged at either end; in a shorter stage, half of its steps."""


@dataclass(frozen=True, slots=True)
class TrainedStage:
    """One run. Accuracies are shares of right answers in 0..1, None where nothing was logged."""

    stage: int
    steps: int
    groups: dict[int, int]
    """Rows trained on, by potential group."""
    first_acc: float | None
    """Mean over the first `WINDOW` steps, of the training answers."""
    last_acc: float | None
    held_out_before: float | None
    """Mean over the training tasks, on held-out questions."""
    held_out_after: float | None
    recipe: str
    """Digest of the composed recipe."""
    manifest: str | None
    overrides: tuple[str, ...]
    """As on the command line; folders by their last part."""


def runs_behind(run: RunFolder) -> list[RunFolder]:
    """The run and those its policy comes from, first stage first. Raises StageFailed if it is no run."""
    chain = [run]
    while (before := _before(chain[0])) is not None:
        chain.insert(0, before)
    return chain


def _before(run: RunFolder) -> RunFolder | None:
    """The run whose policy this one started from."""
    settings = run.settings()
    parents = Path(settings.policy).parents
    if len(parents) > 2 and parents[1].name.startswith("global_step_"):
        return _run_at(parents[2])
    state = State(run.path.parent)  # with the SFT policy as reference, the recipe does not name the stage before
    ours, before = state.get(settings.stage), state.get(settings.stage - 1)
    if ours is None or before is None or run.path.absolute() not in Path(ours.policy).parents:
        return None
    return _run_at(Path(before.policy).parents[2])


def _run_at(path: Path) -> RunFolder | None:
    run = RunFolder(path)
    return run if run.launches() else None


def describe(run: RunFolder) -> TrainedStage:
    """What the files of a run say of it."""
    settings, starts, metrics = run.settings(), run.starts(), run.metrics()
    accs = [metrics[step]["r1ci/reward/acc"] for step in metrics if "r1ci/reward/acc" in metrics[step]]
    window = min(WINDOW, max(1, len(accs) // 2))
    held_out = [acc for step in metrics if (acc := validation_acc(metrics[step])) is not None]
    return TrainedStage(
        stage=settings.stage,
        steps=run.last_step(),
        groups=starts[-1].groups if starts else {},
        first_acc=statistics.mean(accs[:window]) if accs else None,
        last_acc=statistics.mean(accs[-window:]) if accs else None,
        held_out_before=held_out[0] if held_out else None,
        held_out_after=held_out[-1] if len(held_out) > 1 else None,
        recipe=settings.digest,
        manifest=starts[-1].manifest if starts else None,
        overrides=tuple(_portable(text) for text in settings.overrides),
    )


def canary_tasks(settings: Settings) -> list[str]:
    """Tasks whose training questions are public test questions, as the record of the data set says."""
    found: set[str] = set()
    for folder in {file.parent for file in settings.train_files}:
        try:
            record = json.loads((folder / "build.json").read_text(encoding="utf-8"))
            found.update(record["plan"]["trains_on_canary"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # data of the user's own
    return sorted(found)


def licence_of(policy: str) -> str | None:
    """The licence that the card of a policy's folder states."""
    try:
        lines = (Path(policy) / "README.md").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next(_front_matter(lines, "license"), None)


def _front_matter(lines: list[str], key: str) -> Iterator[str]:
    if not lines or lines[0] != "---":
        return
    for line in lines[1:]:
        if line == "---":
            return
        name, _, value = line.partition(":")
        if name == key and value.strip():
            yield value.strip()


def _portable(text: str) -> str:
    """An override without the folders of the machine it was given on."""
    key, separator, value = text.partition("=")
    bare = value.strip("'\"")
    return f"{key}{separator}{Path(bare).name}" if bare.startswith(("/", "~")) else text
