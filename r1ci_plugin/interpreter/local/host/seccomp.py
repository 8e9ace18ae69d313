"""The system call filter of a code call: no processes, no network, no signals to others, no new calls.

A filter is a search tree over call numbers, so that few steps decide: the kernel runs it once for every number at
installation. Calls that a snippet needs in part (threads but not processes, signals to itself alone) are decided by
their arguments. Left out: files, which are `landlock`'s and `namespaces`' part.
"""

from __future__ import annotations

import ctypes
import errno

from .kernel import libc, prepare
from .syscalls import NEWEST, architecture, number

ALLOW, KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
REFUSE, UNKNOWN = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
_LOAD, _EQUAL, _AT_LEAST, _BITS, _AND, _JUMP, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x05, 0x06
_NUMBER, _ARCH = 0, 4
_OWN_PID = -1  # stands for the process that installs the filter
_X32 = 0x40000000

_NETWORK = "socket connect accept accept4 bind listen sendmsg sendmmsg"
_PROCESSES = """
    ptrace fork vfork execve execveat tkill rt_sigqueueinfo rt_tgsigqueueinfo process_vm_readv process_vm_writev
    kcmp pidfd_send_signal pidfd_open pidfd_getfd process_madvise process_mrelease setpriority ioprio_set
    sched_setaffinity sched_setscheduler sched_setparam sched_setattr migrate_pages move_pages mbind
    set_mempolicy set_mempolicy_home_node
"""
_NAMESPACES = """
    unshare setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick
    mount_setattr mknod mknodat
"""
_PRIVILEGE = """
    setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset personality seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self
"""
_KERNEL = """
    memfd_create memfd_secret bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
    io_setup io_submit init_module finit_module delete_module kexec_load kexec_file_load acct settimeofday
    clock_settime adjtimex clock_adjtime sethostname setdomainname iopl ioperm modify_ldt swapon swapoff reboot
    quotactl quotactl_fd syslog vhangup lookup_dcookie uselib ustat sysfs _sysctl nfsservctl vmsplice
    remap_file_pages sync syncfs cachestat mincore readahead fadvise64
"""
_NOTES = """
    add_key request_key keyctl shmget shmat shmctl semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr name_to_handle_at open_by_handle_at
    inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark flock setxattr lsetxattr fsetxattr
    removexattr lremovexattr fremovexattr
"""
_METADATA = "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat truncate"
"""Not covered by Landlock: refused wherever Landlock alone guards the files."""
_ABSENT = "clone3 openat2"
"""Answered as unknown: the C library then takes the older call, whose arguments a filter can read."""

Step = tuple[int, int, int, int]
"""Code, how many steps to jump if true and if false, operand."""


def _argument(index: int, high: bool = False) -> Step:
    return (_LOAD, 0, 0, 16 + 8 * index + (4 if high else 0))


def _one_of(index: int, values: tuple[int, ...], hit: int, miss: int) -> list[Step]:
    """Return `hit` if the argument is one of the values, else `miss`."""
    steps = [_argument(index)]
    for position, value in enumerate(values):
        steps.append((_EQUAL, len(values) - position, 0, value))
    return [*steps, (_RETURN, 0, 0, miss), (_RETURN, 0, 0, hit)]


def _no_truncating_reads(flags: int) -> list[Step]:
    """Opening for reading must not empty the file (older Landlock lets it), nor ask for no access at all (mode 3)."""
    truncate = 0o1000
    return [
        _argument(flags),
        (_AND, 0, 0, 3 | truncate),
        (_EQUAL, 3, 0, truncate),
        (_EQUAL, 2, 0, 3),
        (_EQUAL, 1, 0, 3 | truncate),
        (_RETURN, 0, 0, ALLOW),
        (_RETURN, 0, 0, REFUSE),
    ]


