"""Which files a job reads and whose questions they hold."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from omegaconf import OmegaConf

from r1ci_plugin.data.files import data_files, tasks_in


def written(file: Path, tasks: list[str]) -> Path:
    parquet.write_table(pa.table({"data_source": tasks, "more": list(range(len(tasks)))}), file)
    return file


def test_one_name_and_a_list_of_names_are_files_alike() -> None:
    config = OmegaConf.create({"data": {"train_files": "~/a.parquet", "val_files": ["/b.parquet", "/c.parquet"]}})
    assert list(data_files(config)) == [Path("~/a.parquet").expanduser(), Path("/b.parquet"), Path("/c.parquet")]
    assert list(data_files(config, ["val_files"])) == [Path("/b.parquet"), Path("/c.parquet")]


def test_every_task_of_every_row_is_named_once(tmp_path: Path) -> None:
    one = written(tmp_path / "one.parquet", ["symbench/letters", "bbh/navigate", "symbench/letters"])
    two = written(tmp_path / "two.parquet", ["bbh/navigate", "bbh/word_sorting"])
    assert tasks_in([one, two]) == ["bbh/navigate", "bbh/word_sorting", "symbench/letters"]
    assert tasks_in([]) == []


def test_what_is_no_data_of_ours_is_an_error_that_callers_can_name(tmp_path: Path) -> None:
    text, foreign = tmp_path / "text.parquet", tmp_path / "foreign.parquet"
    text.write_text("no parquet")
    parquet.write_table(pa.table({"more": [1]}), foreign)
    for file in (text, foreign, tmp_path / "absent.parquet"):
        with pytest.raises((OSError, ValueError, KeyError)):
            tasks_in([file])
