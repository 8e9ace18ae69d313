"""Thin wrappers of the kernel calls that Python lacks: mount, unshare, prctl, capabilities. Errors are OSError.

Left out: what they are used for; see `namespaces`, `landlock` and `seccomp`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable

from .syscalls import number

libc = ctypes.CDLL(None, use_errno=True)
_fork = ctypes.PyDLL(None, use_errno=True).fork
"""The C library's, called with the interpreter held still."""

NEW_MOUNT, NEW_UTS, NEW_IPC = 0x20000, 0x4000000, 0x8000000
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, NO_ATIME = 1, 2, 4, 8, 32, 1024
BIND, RECURSIVE, PRIVATE = 4096, 16384, 1 << 18
DETACH = 2

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 24, 38, 47
_LAST_CAPABILITY = 63


def check(value: int) -> int:
    """Return the value of a C call, or raise the OSError that it left behind."""
    if value < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return value


def syscall(name: str, *arguments: object) -> int:
    """A system call by name. Raises OSError, also for a call that this machine does not have."""
    nr = number(name)
    if nr is None:
        raise OSError(38, f"this machine has no system call {name}")
    return check(libc.syscall(ctypes.c_long(nr), *arguments))


def prepare(name: str, *arguments: object) -> Callable[[], None]:
    """A system call of which everything is ready but the call itself. It raises OSError, as `syscall` does.

    In a process just forked each object that is touched first costs the copy of a page; this touches few.
    """
    nr = number(name)
    if nr is None:
        raise OSError(38, f"this machine has no system call {name}")
    call, fixed = libc.syscall, (ctypes.c_long(nr), *arguments)

    def perform() -> None:
        if call(*fixed) < 0:
            check(-1)

    return perform


def fork() -> int:
    """Fork a process that has one thread; as os.fork, without what Python does afterwards for those that had more.

    Locks, import state and the table of threads are as good in the child as they were. Not done either: the new seed
    for `random`.
    """
    return check(_fork())


def fork_beside() -> int:
    """As `fork`, but the child is a child of this process's parent, which it outlives. It must not start threads."""
    beside, child_ended = 0x8000, 17
    return syscall("clone", ctypes.c_long(beside | child_ended), None, None, None, None)


def kill_all_others() -> bool:
    """End every other process that this one can see. False, and no exception, where there is none: the usual case."""
    return int(libc.kill(-1, 9)) == 0 or ctypes.get_errno() != errno.ESRCH


def unshare(flags: int) -> None:
    check(libc.unshare(flags))


def mount(source: str, target: str, kind: str | None, flags: int = 0, options: str | None = None) -> None:
    """mount(2); `source` is "none" where the kernel does not read it."""
    check(
        libc.mount(
            os.fsencode(source),
            os.fsencode(target),
            None if kind is None else kind.encode(),
            ctypes.c_ulong(flags),
            None if options is None else options.encode(),
        )
    )


def unmount(target: str) -> None:
    """Detach a mount at once, also where files of it are still open."""
    check(libc.umount2(os.fsencode(target), DETACH))


def pivot_root(new: str, old: str) -> None:
    syscall("pivot_root", os.fsencode(new), os.fsencode(old))


def seal_mounts(target: str, flags: int = READ_ONLY | NO_SUID | NO_DEV) -> None:
    """Set the flags on a mount and on all below it. Needs Linux 5.12."""
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    recursive, here = 0x8000, -100
    syscall(
        "mount_setattr",
        here,
        os.fsencode(target),
        recursive,
        ctypes.c_char_p(attributes),
        ctypes.c_size_t(len(attributes)),
    )


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that forked it ends."""
    check(libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0))


def set_dumpable(value: bool) -> None:
    """Whether other processes of this user may look into this one (ptrace, /proc/PID/mem)."""
    check(libc.prctl(_PR_SET_DUMPABLE, int(value), 0, 0, 0))


def no_new_privileges() -> None:
    check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def drop_capability_bounds() -> None:
    """Give up the right to ever gain a capability, or to pass one on.

    Needs a capability itself; without it there is nothing to give up.
    """
    for capability in range(_LAST_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)


def capability_drop() -> Callable[[], None]:
    """What gives up every capability of the process that calls it."""
    version_3 = struct.pack("Ii", 0x20080522, 0)
    return prepare("capset", ctypes.c_char_p(version_3), ctypes.c_char_p(bytes(24)))
