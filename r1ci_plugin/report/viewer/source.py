"""Where the records of a run lie: evaluation, potential and fine-tuning data in one journal, training in many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from r1ci_plugin.journal import read_lines
from r1ci_plugin.record import Record


class NoRecords(ValueError):
    """A path that leads to no records, or a file that holds something else."""


def find_files(run: Path) -> list[Path]:
    """The journals of a run folder (`trajectories.jsonl`, `trajectories/*.jsonl`), or the one file that `run` names.

    Raises NoRecords.
    """
    if run.is_file():
        return [run]
    if not run.is_dir():
        raise NoRecords(
            f"there is no run {run}: name the folder of an evaluation or training run, or a .jsonl file of trajectories"
        )
    found = [run / "trajectories.jsonl", *sorted((run / "trajectories").glob("*.jsonl"))]
    files = [file for file in found if file.is_file()]
    if not files:
        raise NoRecords(
            f"{run} holds neither trajectories.jsonl nor trajectories/*.jsonl: name the folder of an evaluation or a "
            "training run, or a .jsonl file of trajectories"
        )
    return files


def read_records(files: Iterable[Path]) -> Iterator[Record]:
    """The records of all files in order; a line that is still being written is left out. Raises NoRecords."""
    for file in files:
        for number, line in enumerate(read_lines(file), 1):
            try:
                yield Record.from_dict(line)
            except (KeyError, TypeError, AttributeError) as error:
                raise NoRecords(
                    f"line {number} of {file} is no trajectory record ({type(error).__name__}: {error})"
                ) from None