def _checked() -> dict[str, list[Step]]:
    """The calls that are decided by their arguments."""
    thread, new_namespaces = 0x10000, 0x7E020080
    set_owner, set_signal, set_owner_ex, lease, notify, pipe_size = 8, 10, 15, 1024, 1026, 1031
    get_terminal, size, readable, blocking, keep, drop = 0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451
    cold, page_out = 20, 21
    get_dumpable, set_name, get_name, get_privileges, name_memory = 3, 15, 16, 39, 0x53564D41
    only_threads: list[Step] = [_argument(0), (_BITS, 1, 0, new_namespaces), (_BITS, 1, 0, thread)]
    unaddressed: list[Step] = [_argument(4), (_EQUAL, 0, 2, 0), _argument(4, high=True), (_EQUAL, 1, 0, 0)]
    refuse_or_allow: list[Step] = [(_RETURN, 0, 0, REFUSE), (_RETURN, 0, 0, ALLOW)]
    return {
        "clone": only_threads + refuse_or_allow,
        "sendto": unaddressed + refuse_or_allow,
        "kill": _one_of(0, (_OWN_PID,), ALLOW, REFUSE),
        "tgkill": _one_of(0, (_OWN_PID,), ALLOW, REFUSE),
        "prlimit64": _one_of(0, (0, _OWN_PID), ALLOW, REFUSE),
        "fcntl": _one_of(1, (set_owner, set_signal, set_owner_ex, lease, notify, pipe_size), REFUSE, ALLOW),
        "ioctl": _one_of(1, (get_terminal, size, readable, blocking, keep, drop), ALLOW, REFUSE),
        "prctl": _one_of(0, (get_dumpable, set_name, get_name, get_privileges, name_memory), ALLOW, REFUSE),
        "socketpair": _one_of(0, (1,), ALLOW, REFUSE),
        "fallocate": _one_of(1, (0,), ALLOW, REFUSE),  # the other modes go round the limit of a file's size
        # Which pages of a shared file are in memory could be a note: no flags that tell it, no advice that sets it.
        "preadv2": _one_of(5, (0,), ALLOW, REFUSE),
        "pwritev2": _one_of(5, (0,), ALLOW, REFUSE),
        "madvise": _one_of(2, (cold, page_out), REFUSE, ALLOW),
        "open": _no_truncating_reads(1),
        "openat": _no_truncating_reads(2),
    }


class Filter:
    """Built once, installed in any number of processes. files_too: also refuse what Landlock cannot see."""

    def __init__(self, files_too: bool) -> None:
        steps = _program(files_too)
        self._steps = (_SockFilter * len(steps))(*(_SockFilter(*step, k & 0xFFFFFFFF) for *step, k in steps))
        self._own = [at for at, step in enumerate(steps) if step[3] == _OWN_PID]
        self._program = _SockFprog(len(steps), self._steps)
        self._install = prepare("seccomp", 1, 0, ctypes.byref(self._program))

    def install(self, pid: int) -> None:
        """Put the filter on this process, for good; `pid` is its own number, as it sees itself. The process must be
        barred from new privileges."""
        for at in self._own:
            self._steps[at].k = pid
        self._install()


class _SockFilter(ctypes.Structure):
    """The kernel's `struct sock_filter`: one step."""

    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _SockFprog(ctypes.Structure):
    """The kernel's `struct sock_fprog`: all of them."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.POINTER(_SockFilter)))


def _program(files_too: bool) -> list[Step]:
    _, audit = architecture()
    head: list[Step] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),  # the second door to the same calls, on x86-64
        (_RETURN, 0, 0, REFUSE),
    ]
    return head + _tree(_ranges(files_too))


def _ranges(files_too: bool) -> list[tuple[int, list[Step]]]:
    """(first number, what decides from there on), ascending from 0."""
    decided: dict[int, list[Step]] = {}
    refused = " ".join([_NETWORK, _PROCESSES, _NAMESPACES, _PRIVILEGE, _KERNEL, _NOTES, _METADATA if files_too else ""])
    for names, verdict in ((refused, REFUSE), (_ABSENT, UNKNOWN)):
        decided.update({nr: [(_RETURN, 0, 0, verdict)] for name in names.split() if (nr := number(name)) is not None})
    decided.update({nr: steps for name, steps in _checked().items() if (nr := number(name)) is not None})
    allow: list[Step] = [(_RETURN, 0, 0, ALLOW)]
    ranges: list[tuple[int, list[Step]]] = [(0, decided.get(0, allow))]
    for nr in range(1, NEWEST + 1):
        steps = decided.get(nr, allow)
        if steps != ranges[-1][1]:
            ranges.append((nr, steps))
    ranges.append((NEWEST + 1, [(_RETURN, 0, 0, UNKNOWN)]))
    return ranges


def _tree(ranges: list[tuple[int, list[Step]]]) -> list[Step]:
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    left, right = _tree(ranges[:middle]), _tree(ranges[middle:])
    if len(left) <= 255:
        return [(_AT_LEAST, len(left), 0, ranges[middle][0]), *left, *right]
    return [(_AT_LEAST, 0, 1, ranges[middle][0]), (_JUMP, 0, 0, len(left)), *left, *right]


def refuses_sockets() -> bool:
    """Whether a socket is refused here: the trial after an installation."""
    return int(libc.socket(1, 1, 0)) < 0
