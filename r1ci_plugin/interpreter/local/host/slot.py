"""A slot: forked from a template, in its isolation for good, it gives every call a process of its own and ends what
the call leaves.

    wait for a call -> hand it to the child that waits -> watch the clock -> kill all -> answer -> clean up -> fork
    the next child

The slot passes descriptors on and never reads code or output: what it held, the next child would inherit.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import time
from dataclasses import dataclass

from . import child, jail, kernel, landlock, namespaces, wire
from .child import Cage
from .scratch import Scratch
from .seccomp import Filter
from .view import View

_QUOTA_EVERY_S = 0.05
_SETUP_S = 10.0
"""How long a child may take to come to its code; the code's own time is not touched by it."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Plan:
    """What a template tells a slot about its place."""

    level: str
    view: View
    root: str
    """An empty folder to build a root on; at `seccomp` the root that was built."""
    work: str
    """A folder for the work folder of a slot without a root of its own."""
    number: int
    """Unique among the slots of this host that are alive."""
    first_user: int = 210_000


class Slot:
    """Serves the calls that arrive on `line`, one after the other, until the other end is closed."""

    def __init__(self, plan: Plan, line: socket.socket) -> None:
        self._line = line
        self._level = plan.level
        self._view = plan.view
        base = _address_space()
        null = os.open("/dev/null", os.O_RDONLY)  # before the root changes: the new one may have no devices
        if plan.level == "ns":
            namespaces.enter(plan.view, plan.root, plan.first_user + plan.number if os.getuid() == 0 else None)
            self._scratch = Scratch(namespaces.SCRATCH, mounted=True)
        elif plan.level == "landlock":
            kernel.die_with_parent()
            self._scratch = Scratch(plan.work, mounted=False)
        else:
            self._scratch = Scratch(jail.enter(plan.root, plan.number), mounted=False)
        kernel.drop_capability_bounds()
        kernel.set_dumpable(False)
        threads = 64 if plan.level == "ns" and _counts_threads_by_namespace() else None
        files_too = plan.level == "landlock"
        self._cage = Cage(self._scratch.path, None, Filter(files_too), base, threads, null)
        self._renew_rules()
        _set_environment(self._scratch.path)
        gc.collect()
        gc.freeze()

    def serve(self) -> None:
        """Serve until the host is gone. Raises only for a fault of the slot itself, which then ends."""
        try:
            self._serve()
        except wire.PeerGone:
            self._scratch.give_up()

    def _serve(self) -> None:
        waiting = _Waiting(self._cage, self._line)
        while True:
            call, descriptors = wire.receive(self._line)
            try:
                answer = self._one(waiting, call, tuple(descriptors))
            finally:
                wire.close_all(descriptors)
            wire.send(self._line, answer)
            if self._scratch.is_dirty():
                self._scratch.renew()
                self._renew_rules()
            waiting = _Waiting(self._cage, self._line)

    def _one(self, waiting: _Waiting, call: wire.Message, descriptors: tuple[int, ...]) -> wire.Message:
        sent = time.perf_counter()
        with contextlib.suppress(wire.PeerGone):  # it died while it waited; what it left to say is read below
            wire.send(waiting.line, call, descriptors)
        ended_by = self._watch(waiting, sent, float(call["timeout"]))
        ended = time.perf_counter()
        _, status, usage = os.wait4(waiting.pid, 0)
        if self._level == "ns":
            _kill_everyone()
        waiting.close()
        if waiting.started_at is None:
            return {"lost": waiting.failure or "the process for the call ended before its code started"}
        return {
            "exit_code": os.waitstatus_to_exitcode(status),
            "ended_by": ended_by,
            "run_s": ended - waiting.started_at,
            "slot_s": time.perf_counter() - sent,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "max_rss_mb": usage.ru_maxrss / 1024,
        }

    def _watch(self, waiting: _Waiting, sent: float, timeout: float) -> str:
        """Wait for the child's end and kill it at a limit; says which limit, or nothing. The clock starts when the
        code does."""
        poll = select.poll()
        poll.register(waiting.handle, select.POLLIN)
        poll.register(self._line, 0)  # only for its hanging up: nobody wants the result any more
        deadline = sent + timeout
        while True:
            left = deadline - time.perf_counter()
            if left <= 0:
                begun = waiting.hear()
                deadline = begun + timeout if begun is not None else sent + timeout + _SETUP_S
                left = deadline - time.perf_counter()
                if left <= 0:
                    return self._kill(waiting, "timeout")
            step = left if self._level == "ns" else min(left, _QUOTA_EVERY_S)
            ready = poll.poll(max(step * 1000, 0.5))
            if ready:
                if any(descriptor != waiting.handle for descriptor, _ in ready):
                    return self._kill(waiting, "hung up")
                return "disk" if self._scratch.is_over_quota() else ""
            if self._scratch.is_over_quota():
                return self._kill(waiting, "disk")

    @staticmethod
    def _kill(waiting: _Waiting, why: str) -> str:
        os.kill(waiting.pid, signal.SIGKILL)
        return why

    def _renew_rules(self) -> None:
        """Landlock on top, also inside namespaces, where the kernel has it; `seccomp` is the level without."""
        if self._level == "seccomp":
            return
        if self._cage.rules is not None:
            os.close(self._cage.rules)
            self._cage.rules = None
        # In a root of its own nothing needs to be left out of the library: fewer rules, and every call pays for each.
        readable = self._view.roots() if self._level == "ns" else self._view.readable()
        try:
            self._cage.rules = landlock.ruleset(readable, [self._scratch.path, "/dev/null"])
        except OSError:
            if self._level != "ns":
                raise


class _Waiting:
    """A child that is locked in and waits for its call."""

    def __init__(self, cage: Cage, slot_line: socket.socket) -> None:
        self.line, theirs = wire.pair()
        self.pid = os.fork()
        if self.pid == 0:
            kernel.die_with_parent()
            slot_line.close()
            self.line.close()
            child.live(cage, theirs)
        theirs.close()
        self.line.setblocking(False)
        self.started_at: float | None = None
        self.failure = ""
        self.handle = os.pidfd_open(self.pid)

    def hear(self) -> float | None:
        """When the code started, if it has."""
        with contextlib.suppress(wire.PeerGone, BlockingIOError):
            word, _ = wire.receive(self.line)
            self.started_at = word.get("started")
            self.failure = str(word.get("failed", ""))
        return self.started_at

    def close(self) -> None:
        """The child has ended: hear what it left to say, and let go of it."""
        if self.started_at is None:
            self.hear()
        os.close(self.handle)
        self.line.close()


def _kill_everyone() -> None:
    """End whatever else lives in the process namespace; this process is its first and is spared."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * _PAGE


def _counts_threads_by_namespace() -> bool:
    """Since Linux 5.14 the limit is counted per user namespace; before, per user of the whole machine."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(filter(str.isdigit, minor)) or 0)) >= (5, 14)


def _set_environment(work: str) -> None:
    os.environ.clear()
    os.environ.update(
        HOME=work, TMPDIR=os.path.join(work, "tmp"), PATH="/usr/bin:/bin", LC_ALL="C.UTF-8", OPENBLAS_NUM_THREADS="1"
    )
