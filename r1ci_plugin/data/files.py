"""Which files a job reads, what lies beside them, and whose questions they hold. Left out: the rows (`row.py`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

KEYS = ("train_files", "val_files")
RECORD = "build.json"
"""Beside the files of a data set: its plan, and how it was built (`build.py`)."""


def file_names(setting: Any) -> list[str]:
    """A setting of files as a list: verl takes one name or a list of them."""
    return [setting] if isinstance(setting, str) else list(setting)


def data_files(config: Any, keys: Iterable[str] = KEYS) -> Iterator[Path]:
    """The files of a composed configuration."""
    return (Path(os.path.expanduser(name)) for key in keys for name in file_names(config.data[key]))


def tasks_in(files: Iterable[Path]) -> list[str]:
    """The tasks of all rows, by name. Raises OSError, ValueError or KeyError for what is no parquet file of ours."""
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    columns = (parquet.read_table(file, columns=["data_source"]) for file in files)
    return sorted({name for table in columns for name in compute.unique(table["data_source"]).to_pylist()})
