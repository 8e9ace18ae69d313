"""The records of a run, from its folder or from one file. Left out: writing them (`journal.py`, `runner.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from r1ci_plugin.evaluation.scores import contenders
from r1ci_plugin.journal import read_lines
from r1ci_plugin.record import Record

TRAJECTORIES = "trajectories.jsonl"
"""In the folder of an evaluation; a training run has a folder `trajectories` of such files."""


class NoRecords(ValueError):
    """There is nothing to read. The message says what was looked for."""


def files_of(place: Path) -> list[Path]:
    """The files of records of a run folder, or the file itself. Raises NoRecords."""
    found = [place] if place.is_file() else [place / TRAJECTORIES, *sorted((place / "trajectories").glob("*.jsonl"))]
    found = [path for path in found if path.is_file()]
    if not found:
        raise NoRecords(f"{place} holds no {TRAJECTORIES}: name the folder that `r1ci eval run --out` wrote")
    return found


def read_records(place: Path) -> Iterator[Record]:
    """All records of a run, in the order of writing, also of one that is still running. Raises NoRecords."""
    for path in files_of(place):
        for line in read_lines(path):
            try:
                yield Record.from_dict(line)
            except (KeyError, TypeError, ValueError) as error:
                raise NoRecords(
                    f"{path}: a line is no record of a trajectory ({type(error).__name__}: {error})"
                ) from None


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
        raise NoRecords(f"there is no run {place}")
    found = read_contenders(Path(folder))
    if not name and len(found) == 1:
        return place, next(iter(found.values()))
    if name not in found:
        choices = " or ".join(f"'{folder}:{one}'" for one in found)
        raise NoRecords(f"{folder} holds {len(found)} contenders: name one, {choices}")
    return place, found[name]
