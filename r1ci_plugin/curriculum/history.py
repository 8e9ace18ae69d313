"""The ledger file of a run: one JSON line for every question of every step, with its answers and its pass rate.

    {"step": 3, "question_id": "...", "task": "bbh/navigate", "group": 1, "n": 5, "right": 2, "trained": true,
     "p": 0.43}

`trained` is false for a question whose answers gave no signal and were filtered; `p` is the pass rate after the step,
older answers fading. A run that starts again does the steps after its checkpoint anew: their lines are dropped at the
first new one, so that no step is in the file twice. Left out: the counts training works with (`ledger.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = "ledger.jsonl"
"""Its name in the run folder."""


class History:
    """Appends to the file in a run folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._is_continued = False

    def append(self, step: int, lines: Iterable[Mapping[str, Any]]) -> None:
        """Write the lines of a step, which come after all steps before."""
        if not self._is_continued:
            self._drop_from(step)
            self._is_continued = True
        text = "".join(json.dumps({"step": step, **line}, separators=(",", ":")) + "\n" for line in lines)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)

    def _drop_from(self, step: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_history(self.path) if line["step"] < step]
        fresh = self.path.with_suffix(".fresh")
        fresh.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in kept), encoding="utf-8")
        os.replace(fresh, self.path)


def read_history(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a ledger file that may still be written to; a torn last line is left out."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)
