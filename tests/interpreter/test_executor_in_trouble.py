"""A machine in trouble: folders that go or cannot be written, few descriptors, a host that stops or cannot start."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.interpreter.local import executor as executor_module
from r1ci_plugin.interpreter.local import launch, line

ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The runtime folder of this test alone; pytest's own has too long a path for a socket."""
    with tempfile.TemporaryDirectory(prefix="r1ci") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        assert launch.runtime_folder() == Path(folder)
        yield Path(folder)


async def test_a_runtime_folder_that_vanishes_costs_no_call(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the last login session of the user ends, and /run/user/UID with it."""
    session, elsewhere = runtime / "session", runtime / "elsewhere"
    session.mkdir(), elsewhere.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    async with LocalExecutor(1) as executor:
        assert (await executor.run("print(1)")).stdout == "1\n"
        first = executor.host_pid
        shutil.rmtree(session)
        for _ in range(200):
            result = await executor.run("import numpy; print(2)")  # of a template that has to be started
            assert result.stdout == "2\n", result
            if executor.host_pid != first:
                break
            await asyncio.sleep(0.05)
        assert executor.host_pid != first and list(elsewhere.iterdir())


async def test_a_host_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_SILENCE_S", 0.2)
    monkeypatch.setattr(executor_module, "_MOST_HOSTS_LOST", 2)
    monkeypatch.setattr(line, "_GREETING_S", 0.5)
    async with LocalExecutor(1, shared=False, queue_timeout=0.5) as executor:
        assert (await executor.run("print(1)")).stdout == "1\n"
        os.kill(executor.host_pid, signal.SIGSTOP)
        result = await asyncio.wait_for(executor.run("print(2)", timeout=0.1), 30)
        assert result.status == "sandbox_error" and "host" in result.reason


async def test_a_host_that_cannot_start_is_an_error_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_module, "_MOST_HOSTS_LOST", 2)
    monkeypatch.setattr(launch, "_BOOT", "raise SystemExit('no room at the inn')")
    executor = LocalExecutor(1, shared=False)
    result = await asyncio.wait_for(executor.run("print(1)"), 30)
    await executor.close()
    assert result.status == "sandbox_error" and "no room at the inn" in result.reason


@pytest.mark.usefixtures("runtime")
async def test_a_socket_left_by_a_killed_host_is_replaced() -> None:
    executor = LocalExecutor(1)
    folder = launch.folder_for(executor._settings)
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stale:
        stale.bind(str(folder / "socket"))
    assert (await executor.run("print(1)")).stdout == "1\n"
    await executor.close()


@pytest.mark.usefixtures("runtime")
async def test_a_folder_that_others_may_enter_is_refused() -> None:
    executor = LocalExecutor(1)
    launch.folder_for(executor._settings).mkdir(mode=0o755)
    result = await executor.run("print(1)")
    assert result.status == "sandbox_error" and "not a private folder of this user: remove it" in result.reason


def test_an_unusable_runtime_folder_is_passed_over(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    too_long = runtime / ("x" * 90)
    too_long.mkdir()
    for path in (too_long, runtime / "missing", Path("/proc/self")):  # the last one has every permission
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
        assert launch.runtime_folder() != path


def test_no_writable_folder_at_all_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.gettempdir", none)
    monkeypatch.setattr("tempfile.mkdtemp", lambda **_: os.open("/nowhere/at/all", 0))
    with pytest.raises(OSError, match="set XDG_RUNTIME_DIR or TMPDIR"):
        launch.runtime_folder()


@pytest.mark.parametrize(
    "trouble",
    [
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))",
        "import os; os.umask(0o077); [os.environ.pop(name, None) for name in ('HOME', 'USER', 'PATH', 'LANG')]",
    ],
    ids=["256 descriptors", "umask and no HOME"],
)
def test_calls_run_all_the_same_with(trouble: str, tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        import asyncio, sys
        sys.path.insert(0, {ROOT!r})
        {trouble}
        from r1ci_plugin.interpreter import LocalExecutor
        async def main():
            async with LocalExecutor(64, shared=False) as executor:
                results = await asyncio.gather(*(executor.run(f"print({{n}})") for n in range(150)))
                print([r for n, r in enumerate(results) if r.stdout != f"{{n}}\\n"])
        asyncio.run(main())
    """)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "[]\n"), ended.stdout[-2000:] + ended.stderr[-2000:]
