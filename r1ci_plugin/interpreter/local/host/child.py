"""One call: the process that is forked for it, locks itself in, waits for the code, runs it, and ends.

The child is forked and locked in *before* its call arrives; what is left to do then is to set this call's limits and
to run. It never returns and holds no descriptor of the harness once the code runs. Left out: the clock and the kill,
which are the slot's.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from dataclasses import dataclass

from . import kernel, landlock, runner, wire
from .seccomp import Filter

OUTPUT_BYTES = 4 << 20
"""The longest file, and so the most that is stored of an output stream."""
SETUP_FAILED = 98
_DESCRIPTORS = 128


@dataclass
class Cage:
    """What every call of a slot is locked into."""

    work: str
    rules: int | None
    """A Landlock ruleset's descriptor, where the kernel has it."""
    filter: Filter
    base_bytes: int
    """Address space of the template, on top of which a call gets its memory."""
    threads: int | None
    """The most threads, where the kernel counts them for the slot alone; elsewhere the address space bounds them."""
    null: int
    """A descriptor of /dev/null."""


def live(cage: Cage, line: socket.socket) -> None:
    """Run one call and end the process. `line`: where the call comes in; only the word that set-up is done goes out."""
    status = SETUP_FAILED
    try:
        lock_in(cage)
        status = _serve(cage, line)
    except BaseException as error:
        # The line is closed once the code runs, so nothing the code raises ends up here.
        wire.send(line, {"failed": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(status)


def lock_in(cage: Cage) -> None:
    """Everything that is the same for each call, in the order in which each step still has the right to be taken."""
    os.setsid()
    os.dup2(cage.null, 0)
    for kind, value in (
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_SIGPENDING, 128),  # also counts timers; shared with all processes of the user
    ):
        resource.setrlimit(kind, (value, value))
    if cage.threads is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (cage.threads, cage.threads))
    os.chdir(cage.work)
    _reseed()
    kernel.drop_capabilities()
    if cage.rules is not None:
        landlock.restrict(cage.rules)
    cage.filter.install(os.getpid())


def _serve(cage: Cage, line: socket.socket) -> int:
    call, descriptors = wire.receive(line)
    code, out, err, *stdin = descriptors
    if stdin:
        os.dup2(stdin[0], 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    source = os.pread(code, os.fstat(code).st_size, 0)
    seconds = int(call["timeout"]) + 1
    space = cage.base_bytes + (int(call["memory_mb"]) << 20)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    wire.send(line, {"started": time.perf_counter()})
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


def _reseed() -> None:
    """Python reseeds `random` after a fork; the generators of libraries would give every call the same numbers."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and "numpy.random" in sys.modules:
        numpy.random.seed()
    symbolic = sys.modules.get("sympy.core.random")
    if symbolic is not None:
        symbolic.rng.seed()
