"""Removes folders that hostile code has filled, whatever is in them, in a stack of fixed height.

Trees are flattened: a folder's folders are moved up, under names that nobody could foresee, until nothing is nested.
So neither their depth nor the length of their paths counts. A folder is always gone through by a descriptor of its
own: one that somebody replaces by a link meanwhile leads nowhere.
"""

from __future__ import annotations

import contextlib
import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(path: str) -> None:
    """Remove a folder with all that is in it; what cannot be removed stays. Never raises."""
    with contextlib.suppress(OSError):
        empty(path)
        os.rmdir(path)


def empty(path: str) -> None:
    """Remove all that is in a folder. Raises OSError if something cannot be removed, after the rest was."""
    top = os.open(path, _FOLDER)
    try:
        before: list[str] = []
        while (names := sorted(os.listdir(top))) != before:
            before = names
            for name in names:
                with contextlib.suppress(OSError):
                    _dissolve(top, name)
        if names:
            raise OSError(f"{len(names)} entries of {path} cannot be removed")
    finally:
        os.close(top)


def _dissolve(top: int, name: str) -> None:
    """Remove an entry of `top`; of a folder, move the folders in it to `top` first."""
    if not _is_folder(top, name):
        os.unlink(name, dir_fd=top)
        return
    folder = _enter(top, name)
    try:
        for inner in os.listdir(folder):
            with contextlib.suppress(OSError):
                if _is_folder(folder, inner):
                    os.close(_enter(folder, inner))  # one that may not be written to cannot be moved either
                    os.rename(inner, _free_name(top), src_dir_fd=folder, dst_dir_fd=top)
                else:
                    os.unlink(inner, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _enter(top: int, name: str) -> int:
    """A descriptor of a folder in which its owner may do everything."""
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        if os.fstat(handle).st_mode & 0o700 != 0o700:
            here = f"/proc/self/fd/{handle}"
            if os.path.exists(here):
                os.chmod(here, 0o700)
            else:  # a root folder without /proc, in which a slot cleans up its own when everybody else has ended
                os.chmod(name, 0o700, dir_fd=top)
        return os.open(".", _FOLDER, dir_fd=handle)
    finally:
        os.close(handle)


def _free_name(top: int) -> str:
    while True:
        name = f".{os.urandom(8).hex()}"
        try:
            os.stat(name, dir_fd=top, follow_symlinks=False)
        except FileNotFoundError:
            return name


def _is_folder(top: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=top, follow_symlinks=False).st_mode)
