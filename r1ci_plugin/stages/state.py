"""What is finished: a JSON file in the runs folder, replaced as a whole, so that it is never half written."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from r1ci_plugin.stages.errors import StageFailed

FILE = "stages.json"


@dataclass(frozen=True, slots=True)
class Finished:
    """A stage that was checked at its end."""

    stage: int
    steps: int
    """Optimizer steps."""
    policy: str
    """Hugging Face folder of the policy it ended with."""
    weights: str
    """Digest of that policy (`r1ci_plugin.weights`)."""
    began_with: str | None
    """Digest of the policy it started from; None: a name on the Hub."""
    seen_in_engine: bool
    """The rollout engine held `began_with` at the first batch; False where it cannot say, and the files vouch."""
    manifest: str | None
    groups: dict[int, int]
    """Rows it trained on, by potential group."""
    recipe: str
    """Digest of the composed recipe (`run_folder.Settings.digest`)."""
    overrides: tuple[str, ...]
    ended: str
    """UTC, ISO 8601."""


class State:
    """The finished stages of a runs folder."""

    def __init__(self, runs: Path) -> None:
        self.path = runs / FILE
        self._finished = _read(self.path)

    def get(self, stage: int) -> Finished | None:
        return self._finished.get(stage)

    def put(self, finished: Finished) -> None:
        self._finished[finished.stage] = finished
        lines = [asdict(entry) for _, entry in sorted(self._finished.items())]
        partial = self.path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump({"stages": lines}, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)


def _read(path: Path) -> dict[int, Finished]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stages = [_finished(entry) for entry in content["stages"]]
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise StageFailed(
            f"{path} is damaged ({error})", f"move {path} away: finished stages are found again by their folders"
        ) from None
    return {finished.stage: finished for finished in stages}


def _finished(data: dict[str, object]) -> Finished:
    groups, overrides = data["groups"], data["overrides"]
    if not (isinstance(groups, dict) and isinstance(overrides, list)):
        raise TypeError("groups is no object, or overrides is no list")
    return Finished(
        **{  # type: ignore[arg-type]  # a missing or unknown key is a TypeError
            **data,
            "groups": {int(group): rows for group, rows in groups.items()},
            "overrides": tuple(overrides),
        }
    )
