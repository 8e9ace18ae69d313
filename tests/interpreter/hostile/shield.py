"""The outer shield of the hostile list: own process, network and IPC namespaces, the machine read-only, temporary
folders private.

Whatever a case manages to do, it does to a view of the machine that is gone a moment later. Needs root or user
namespaces; where neither is to be had the list is not run.
"""

from __future__ import annotations

import contextlib
import os
import sys

from r1ci_plugin.interpreter.local.host import kernel

_PRIVATE = ("/tmp", "/run", "/var/tmp", "/dev/shm", "/home", "/mnt", "/root")
SIGN = "R1CI_SHIELD"


def run_shielded(command: list[str], keep: list[str], user: int | None) -> int:
    """Run a command inside the shield, as `user` or as we are; return its exit code. `keep`: folders to show although
    they lie in one of the private ones."""
    outer = os.fork()
    if outer == 0:
        try:
            _build(keep)
            _go_on_as_first_process()
            kernel.mount("proc", "/proc", "proc", kernel.NO_SUID | kernel.NO_DEV | kernel.NO_EXEC)
            if user is not None:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            kernel.die_with_parent()
            environment = {**os.environ, SIGN: "1", "TRAINER_KEY": "key-of-the-trainer-777", "TMPDIR": "/tmp"}
            environment.pop("XDG_RUNTIME_DIR", None)
            os.execve(command[0], command, environment)
        except BaseException as error:
            print(f"no shield: {error}", file=sys.stderr)
        os._exit(97)
    return os.waitstatus_to_exitcode(os.waitpid(outer, 0)[1])


def _build(keep: list[str]) -> None:
    flags = kernel.NEW_MOUNT | kernel.NEW_PID | kernel.NEW_NET | kernel.NEW_IPC | kernel.NEW_UTS
    if os.getuid() == 0:
        kernel.unshare(flags)
    else:
        user, group = os.getuid(), os.getgid()
        kernel.unshare(flags | kernel.NEW_USER)
        for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)
    kernel.mount("none", "/", None, kernel.RECURSIVE | kernel.PRIVATE)
    handles = {path: os.open(path, os.O_PATH) for path in keep if os.path.isdir(path)}
    _seal()
    for path in _PRIVATE:
        if os.path.isdir(path):
            mode = "755" if path in ("/root", "/home", "/mnt") else "1777"
            kernel.mount("tmpfs", path, "tmpfs", kernel.NO_SUID | kernel.NO_DEV, f"size=1g,mode={mode}")
    for path, handle in handles.items():
        os.makedirs(path, exist_ok=True)
        kernel.mount(f"/proc/self/fd/{handle}", path, None, kernel.BIND | kernel.RECURSIVE)
        os.close(handle)


def _seal() -> None:
    """Make everything read-only that is mounted."""
    try:
        kernel.seal_mounts("/", kernel.READ_ONLY)
    except OSError:  # before Linux 5.12: one by one
        with open("/proc/self/mounts") as file:
            points = [line.split()[1] for line in file]
        for point in points:
            with contextlib.suppress(OSError):
                kernel.mount("none", point, None, kernel.REMOUNT | kernel.BIND | kernel.READ_ONLY)


def _go_on_as_first_process() -> None:
    if child := os.fork():
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)


def refuse_unless_shielded() -> None:
    """End the program where a case that gets through would reach the machine."""
    faults = []
    if os.environ.get(SIGN) != "1":
        faults.append("not started by the shield")
    if os.getpid() > 20:
        faults.append("not in a process namespace of its own")
    if not os.statvfs("/").f_flag & os.ST_RDONLY or not os.statvfs(sys.prefix).f_flag & os.ST_RDONLY:
        faults.append("the machine is writable")
    with open("/proc/net/dev") as file:
        if {line.split(":")[0].strip() for line in file.readlines()[2:]} - {"lo"}:
            faults.append("there is a network")
    if faults:
        sys.exit(f"refusing to run the hostile list: {', '.join(faults)}. Use run_hostile.py, which builds the shield.")
