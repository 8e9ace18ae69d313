"""The folder of a run of answers: `trajectories.jsonl` (a record a line) and `run.json` (what the run was asked to do).

A folder belongs to one set of settings: starting another run in it would mix answers that cannot be compared, so that
is refused with the settings that differ. Left out: reading the records (`record_files.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import r1ci_plugin
from r1ci_plugin.journal import Journal
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.record_files import TRAJECTORIES

SETTINGS = "run.json"


class OtherRun(ValueError):
    """The folder holds a run with other settings, or no run. The message says which differ and what to do."""


@contextmanager
def open_run(folder: Path, settings: Mapping[str, Any]) -> Iterator[Journal]:
    """The journal of the run with these JSON-able settings in `folder`. A folder without an answer belongs to no run
    yet, so a first try with a mistaken option does no harm. Raises OtherRun, JournalInUse, JournalDamaged.
    """
    with Journal(folder / TRAJECTORIES) as journal:
        _claim(folder, settings, is_fresh=not len(journal))
        yield journal


def _claim(folder: Path, settings: Mapping[str, Any], *, is_fresh: bool) -> None:
    file = folder / SETTINGS
    wanted = json.loads(json.dumps(settings))
    if file.exists() and not is_fresh:
        found = read_settings(folder)
        known = {name: value for name, value in found.items() if name != "versions"}
        differing = sorted(name for name in wanted.keys() | known.keys() if wanted.get(name) != known.get(name))
        if differing:
            name = differing[0]
            raise OtherRun(
                f"{folder} holds a run with other settings ({', '.join(differing)}; e.g. {name} was "
                f"{known.get(name)!r}, now {wanted.get(name)!r}): name another folder with --out"
            )
        return
    versions = {"r1ci_plugin": r1ci_plugin.__version__, "protocol": PROTOCOL}
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps({**wanted, "versions": versions}, indent=1, ensure_ascii=False), encoding="utf-8")
    os.replace(partial, file)


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of a run. Raises OtherRun if the folder is none."""
    try:
        settings: dict[str, Any] = dict(json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise OtherRun(f"{folder} is no folder of a run ({error}): `r1ci eval run --out {folder}` makes one") from None
    return settings
