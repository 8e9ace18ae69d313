"""A run that starts again ends what its own killed start left behind, and nothing of any other run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from r1ci_plugin import leftovers

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sleeping processes with an environment and open files of one's choice, and ends them at last."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(env: dict[str, str] | None = None, opens: Path | None = None) -> subprocess.Popen[bytes]:
        code = "import sys, time; files = [open(name, 'w') for name in sys.argv[1:]]; print('up', flush=True)"
        process = subprocess.Popen(
            [sys.executable, "-c", f"{code}; time.sleep(60)", *([str(opens)] if opens else [])],
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    run = tmp_path / "run"
    run.mkdir()
    yield run
    if handle := leftovers._locks.pop(run, None):
        os.close(handle)


def test_marked_processes_end_and_those_of_another_run_live(start: Start, folder: Path) -> None:
    ours, other = start({leftovers.MARK: str(folder)}), start({leftovers.MARK: f"{folder}2"})
    assert leftovers.take_over(folder) == 1
    assert ours.wait(5) == -9
    assert other.poll() is None


def test_processes_with_the_dead_drivers_ray_session_open_end(
    start: Start, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    started = 1_700_000_000
    name = time.strftime("session_%Y-%m-%d_%H-%M-%S", time.localtime(started + 8))
    sessions = [tmp_path / "ray" / f"{name}_000001_{pid}" / "logs" for pid in (4242, 4243)]
    for session in sessions:
        session.mkdir(parents=True)
    ours, other = (start(opens=session / "agent.log") for session in sessions)
    (folder / ".lock").write_text(f"4242 {started}")
    with subprocess.Popen(["tail", "-f", str(sessions[0] / "agent.log")], stdout=subprocess.DEVNULL) as reader:
        try:
            assert leftovers.take_over(folder) == 1
            assert reader.poll() is None, "somebody who only looks at a log"
        finally:
            reader.kill()
    assert ours.wait(5) == -9
    assert other.poll() is None


def test_of_several_sessions_with_one_process_id_the_first_after_the_start_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    started = 1_700_000_000
    folders = []
    for offset in (-100, 5, 900):
        name = time.strftime("session_%Y-%m-%d_%H-%M-%S", time.localtime(started + offset))
        folders.append(tmp_path / "ray" / f"{name}_000001_77")
        folders[-1].mkdir(parents=True)
    assert leftovers.ray_sessions(77, started) == [folders[1]]


def test_a_run_folder_in_use_is_refused_and_says_by_whom(folder: Path) -> None:
    code = "import sys, time, pathlib; from r1ci_plugin.leftovers import take_over; "
    code += "take_over(pathlib.Path(sys.argv[1])); print('up', flush=True); time.sleep(60)"
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(leftovers.__file__).parents[1])},
    )
    assert driver.stdout is not None
    with driver, driver.stdout:
        driver.stdout.readline()
        try:
            with pytest.raises(leftovers.RunInUse, match=str(driver.pid)):
                leftovers.take_over(folder)
        finally:
            driver.kill()
    assert leftovers.take_over(folder) == 0  # its lock died with it
