"""What a job says of its start: one line a process, at its first batch, readable whatever a crash did to the file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from r1ci_plugin.curriculum import starts
from r1ci_plugin.curriculum.sampler import CurriculumSampler
from r1ci_plugin.curriculum.starts import FILE, Start, StartWriter, append_start, read_starts
from r1ci_plugin.leftovers import MARK

DATASET = SimpleNamespace(stage=2, manifest_digest="feed", sampler=CurriculumSampler([2, 1, 0, 2, 3], weights=(1, 1)))


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "_engine_digest", lambda: "0123")


def test_a_process_writes_its_first_batch_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, str(tmp_path))
    first, second = StartWriter(), StartWriter()
    first.write(0, DATASET)
    first.write(1, DATASET)
    second.write(7, DATASET)
    expected = [Start(step, 2, "feed", {1: 1, 2: 2}, "0123") for step in (0, 7)]
    assert read_starts(tmp_path) == expected


def test_without_a_run_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MARK, raising=False)
    monkeypatch.chdir(tmp_path)
    StartWriter().write(0, DATASET)
    assert not list(tmp_path.iterdir())


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    start = Start(0, 1, None, {1: 4}, None)
    append_start(tmp_path, start)
    line = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(line + line[:20])
    assert read_starts(tmp_path) == [start]
    assert read_starts(tmp_path / "nowhere") == []
