"""Which measured questions and held-out tasks belong to a data set, and which question ids a file names. Reads files.

Left out: what is done with them (`build.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as parquet

from r1ci_plugin.curriculum.counts import Count, CountsError
from r1ci_plugin.data.files import RECORD


def counts_of_data(counts: Sequence[Count], data: Path) -> list[Count]:
    """The counts of the questions of a data set.

    data: a folder with train.parquet, or a parquet file of `r1ci data build`. Raises CountsError for questions that
    were not measured.
    """
    wanted = _questions(data / "train.parquet" if data.is_dir() else data)
    missing = wanted - {count.question_id for count in counts if count.n}
    if missing:
        raise CountsError(
            f"{len(missing)} of {len(wanted)} questions of {data} are not measured, e.g. {min(missing)}: "
            "`r1ci potential measure` goes on where it stopped"
        )
    return [count for count in counts if count.question_id in wanted]


def held_out_of(data: Path) -> list[str] | None:
    """The test tasks of the plan that a data set was built by; None where no plan lies beside it.

    data: as for `counts_of_data`. Raises CountsError for a plan that cannot be read.
    """
    file = (data if data.is_dir() else data.parent) / RECORD
    if not file.is_file():
        return None
    try:
        return list(json.loads(file.read_text(encoding="utf-8"))["plan"]["test"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CountsError(f"{file} holds no plan ({error}): `r1ci data build` writes it") from error


def question_ids_of(file: Path) -> list[str]:
    """The question ids in a JSON list. Raises ValueError if the file is none."""
    ids = json.loads(file.read_text(encoding="utf-8"))
    if not (isinstance(ids, list) and all(isinstance(name, str) for name in ids)):
        raise ValueError(f"{file} is not a JSON list of question ids")
    return ids


def _questions(file: Path) -> set[str]:
    try:
        infos = parquet.read_table(file, columns=["extra_info"])["extra_info"].to_pylist()
        return {info["question_id"] for info in infos}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CountsError(f"{file} holds no questions: {error}: `r1ci data build` makes them") from error
