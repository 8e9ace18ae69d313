"""The level `ns`: a slot's own user, mount, process, network, IPC and host name space, with an empty root of its own.

The root holds the paths of a `View`, read-only, and one scratch folder in memory with a quota. There is no /proc. All
of it is paid once for a slot, not for a call. Left out: what a single call adds on top (`child`).
"""

from __future__ import annotations

import os

from . import kernel
from .view import DEVICES, View, copy_links

SCRATCH = "/scratch"
INSIDE_ID = 1000
"""The user and group number that a slot sees for itself."""
SCRATCH_MB = 64
SCRATCH_FILES = 8192


def enter(view: View, root: str, slot_user: int | None) -> None:
    """Move into namespaces of its own. Returns in a *new process*, number 1 of them and a child of the caller's parent;
    the caller's process ends.

    root: an empty folder to build the new root on. slot_user: for root (user 0), the number to become first. Raises
    OSError.
    """
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    user, group = os.getuid(), os.getgid()
    if user == 0 and slot_user is not None:
        # Bound before the identity is given up: an interpreter below /root is not reachable for another user.
        kernel.unshare(kernel.NEW_MOUNT)
        _change_root(view, root)
        user = group = slot_user
        _become_user(user)
        _unshare_all(proc, user, group)
    else:
        _unshare_all(proc, user, group)
        _change_root(view, root)
    os.close(proc)
    _become_first_process()
    mount_scratch()


def _become_user(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    kernel.set_dumpable(True)  # else the files in /proc that take the user map would belong to root


def _unshare_all(proc: int, user: int, group: int) -> None:
    """`proc` is a descriptor of /proc, which the root may lack by now."""
    new = kernel.NEW_USER | kernel.NEW_MOUNT | kernel.NEW_PID | kernel.NEW_NET | kernel.NEW_IPC | kernel.NEW_UTS
    kernel.unshare(new)
    lines = (("setgroups", "deny"), ("uid_map", f"{INSIDE_ID} {user} 1"), ("gid_map", f"{INSIDE_ID} {group} 1"))
    for name, line in lines:
        target = os.open(f"self/{name}", os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc)
        try:
            os.write(target, line.encode())
        finally:
            os.close(target)


def _change_root(view: View, root: str) -> None:
    """Build the new root on the folder `root` and move there; the old one is gone afterwards."""
    os.umask(0o022)
    kernel.mount("none", "/", None, kernel.RECURSIVE | kernel.PRIVATE)
    kernel.mount("tmpfs", root, "tmpfs", kernel.NO_SUID | kernel.NO_DEV, "size=4m,mode=755")
    for path in (*view.library, *view.packages, *view.system):
        _bind(root, path)
    for path in view.covered():
        kernel.mount("tmpfs", root + path, "tmpfs", 0, "size=4k,mode=555")
    copy_links(root, view.links)
    for folder in (SCRATCH, "/tmp", "/.old"):
        os.makedirs(root + folder, exist_ok=True)
    kernel.seal_mounts(root)
    kernel.mount("none", root, None, kernel.REMOUNT | kernel.BIND | kernel.NO_SUID)  # writable for the last entries
    for path in DEVICES:
        _bind(root, path)
    os.chdir(root)
    kernel.pivot_root(".", ".old")
    os.chdir("/")
    kernel.unmount("/.old")
    os.rmdir("/.old")
    kernel.mount("none", "/", None, kernel.REMOUNT | kernel.BIND | kernel.READ_ONLY | kernel.NO_SUID | kernel.NO_DEV)


def _bind(root: str, path: str) -> None:
    if os.path.islink(path):
        os.makedirs(root + os.path.dirname(path), exist_ok=True)
        if not os.path.lexists(root + path):
            os.symlink(os.readlink(path), root + path)
        return
    if not os.path.exists(path) or os.path.exists(root + path):
        return
    os.makedirs(root + os.path.dirname(path), exist_ok=True)
    if os.path.isdir(path):
        os.mkdir(root + path)
    else:
        os.close(os.open(root + path, os.O_CREAT | os.O_WRONLY, 0o444))
    kernel.mount(path, root + path, None, kernel.BIND | kernel.RECURSIVE)


def _become_first_process() -> None:
    """Go on as process 1 of the new process namespace. The process left behind would only take memory: it ends."""
    if kernel.fork_beside():
        os._exit(0)
    kernel.die_with_parent()


def mount_scratch() -> None:
    """A fresh scratch folder, the only place where a call may write. Its quota holds for bytes and for files."""
    flags = kernel.NO_SUID | kernel.NO_DEV | kernel.NO_ATIME
    kernel.mount("tmpfs", SCRATCH, "tmpfs", flags, f"size={SCRATCH_MB}m,nr_inodes={SCRATCH_FILES},mode=700")
    os.mkdir(os.path.join(SCRATCH, "tmp"))


def renew_scratch() -> None:
    """Replace the scratch folder, whatever is in it."""
    kernel.unmount(SCRATCH)
    mount_scratch()
