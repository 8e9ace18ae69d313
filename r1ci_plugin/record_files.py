"""Where the records of a run lie, and reading them: the one reader of everything that shows or counts trajectories.

    RUN/trajectories.jsonl       an evaluation, a measurement of potential, fine-tuning data
    RUN/trajectories/*.jsonl     a training run, a file for each process that wrote

Left out: what a record holds (`record.py`), writing files that survive a kill (`journal.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from r1ci_plugin.journal import JournalDamaged, read_lines
from r1ci_plugin.record import Record

TRAJECTORIES = "trajectories.jsonl"


class NoRecords(ValueError):
    """A path that leads to no records, or a file that holds something else. The message says what would do."""


def find_files(run: Path) -> list[Path]:
    """The files of records of a run folder, or the one file that `run` names. Raises NoRecords where there is none."""
    if run.is_file():
        return [run]
    wanted = "name the folder of an evaluation or training run, or a .jsonl file of trajectories"
    if not run.is_dir():
        raise NoRecords(f"there is no run {run}: {wanted}")
    found = [run / TRAJECTORIES, *sorted((run / "trajectories").glob("*.jsonl"))]
    files = [file for file in found if file.is_file()]
    if not files:
        raise NoRecords(f"{run} holds neither {TRAJECTORIES} nor trajectories/*.jsonl: {wanted}")
    return files


def read_records(run: Path) -> Iterator[Record]:
    """The records of a run folder or of one file, in the order of writing; a line that is still being written is left
    out. Raises NoRecords, before the first record where there are no files.
    """
    for file in find_files(run):
        yield from _of_file(file)


def _of_file(file: Path) -> Iterator[Record]:
    number = 1
    try:
        for line in read_lines(file):
            yield Record.from_dict(line)
            number += 1
    except JournalDamaged as error:
        raise NoRecords(str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoRecords(
            f"line {number} of {file} is no record of a trajectory ({type(error).__name__}: {error})"
        ) from None
