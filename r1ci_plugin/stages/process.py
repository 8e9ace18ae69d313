"""One verl job as a child process that may outlive its driver: a new driver finds it and follows it.

The child inherits a lock on `.job` in the run folder, which the kernel drops when it ends; the file holds its process
id. Left out: what a job that was killed leaves behind (`leftovers.py` ends that when the run starts again).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

FILE = ".job"
GRACE_S = 30.0
"""Seconds a job has to end after SIGTERM."""


class Job:
    """A job that was started here, or one that was found alive."""

    def __init__(
        self,
        folder: Path,
        pid: int,
        process: subprocess.Popen[bytes] | None = None,
        log: tuple[Path, int] | None = None,
    ) -> None:
        self._folder = folder
        self._pid = pid
        self._process = process
        self._log = log

    @classmethod
    def start(cls, command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]) -> Job:
        """Start a job for a run folder. Raises BlockingIOError while another one is alive there."""
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with log.open("ab") as output:
                place = output.tell()
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, pass_fds=[handle]
                )
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(process.pid).encode(), 0)
        finally:
            os.close(handle)  # the child's copy keeps the lock
        return cls(folder, process.pid, process, (log, place))

    @classmethod
    def find(cls, folder: Path) -> Job | None:
        """The live job that an earlier driver started for a run folder."""
        if not _locked(folder):
            return None
        deadline = time.monotonic() + 1.0
        while not (text := (folder / FILE).read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)  # a driver that starts it right now
        return cls(folder, int(text or 0))

    @property
    def code(self) -> int | None:
        """Exit code; None while it runs, and always for a job that was found."""
        return self._process.poll() if self._process is not None else None

    def is_alive(self) -> bool:
        return self._process.poll() is None if self._process is not None else _locked(self._folder)

    def last_words(self) -> str:
        """The line of its log that says most about its end: our own error, else Python's, else the last one."""
        if self._log is None:
            return "its log was opened by another process"
        path, place = self._log
        with path.open("rb") as file:
            file.seek(place)
            text = file.read().decode(errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        for mark in ("r1ci: ERROR", "Error: ", ""):
            if found := [line for line in lines if mark in line]:
                return found[-1][:300]
        return "it said nothing"

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL if that does not help."""
        for how, seconds in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, GRACE_S)):
            if not self.is_alive() or not self._pid:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, how)
            deadline = time.monotonic() + seconds
            while self.is_alive() and time.monotonic() < deadline:
                time.sleep(0.1)


def _locked(folder: Path) -> bool:
    try:
        handle = os.open(folder / FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
