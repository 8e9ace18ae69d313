"""One call: the process that is forked for it, locks itself in, waits for the code, runs it, and ends.

The child is forked and locked in *before* its call arrives; what is left to do then is to set this call's limits and
to run. It takes the call from the host itself, never returns, and holds no descriptor of the harness once the code
runs. A page that it touches is a page copied, so it does little and with few objects: what can be ready is made ready
in the slot. Left out: the clock and the kill, which are the slot's.
"""

from __future__ import annotations

import os
import resource
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import runner, wire
from .seccomp import Filter

OUTPUT_BYTES = 4 << 20
"""The longest file, and so the most that is stored of an output stream."""
SETUP_FAILED = 98
STARTED = struct.Struct("dd")
"""What a child says when the code starts: the clock's time and the code's limit, in seconds."""
_LIMITS = (
    (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
    (resource.RLIMIT_NOFILE, 128),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_MSGQUEUE, 0),
    (resource.RLIMIT_MEMLOCK, 0),
    (resource.RLIMIT_SIGPENDING, 128),  # also counts timers; shared with all processes of the user
)


@dataclass
class Cage:
    """What every call of a slot is locked into."""

    doors: tuple[Callable[[], None], ...]
    """What is given up first, in the order in which each step still has the right to be taken."""
    filter: Filter
    """The last door."""
    base_bytes: int
    """Address space of the template, on top of which a call gets its memory."""

    def lock(self) -> None:
        """Close what is the same for every call, but what the slot itself still needs open."""
        for close in self.doors:
            close()
        self.filter.install(os.getpid())


def limit_for_good(threads: int | None) -> None:
    """The limits that are the same for each call: a slot takes them on itself, its children inherit them.

    threads: the most of them, where the kernel counts them for the slot alone; elsewhere the slot looks how many there
    are.
    """
    for kind, value in _LIMITS:
        resource.setrlimit(kind, (value, value))
    if threads is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))


def live(cage: Cage, line: socket.socket, word: int) -> None:
    """Run one call and end the process. `line`: where the call comes in; `word`: where it is said that it starts."""
    status = SETUP_FAILED
    try:
        os.setsid()
        _have_no_input()
        _reseed()
        cage.lock()
        status = _serve(cage, line, word)
    except wire.PeerGone:
        status = 0
    except BaseException as error:
        # Nothing that the code raises ends up here.
        os.write(2, f"a code call could not be set up: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(status)


def _serve(cage: Cage, line: socket.socket, word: int) -> int:
    timeout, memory_mb, descriptors = wire.receive_order(line)
    code, out, err, *stdin = descriptors
    if stdin:
        os.dup2(stdin[0], 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    source = os.pread(code, os.fstat(code).st_size, 0)
    seconds = int(timeout) + 1
    space = cage.base_bytes + (memory_mb << 20)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    os.write(word, STARTED.pack(time.perf_counter(), timeout))
    os.closerange(3, 1024)
    status = runner.run(source)
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    return status


def _flush(stream: object) -> None:
    try:
        stream.flush()  # type: ignore[attr-defined]
    except BaseException:
        return


def _have_no_input() -> None:
    """Stdin ends at once. A pipe of this call's own: what calls share, even /dev/null, they could leave a flag on."""
    empty, other = os.pipe()
    os.dup2(empty, 0)
    os.close(empty)
    os.close(other)


def _reseed() -> None:
    """Without this the generators of all calls would give the same numbers."""
    threading.main_thread()._native_id = os.getpid()  # type: ignore[attr-defined]
    random = sys.modules.get("random")
    if random is not None:
        random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None and "numpy.random" in sys.modules:
        numpy.random.seed()
    symbolic = sys.modules.get("sympy.core.random")
    if symbolic is not None:
        symbolic.rng.seed()
