"""The records of a run for statistics: of an evaluation or a training run, all or by contender.

Left out: writing them (`runner.py`), the folder of an evaluation (`run_folder.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from r1ci_plugin.evaluation import run_folder
from r1ci_plugin.evaluation.scores import contenders
from r1ci_plugin.journal import JournalDamaged
from r1ci_plugin.record import Record


class NoRecords(ValueError):
    """There is nothing to read. The message says what was looked for."""


def read_records(place: Path) -> Iterator[Record]:
    """All records of a run, in the order of writing, also of one that is still running. Raises NoRecords.

    `place` is the folder of an evaluation or of a training run (which has a folder `trajectories`), or one file.
    """
    files = sorted((place / "trajectories").glob("*.jsonl")) or [place]
    for file in files:
        try:
            yield from run_folder.read_records(file)
        except run_folder.OtherRun as error:
            raise NoRecords(f"{error}: name the folder that `r1ci eval run --out` wrote") from None
        except JournalDamaged as error:
            raise NoRecords(str(error)) from None


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
