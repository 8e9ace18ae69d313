"""Which files of a run hold its records, and what is said of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.journal import Journal
from r1ci_plugin.record import Record
from r1ci_plugin.record_files import NoRecords, find_files, read_records
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import Trajectory, Turn


def write(file: Path, *keys: str) -> Path:
    question = Question("symbench/number_multiply", 1, 2, "What is 6 * 7?", {"answer": 42})
    trajectory = Trajectory([65], [Turn([66], text="<<<42>>>")], outcome="answered")
    with Journal(file) as journal:
        for key in keys:
            journal.append(Record(key, question, "code_agent", trajectory, Verdict.correct()).to_dict())
    return file


def test_a_run_is_a_folder_of_one_file_or_many_or_a_file(tmp_path: Path) -> None:
    one = write(tmp_path / "eval" / "trajectories.jsonl", "1")
    many = [write(tmp_path / "train" / "trajectories" / f"{name}.jsonl", name) for name in "ba"]
    assert find_files(one.parent) == find_files(one) == [one]
    assert find_files(tmp_path / "train") == sorted(many)
    assert [record.key for record in read_records(tmp_path / "train")] == ["a", "b"]


def test_a_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    file = write(tmp_path / "run.jsonl", "1", "2")
    file.write_bytes(file.read_bytes()[:-20])
    assert [record.key for record in read_records(file)] == ["1"]


def test_a_line_that_is_damaged_is_not_passed_over(tmp_path: Path) -> None:
    file = write(tmp_path / "run.jsonl", "1", "2")
    file.write_bytes(b"half a line\n" + file.read_bytes())
    with pytest.raises(NoRecords, match="damaged at byte 0"):
        list(read_records(file))


@pytest.mark.parametrize("line", [{"key": "a"}, {"key": "a", "question": 3}, {"key": "a", "question": {}, "agent": ""}])
def test_other_lines_are_refused_by_number(tmp_path: Path, line: dict[str, Any]) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text(json.dumps(line) + "\n")
    with pytest.raises(NoRecords, match=r"line 1 of .*other\.jsonl is no record of a trajectory"):
        list(read_records(file))


def test_a_path_without_records_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NoRecords, match="name the folder"):
            list(read_records(path))
