"""Which checkpoint of a run is the newest: verl's note of it in the run folder.

Left out: what lies in a checkpoint (verl), whether a policy was exported (`recipe_files.py`, `stages/handover.py`).
"""

from __future__ import annotations

from pathlib import Path

TRACKER = "latest_checkpointed_iteration.txt"
"""Its name (verl/utils/checkpoint/checkpoint_handler.py). verl writes it once a checkpoint is whole."""


def newest_step(run: Path) -> int | None:
    """The step of the newest whole checkpoint in a run folder; None without one."""
    try:
        return int((run / TRACKER).read_text())
    except (OSError, ValueError):
        return None
