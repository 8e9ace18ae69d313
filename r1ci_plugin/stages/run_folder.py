"""The files that a run of a recipe leaves in its folder, read: settings, metrics, starts, checkpoints.

    hydra/TIME/.hydra/       config.yaml, overrides.yaml of every start          (Hydra)
    metrics/TIME.jsonl       {"step", "data"}, one file a start                  (verl's file logger)
    starts.jsonl             what every start really began with                  (curriculum/starts.py)
    global_step_N/           checkpoints; latest_checkpointed_iteration.txt      (verl)
    console.log              what a job said that the driver or a script started

Left out: judging what is read (`check.py`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from r1ci_plugin.checkpoints import newest_step
from r1ci_plugin.curriculum.starts import Start, read_starts
from r1ci_plugin.data.files import file_names
from r1ci_plugin.metrics import Metrics, read_steps
from r1ci_plugin.stages.errors import StageFailed

UPDATED = "actor/grad_norm"
"""verl logs it in every step in which the optimizer moved (verl/workers/engine)."""


@dataclass(frozen=True)
class Settings:
    """What a start was configured to do: the composed recipe with its overrides."""

    config: Any
    """An OmegaConf tree, interpolations unresolved."""
    overrides: tuple[str, ...]

    def get(self, key: str) -> Any:
        from omegaconf import OmegaConf

        return OmegaConf.select(self.config, key)

    @property
    def stage(self) -> int:
        return int(self.get("r1ci.stage"))

    @property
    def total_steps(self) -> int | None:
        steps = self.get("trainer.total_training_steps")
        return None if steps is None else int(steps)

    @property
    def policy(self) -> str:
        """Folder or Hub name that model, reference and tokenizer were loaded from."""
        return str(self.get("actor_rollout_ref.model.path"))

    @property
    def manifest(self) -> str | None:
        manifest = self.get("r1ci.manifest")
        return None if manifest is None else str(manifest)

    @property
    def train_files(self) -> list[Path]:
        return [Path(name) for name in file_names(self.get("data.train_files"))]

    @cached_property
    def digest(self) -> str:
        """16 hex digits that name the recipe: the same on every machine, so folders count by their last part."""
        from omegaconf import OmegaConf

        tree = OmegaConf.to_container(self.config)
        assert isinstance(tree, dict)
        tree.pop("ray_kwargs", None)  # of this machine, with times in it
        return hashlib.sha256(json.dumps(_portable(tree), sort_keys=True).encode()).hexdigest()[:16]


class RunFolder:
    """One run of a recipe. Nothing is kept in memory: the run may go on while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def console(self) -> Path:
        return self.path / "console.log"

    def settings(self) -> Settings:
        """Of the newest start. Raises StageFailed if there was none."""
        configs = sorted(self.path.glob("hydra/*/.hydra/config.yaml"))
        if not configs:
            raise StageFailed(
                f"{self.path} holds no run of a recipe", "name the folder of a run, such as runs/r1ci_stage1"
            )
        from omegaconf import OmegaConf

        overrides = OmegaConf.load(configs[-1].with_name("overrides.yaml"))
        return Settings(OmegaConf.load(configs[-1]), tuple(map(str, overrides)))

    def launches(self) -> int:
        """Starts that came as far as a composed configuration."""
        return len(list(self.path.glob("hydra/*/.hydra/config.yaml")))

    def starts(self) -> list[Start]:
        return read_starts(self.path)

    def metrics(self) -> dict[int, Metrics]:
        """Metrics by step, of all starts."""
        return read_steps(self.path)

    def updated_steps(self) -> set[int]:
        """Steps in which the optimizer moved, as far as they were logged."""
        return {step for step, data in self.metrics().items() if UPDATED in data}

    def last_step(self) -> int:
        """Step of the newest whole checkpoint; 0 without one."""
        return newest_step(self.path) or 0

    def checkpoint(self) -> Path:
        """The newest whole checkpoint of the actor."""
        return self.path / f"global_step_{self.last_step()}" / "actor"


def _portable(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _portable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_portable(value) for value in node]
    if isinstance(node, str) and node.startswith("/"):
        return node.rstrip("/").rpartition("/")[2]
    return node
