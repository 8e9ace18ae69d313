"""r1ci_plugin: the R1-Code-Interpreter method for the RL framework verl.

The public names below are imported when first used, so that `import r1ci_plugin` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "get_task": "tasks",
    "list_tasks": "tasks",
    "Question": "tasks",
    "Verdict": "tasks",
    "ExecResult": "interpreter",
    "LocalExecutor": "interpreter",
    "RemoteExecutor": "interpreter",
    "improvement_potential": "curriculum",
    "build_manifest": "curriculum",
    "CurriculumSampler": "curriculum",
    "CurriculumDataset": "curriculum",
    "CurriculumReplayBuffer": "curriculum",
    "CodeInterpreterAgentLoop": "rollout",
    "R1CIRewardManager": "reward",
}
"""Public name to the subpackage that has it."""

__all__ = ["__version__", *sorted(_HOME)]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
