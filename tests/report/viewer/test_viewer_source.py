"""Which files of a run the viewer reads, and what it says of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.journal import Journal
from r1ci_plugin.report.viewer import NoRecords, find_files, read_records


def _write(file: Path, records: list[Any]) -> Path:
    with Journal(file) as journal:
        for record in records:
            journal.append(record.to_dict())
    return file


def test_a_run_is_a_folder_of_one_journal_or_many_or_a_file(tmp_path: Path, make_record: Callable[..., Any]) -> None:
    one = _write(tmp_path / "eval" / "trajectories.jsonl", [make_record(1)])
    many = [_write(tmp_path / "train" / "trajectories" / f"{name}.jsonl", [make_record(name)]) for name in "ba"]
    assert find_files(one.parent) == find_files(one) == [one]
    assert find_files(tmp_path / "train") == sorted(many)
    assert [record.key for record in read_records(find_files(tmp_path / "train"))] == ["key-a", "key-b"]


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path, make_record: Callable[..., Any]) -> None:
    file = _write(tmp_path / "run.jsonl", [make_record(1), make_record(2)])
    file.write_bytes(file.read_bytes()[:-20])
    assert [record.key for record in read_records([file])] == ["key-1"]


@pytest.mark.parametrize("line", [{"key": "a"}, {"key": "a", "question": 3}, {"key": "a", "question": {}, "agent": ""}])
def test_other_lines_are_refused_by_number(tmp_path: Path, line: dict[str, Any]) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text(json.dumps(line) + "\n")
    with pytest.raises(NoRecords, match=r"line 1 of .*other\.jsonl is no trajectory record"):
        list(read_records([file]))


def test_a_path_without_records_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NoRecords):
            find_files(path)
