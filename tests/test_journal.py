"""The journal: whatever was written stays, whatever was torn is done again, nothing is there twice."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r1ci_plugin.journal import Journal, JournalDamaged, JournalInUse, read_lines


@given(
    texts=st.lists(st.text(max_size=30), min_size=1, max_size=8),
    cut=st.floats(min_value=0, max_value=1),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_a_file_cut_anywhere_keeps_its_whole_lines_and_takes_the_rest_again(
    tmp_path: Path, texts: list[str], cut: float
) -> None:
    file = tmp_path / "journal.jsonl"
    file.unlink(missing_ok=True)
    lines = [{"key": str(number), "text": text} for number, text in enumerate(texts)]
    with Journal(file) as journal:
        for line in lines:
            journal.append(line)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(cut * len(whole))])
    kept = whole[: int(cut * len(whole))].count(b"\n")
    assert len(list(read_lines(file))) == kept
    with Journal(file) as journal:
        assert len(journal) == kept
        for line in lines:
            if line["key"] not in journal:
                journal.append(line)
        assert [journal.get(line["key"]) for line in lines] == lines
    assert file.read_bytes() == whole


def test_a_key_is_taken_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl") as journal:
        journal.append({"key": "a"})
        with pytest.raises(ValueError, match="a is in"):
            journal.append({"key": "a"})


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "j.jsonl"),
        pytest.raises(JournalInUse, match="another process"),
        Journal(tmp_path / "j.jsonl"),
    ):
        pass


def test_a_file_damaged_in_the_middle_is_not_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text('{"key": "a"}\nnonsense\n{"key": "b"}\n')
    with pytest.raises(ValueError, match="damaged at byte 13"), Journal(file):
        pass
    assert file.read_text().count("\n") == 3


def test_halves_of_surrogate_pairs_do_not_stop_a_run(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.append({"key": "a", "text": json.loads('"\\ud83d"')})
        assert journal.get("a")["text"] == "?"


def test_readers_refuse_what_a_damaged_line_would_hide(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text('{"key": "a"}\nnonsense\n{"key": "b"}\n')
    with pytest.raises(JournalDamaged, match="damaged at byte 13"):
        list(read_lines(file))
    file.write_text('{"key": "a"}\n{"key": "b"')
    assert [line["key"] for line in read_lines(file)] == ["a"]


def test_a_line_that_did_not_fit_on_the_disk_leaves_no_half_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) < 20:
            return real(file, data)
        if data.startswith(b"{"):
            return real(file, data[:5])
        raise OSError(errno.ENOSPC, "no space left on device")

    with Journal(tmp_path / "j.jsonl") as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="no space"):
            journal.append({"key": "long", "text": 30 * "x"})
        journal.append({"key": "short"})
    assert [line["key"] for line in read_lines(tmp_path / "j.jsonl")] == ["short"]
