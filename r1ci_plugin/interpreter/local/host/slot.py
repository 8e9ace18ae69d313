"""A slot: forked from a template and isolated for good, it gives every call a process and ends what the call leaves.

    fork a child that waits for a call -> watch the clock once its code starts -> kill all -> answer -> clean up

The child takes the call from the host by itself. The slot never holds code or output: what it held, the next child
would inherit.
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
_MOST_THREADS = 128
"""Where they are counted for the slot's user (`seccomp`) or by looking (`landlock`)."""
_MOST_THREADS_IN_NAMESPACE = 64
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


class Slot:
    """Serves the calls that arrive on `line`, one after the other, until the other end is closed."""

    def __init__(self, plan: Plan, line: socket.socket) -> None:
        self._line = line
        self._level = plan.level
        self._view = plan.view
        self._rules: int | None = None
        base = _address_space()
        self._counter = _open_counter() if plan.level == "ns" else None
        self._scratch = self._move_in(plan)
        os.chdir(self._scratch.path)
        self._word, self._tell = os.pipe()
        self._poll = select.poll()
        self._poll.register(line, 0)  # only for its hanging up: nobody wants the result any more
        self._poll.register(self._word, select.POLLIN)
        self._cage = Cage((), Filter(files_too=plan.level == "landlock"), base)
        self._renew_rules()
        _set_environment(self._scratch.path)
        gc.collect()
        gc.freeze()

    @staticmethod
    def _move_in(plan: Plan) -> Scratch:
        """Take this process to its place, and give up for good what neither it nor its children need."""
        if plan.level == "ns":
            namespaces.enter(plan.view, plan.root, jail.FIRST_USERS[0] + plan.number if os.getuid() == 0 else None)
            scratch = Scratch(namespaces.SCRATCH, mounted=True)
        elif plan.level == "landlock":
            kernel.die_with_parent()
            scratch = Scratch(plan.work, mounted=False)
        else:
            scratch = Scratch(jail.enter(plan.root, plan.number), mounted=False)
        child.limit_for_good(_thread_limit(plan.level))
        kernel.drop_capability_bounds()
        kernel.no_new_privileges()
        kernel.set_dumpable(False)
        return scratch

    def serve(self) -> None:
        """Serve until the host is gone, or until the slot cannot be made as new for the next call. Raises only for a
        fault of the slot itself, which then ends."""
        with contextlib.suppress(wire.PeerGone):
            while self._serve_one():
                if self._scratch.is_dirty():
                    if not self._scratch.renew():
                        break
                    os.chdir(self._scratch.path)
                    self._renew_rules()
        self._scratch.give_up()

    def _serve_one(self) -> bool:
        """Fork a child, let it take a call, and answer for it. False: the host is gone."""
        self._count_anew()
        pid = kernel.fork()
        if pid == 0:
            child.live(self._cage, self._line, self._tell)
        handle = os.pidfd_open(pid)
        self._poll.register(handle, select.POLLIN)
        try:
            start = self._await_start(handle)
            ended_by = self._watch(handle, pid, *start) if start else self._kill(pid, "hung up")
            ended = time.perf_counter()
            _, status, usage = os.wait4(pid, 0)
            if self._level == "ns":
                _kill_everyone()
        finally:
            self._poll.unregister(handle)
            os.close(handle)
        if start is None or ended_by == "hung up":
            return False
        wire.send_end(
            self._line,
            ended_by,
            exit_code=os.waitstatus_to_exitcode(status),
            run_s=ended - start[0],
            cpu_s=usage.ru_utime + usage.ru_stime,
            max_rss_mb=usage.ru_maxrss / 1024,
        )
        return True

    def _count_anew(self) -> None:
        """Have the next process be number 2 of the namespace: how many the last call started would be a note."""
        if self._counter is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self._counter, b"1", 0)

    def _await_start(self, handle: int) -> tuple[float, float] | None:
        """When the child's code started, and its time limit; None if the host hangs up. Raises RuntimeError if the
        child ends before."""
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll()]
            if self._word in ready:
                started, timeout = child.STARTED.unpack(os.read(self._word, child.STARTED.size))
                return started, timeout
            if self._line.fileno() in ready:
                return None
            if handle in ready:
                raise RuntimeError("the process for a call ended before its code started")

    def _watch(self, handle: int, pid: int, started: float, timeout: float) -> str:
        """Wait for the child's end and kill it at a limit; says which limit, or nothing. The code starts the clock."""
        deadline = started + timeout
        while True:
            left = deadline - time.perf_counter()
            if left <= 0:
                return self._kill(pid, "timeout")
            step = left if self._level == "ns" else min(left, _QUOTA_EVERY_S)
            ready = self._poll.poll(max(step * 1000, 0.5))
            if ready:
                if any(descriptor != handle for descriptor, _ in ready):
                    return self._kill(pid, "hung up")
                return "disk" if self._scratch.is_over_quota() else ""
            if self._scratch.is_over_quota():
                return self._kill(pid, "disk")
            if self._level == "landlock" and _threads_of(pid) > _MOST_THREADS:
                return self._kill(pid, "threads")

    @staticmethod
    def _kill(pid: int, why: str) -> str:
        os.kill(pid, signal.SIGKILL)
        return why

    def _renew_rules(self) -> None:
        """Landlock on top, also inside namespaces, where the kernel has it; its rules name the work folder. `seccomp`
        is the level without."""
        if self._rules is not None:
            os.close(self._rules)
        self._rules = None if self._level == "seccomp" else self._make_rules()
        doors = [] if self._level == "ns" else [kernel.die_with_parent]  # there the kernel ends it with process 1
        doors.append(kernel.capability_drop())
        if self._rules is not None:
            doors.append(landlock.restriction(self._rules))
        self._cage.doors = tuple(doors)

    def _make_rules(self) -> int | None:
        # In a root of its own nothing needs to be left out of the library: fewer rules, and every call pays for each.
        readable = self._view.roots() if self._level == "ns" else self._view.readable()
        try:
            return landlock.ruleset(readable, [self._scratch.path, "/dev/null"])
        except OSError:
            if self._level != "ns":
                raise
            return None


def _kill_everyone() -> None:
    """End whatever else lives in the process namespace; this process is its first and is spared."""
    if kernel.kill_all_others():
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * _PAGE


def _open_counter() -> int | None:
    """What takes the number behind which a process namespace goes on counting: that of whoever writes. None where the
    kernel has no such file or does not let us."""
    try:
        return os.open("/proc/sys/kernel/ns_last_pid", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _thread_limit(level: str) -> int | None:
    """What the kernel can hold a slot to; None where it would count other processes as well."""
    if level == "seccomp":
        return _MOST_THREADS  # the slot's user is its own
    return _MOST_THREADS_IN_NAMESPACE if level == "ns" and _counts_threads_by_namespace() else None


def _counts_threads_by_namespace() -> bool:
    """Since Linux 5.14 the limit is counted per user namespace; before, per user of the whole machine."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(filter(str.isdigit, minor)) or 0)) >= (5, 14)


def _threads_of(pid: int) -> int:
    """How many threads a process has; 0 if it is gone."""
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2
    except OSError:
        return 0


def _set_environment(work: str) -> None:
    os.environ.clear()
    os.environ.update(
        HOME=work, TMPDIR=os.path.join(work, "tmp"), PATH="/usr/bin:/bin", LC_ALL="C.UTF-8", OPENBLAS_NUM_THREADS="1"
    )
