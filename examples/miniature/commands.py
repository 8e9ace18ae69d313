"""Running the package's own commands: one log a command, one line on the terminal, no child left behind.

Left out: which commands (`shared.py`, `training.py`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

R1CI = (sys.executable, "-m", "r1ci_plugin")
GRACE_S = 40.0
"""For a job to end after SIGTERM: `r1ci stages run` ends its own first."""

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()
_ending = threading.Event()


class CommandFailed(RuntimeError):
    """A command ended badly. The message names its log."""


def run(
    command: Sequence[object],
    log: Path,
    environment: Mapping[str, object] | None = None,
    *,
    ended: Callable[[], bool] = lambda: False,
) -> float:
    """Run a command to its end; gives its seconds.

    ended: asked every second; when it says so, the command is stopped and that is no failure. Raises CommandFailed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    words = [str(word) for word in command]
    variables = {**os.environ, "R1CI_BACKEND": "cpu", **{key: str(value) for key, value in (environment or {}).items()}}
    with log.open("ab") as file:
        file.write(f"$ {' '.join(words)}\n".encode())
        file.flush()
        with _lock:
            if _ending.is_set():
                raise CommandFailed("the driver ends")
            process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, env=variables)
            _running.add(process)
        try:
            stopped = _wait(process, ended)
        except BaseException:
            _stop(process)
            raise
        finally:
            with _lock:
                _running.discard(process)
    if process.returncode and not stopped:
        raise CommandFailed(f"{' '.join(words[:6])} ... ended with exit code {process.returncode}: read {log}")
    return time.monotonic() - started


def _wait(process: subprocess.Popen[bytes], ended: Callable[[], bool]) -> bool:
    """Whether it had to be stopped."""
    while True:
        try:
            process.wait(1.0)
            return False
        except subprocess.TimeoutExpired:
            if ended():
                _stop(process)
                return True


def stop_all() -> None:
    """End what still runs, and start nothing any more."""
    with _lock:
        _ending.set()
        left = list(_running)
    for process in left:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            continue
