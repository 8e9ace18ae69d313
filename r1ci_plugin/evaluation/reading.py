"""The records of a run by contender, for statistics.

Left out: reading them all (`record_files.py`), writing them (`runner.py`).
"""

from __future__ import annotations

from pathlib import Path

from r1ci_plugin.evaluation.scores import contenders
from r1ci_plugin.record import Record
from r1ci_plugin.record_files import NoRecords, read_records


def read_contenders(place: Path) -> dict[str, list[Record]]:
    """The records of every contender of a run. Raises NoRecords, also where a run has none yet."""
    found = contenders(list(read_records(place)))
    if not found:
        raise NoRecords(f"{place} holds no trajectories yet")
    return found


def read_contender(place: str) -> tuple[str, list[Record]]:
    """Name and records of one contender: `FOLDER` where it is the only one, else `FOLDER:NAME`.

    Raises NoRecords with the names there are.
    """
    folder, name = place, ""
    if not Path(place).exists():
        folder, _, name = place.rpartition(":")
    if not folder or not Path(folder).exists():
        raise NoRecords(f"there is no run {place}: name the folder that `r1ci eval run --out` wrote")
    found = read_contenders(Path(folder))
    if not name and len(found) == 1:
        return place, next(iter(found.values()))
    if name not in found:
        choices = " or ".join(f"'{folder}:{one}'" for one in found)
        raise NoRecords(f"{folder} holds {len(found)} contenders: name one, {choices}")
    return place, found[name]
