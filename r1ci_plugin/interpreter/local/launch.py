"""Finds the machine's host process, or starts it: whoever comes first, under a lock, so that there is one.

Clients with the same settings, interpreter and version share a host through a socket in a folder that only their user
can enter. Left out: talking to it (`line`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from r1ci_plugin.interpreter.local import packages
from r1ci_plugin.interpreter.local.host.remover import remove

_HOST_CODE = Path(__file__).parent / "host"
_BOOT = (
    "import importlib, importlib.util, json, sys; name, home, role, fd, settings = sys.argv[1:];"
    "spec = importlib.util.spec_from_file_location(name, home + '/__init__.py', submodule_search_locations=[home]);"
    "package = importlib.util.module_from_spec(spec); sys.modules[name] = package; spec.loader.exec_module(package);"
    "importlib.import_module(name + '.main').main(['-c', sys.orig_argv[sys.orig_argv.index('-c') + 1], name, home],"
    " role, int(fd), json.loads(settings))"
)
_NAME = "_harness"
_LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True)
class HostSettings:
    """What makes two clients want the same host."""

    slots: int
    floor: str
    level: str | None
    packages: tuple[str, ...]
    temporary: bool = False
    """The host's folder is for one client alone, and goes with the host."""


def boot_command(role: str) -> list[str]:
    """The command of a process in this role; a descriptor's number and the settings as JSON follow it."""
    return [sys.executable, "-I", "-S", "-B", "-c", _BOOT, _NAME, str(_HOST_CODE), role]


def folder_for(settings: HostSettings) -> Path:
    """The shared folder of all clients of this user with these settings, interpreter and version of the code."""
    facts = [sys.executable, sys.version, str(_HOST_CODE)]
    facts += [f"{path.name} {path.stat().st_mtime_ns}" for path in sorted(_HOST_CODE.glob("*.py"))]
    key = hashlib.sha256(json.dumps([asdict(settings), facts]).encode()).hexdigest()[:12]
    return runtime_folder() / f"r1ci-{os.getuid()}-{key}"


def runtime_folder() -> Path:
    """Where folders of hosts lie. Raises OSError if there is no place for one."""
    for path in (os.environ.get("XDG_RUNTIME_DIR"), _temporary_folder(), "/tmp"):
        if path and len(path) < _LONGEST_SOCKET_PATH - 40 and _takes_folders(path):
            return Path(path)
    raise OSError("no writable folder for the interpreter's socket: set XDG_RUNTIME_DIR or TMPDIR to a short path")


def _takes_folders(path: str) -> bool:
    """Tried, not asked: permissions say nothing about a full, a read-only or a special file system."""
    try:
        os.rmdir(tempfile.mkdtemp(prefix="r1ci-try-", dir=path))
    except OSError:
        return False
    return True


def _temporary_folder() -> str | None:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:  # it found none that can be written
        return None


def connect(folder: Path, settings: HostSettings) -> tuple[socket.socket, subprocess.Popen[bytes] | None]:
    """A connection to the host of this folder, and the host's process if it had to be started. Blocks for a moment."""
    _make_private(folder)
    with open(folder / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return _dial(folder), None
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ECONNREFUSED):
                raise
        process = _start(folder, settings)
        return _dial(folder), process


def _make_private(folder: Path) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise PermissionError(f"{folder} is not a private folder of this user: remove it")


def _dial(folder: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        line.connect(str(folder / "socket"))
    except OSError:
        line.close()
        raise
    return line


def _start(folder: Path, settings: HostSettings) -> subprocess.Popen[bytes]:
    """Start a host on a socket that already listens: whoever connects from now on is served once it is up."""
    for left in (folder / "site", folder / "root", folder / "work", *folder.glob("tree-*")):
        remove(str(left))
    packages.link(folder / "site", packages.locate(settings.packages))
    (folder / "socket").unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with listener, open(folder / "host.log", "wb") as log:
        listener.bind(str(folder / "socket"))
        listener.listen(128)
        message = json.dumps({"folder": str(folder), **asdict(settings)})
        return subprocess.Popen(
            [*boot_command("host"), str(listener.fileno()), message],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
