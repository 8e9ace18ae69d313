"""What a killed run leaves behind on this machine, found and ended when the same run starts again.

When a driver dies, Ray ends most of its processes at once and its agents within a minute; servers and workers of ours
end with the Ray process they belong to. What still lives when the run starts again would hold memory and ports. A
process belongs to a run if its environment holds `R1CI_RUN=<run folder>`, or if it writes to a file of the dead
driver's Ray session (Ray's processes rename themselves, which can wipe their environment; who only reads may be
looking at a log). Nothing else is ever touched. A lock on the run folder, held by the driver and dropped by the kernel
when it dies, tells a crashed run from one that is alive.

Left out: other nodes of a cluster (Ray ends a dead job's workers there).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

MARK = "R1CI_RUN"
"""Environment variable that names the run folder a process belongs to."""

_SESSION = re.compile(r"session_(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)_\d+_(\d+)")
"""Ray's name for the folder of a session: start of the driver (local time), and its process id."""

_locks: dict[Path, int] = {}


class RunInUse(RuntimeError):
    """Another live process drives this run folder."""


def take_over(folder: Path) -> int:
    """Lock a run folder for this process and end the left-overs of the last start; returns how many were ended.

    Raises RunInUse while another driver is alive.
    """
    last = _lock(folder)
    sessions = [] if last is None else ray_sessions(*last)
    ended: set[int] = set()
    deadline = time.monotonic() + 5.0
    while (victims := belonging(folder, sessions)) and time.monotonic() < deadline:
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended.update(victims)
        time.sleep(0.1)
    return len(ended)


def belonging(folder: Path, sessions: list[Path]) -> list[int]:
    """Live processes of this user that belong to the run, without this one and those it descends from."""
    mark = f"{MARK}={folder}".encode()
    spared = _ancestors()
    return sorted(
        pid
        for pid in _live_processes()
        if pid not in spared and (mark in _environment(pid) or any(_writes_to(pid, session) for session in sessions))
    )


def ray_sessions(pid: int, started: float) -> list[Path]:
    """The folder of the Ray session that the driver `pid`, started at this time, opened: none or one.

    Process ids come round again, so of several sessions of the same id the first after the start is the one.
    """
    found = []
    for folder in (Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray").glob(f"session_*_{pid}"):
        match = _SESSION.fullmatch(folder.name)
        if match and datetime.strptime(match[1], "%Y-%m-%d_%H-%M-%S").timestamp() >= int(started):
            found.append(folder)
    return sorted(found)[:1]


def _lock(folder: Path) -> tuple[int, float] | None:
    """Lock the folder; gives the process id and start time of the last driver, None if there was none."""
    if folder in _locks:
        return None
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    words = os.read(handle, 64).decode(errors="replace").split()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        owner = words[0] if words else "that starts right now"
        raise RunInUse(f"the run folder {folder} is in use by process {owner}") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()} {time.time():.0f}".encode(), 0)
    _locks[folder] = handle  # kept open: the lock lives as long as the process
    try:
        return int(words[0]), float(words[1])
    except (IndexError, ValueError):
        return None


def _live_processes() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _status(int(entry.name))[0] not in ("Z", ""):
            yield int(entry.name)


def _status(pid: int) -> tuple[str, int]:
    """State letter and parent of a process; ("", 0) if it is gone."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        return "", 0
    return state, int(parent)


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []  # gone, or another user's


def _writes_to(pid: int, folder: Path) -> bool:
    """Whether a process has a file below the folder open for writing."""
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
    for handle in handles:
        with contextlib.suppress(OSError):
            if folder in handle.readlink().parents and _is_for_writing(pid, handle.name):
                return True
    return False


def _is_for_writing(pid: int, handle: str) -> bool:
    """Raises OSError if the process or the handle is gone."""
    facts = Path(f"/proc/{pid}/fdinfo/{handle}").read_text()
    flags = next(int(line.split()[1], 8) for line in facts.splitlines() if line.startswith("flags:"))
    return flags & os.O_ACCMODE != os.O_RDONLY


def _ancestors() -> set[int]:
    pid, found = os.getpid(), set[int]()
    while pid > 0 and pid not in found:
        found.add(pid)
        pid = _status(pid)[1]
    return found
