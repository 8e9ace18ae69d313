"""Roughly what Docker's default profile leaves a container: no new namespaces, no mounts, few capabilities.

Written after the published profile, not checked against a Docker. Put on a process before it starts the executor, it
shows which level is then offered and that the list holds there. Without Landlock it is like a kernel before 5.13.
"""

from __future__ import annotations

import ctypes
import os
import struct

from r1ci_plugin.interpreter.local.host import kernel, seccomp, syscalls

_REFUSED = (
    "unshare setns mount umount2 pivot_root keyctl add_key request_key bpf perf_event_open userfaultfd io_uring_setup "
    "io_uring_enter io_uring_register kexec_load init_module delete_module acct open_tree move_mount fsopen fsconfig "
    "fsmount fspick mount_setattr quotactl name_to_handle_at"
)
_KEPT_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)


def put_on(landlock: bool = True) -> None:
    """Restrict this process and its children, for good. `landlock`: whether they may use it."""
    steps = [(0x20, 0, 0, 0)]
    clone, clone3 = syscalls.number("clone"), syscalls.number("clone3")
    steps += [(0x15, 0, 1, clone3), (6, 0, 0, seccomp.UNKNOWN)]
    steps += [
        (0x15, 0, 4, clone),
        (0x20, 0, 0, 16),
        (0x45, 1, 0, 0x7E020000),
        (6, 0, 0, seccomp.ALLOW),
        (6, 0, 0, seccomp.REFUSE),
    ]
    for name in _REFUSED.split():
        number = syscalls.number(name)
        if number is not None:
            steps += [(0x15, 0, 1, number), (6, 0, 0, seccomp.REFUSE)]
    if not landlock:
        steps += [(0x15, 0, 1, syscalls.number("landlock_create_ruleset")), (6, 0, 0, seccomp.UNKNOWN)]
    steps.append((6, 0, 0, seccomp.ALLOW))
    array = (seccomp._SockFilter * len(steps))(*(seccomp._SockFilter(*step) for step in steps))
    program = seccomp._SockFprog(len(steps), array)
    if os.getuid() == 0:
        _keep_capabilities()
    kernel.no_new_privileges()
    kernel.syscall("seccomp", 1, 0, ctypes.byref(program))


def _keep_capabilities() -> None:
    for capability in set(range(41)) - set(_KEPT_CAPABILITIES):
        kernel.libc.prctl(24, capability, 0, 0, 0)
    mask = sum(1 << capability for capability in _KEPT_CAPABILITIES)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = struct.pack("6I", low, low, 0, high, high, 0)
    kernel.syscall("capset", ctypes.c_char_p(struct.pack("Ii", 0x20080522, 0)), ctypes.c_char_p(data))
