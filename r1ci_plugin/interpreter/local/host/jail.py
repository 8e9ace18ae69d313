"""The level `seccomp`: for a slot of root's, a folder as its root (chroot), a user number of its own and no capability.

For machines that refuse namespaces and have no Landlock. The folder holds what a call may see and no more (`tree`
builds it once for the host); what is in it belongs to root, so that the slot's user can write to its scratch folder
alone. Left out: what a single call adds on top (`child`), above all the filter: it refuses every call by which a
process could leave the folder, reach another process or become another user.
"""

from __future__ import annotations

import errno
import os

from . import kernel

SCRATCH = "/scratch"
NUMBERS = 20_000
"""Slots are numbered below this, so that a number comes again only long after its last slot."""
FIRST_USERS = (210_000, 40_000)
"""A slot's user is the first of these plus its number. The second is for rootless containers, which know 65,536."""


def enter(root: str, number: int) -> str:
    """Move this process into the folder `root` for good, as a user of its own; returns its scratch folder as seen
    from inside. Needs CAP_SYS_CHROOT, CAP_SETUID, CAP_SETGID and CAP_CHOWN. Raises OSError."""
    if os.getuid() != 0:
        raise PermissionError("only root can give a slot a root folder and a user of its own")
    inside = f"{SCRATCH}/{number}"
    os.makedirs(root + SCRATCH, mode=0o711, exist_ok=True)
    os.makedirs(root + inside, mode=0o700, exist_ok=True)
    user = _give(root + inside, number)
    os.chroot(root)
    os.chdir("/")
    kernel.drop_capability_bounds()
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    kernel.capability_drop()()
    kernel.no_new_privileges()
    kernel.die_with_parent()  # again: the kernel forgets it when the user changes
    return inside


def _give(folder: str, number: int) -> int:
    """Make the folder belong to the slot's user; returns that user, the first that this machine knows."""
    for first in FIRST_USERS:
        try:
            os.chown(folder, first + number, first + number)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            continue
        return first + number
    raise OSError(errno.EINVAL, f"this container knows no user {FIRST_USERS[-1] + number}")
