"""The folder that a call may write to: has it been touched, how much is in it, and a fresh one for the next call.

At `ns` it is a memory file system that is replaced whole; at the other levels a plain folder, emptied and watched, for
it has no quota.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from . import namespaces, remover

_DEEPEST = 64


class Scratch:
    """One slot's work folder: `path`, and `path`/tmp for temporary files."""

    def __init__(self, path: str, mounted: bool) -> None:
        self.path = path
        self._mounted = mounted
        self._temporary = os.path.join(path, "tmp")
        os.makedirs(self._temporary, exist_ok=True)
        self._size = os.stat(path).st_size
        if not mounted:
            self.renew()  # a slot that was killed may have left things in a folder of this name
        self._fresh = self._look()

    def is_dirty(self) -> bool:
        """Whether anything differs from the fresh folder: entries, modes or times, any of which could carry a note."""
        return self._look() != self._fresh

    def renew(self) -> bool:
        """Make the folder as new. False: its size still tells of the code, and another slot has to take over."""
        if self._mounted:
            namespaces.renew_scratch()
        else:
            os.chmod(self.path, 0o700)
            remover.empty(self.path)
            self._replace()
            os.mkdir(self._temporary)
            os.utime(self.path)  # a time of access set by the code would be a note
        self._fresh = self._look()
        return self._mounted or os.stat(self.path).st_size <= self._size

    def _replace(self) -> None:
        """On some file systems an emptied folder keeps the size it once had: take a new one. At `seccomp` the slot may
        not, for the folder lies in one of root's."""
        with contextlib.suppress(PermissionError):
            os.rmdir(self.path)
            os.mkdir(self.path, 0o700)

    def give_up(self) -> None:
        """Leave nothing behind: a plain folder outlives its slot."""
        if not self._mounted:
            remover.remove(self.path)

    def is_over_quota(self) -> bool:
        """Whether a plain folder holds more than the quota. (A memory file system has its own.)"""
        if self._mounted:
            return False
        size = 0
        try:
            for files, (depth, entry) in enumerate(_walk(self.path)):
                with contextlib.suppress(FileNotFoundError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                if depth > _DEEPEST or files > namespaces.SCRATCH_FILES or size > namespaces.SCRATCH_MB << 20:
                    return True
        except OSError:
            return True  # what cannot be watched: without rights, or with a path too long for the kernel
        return False

    def _look(self) -> list[object]:
        try:
            found: list[object] = [sorted(os.listdir(self.path)), os.listdir(self._temporary)]
            for folder in (self.path, self._temporary):
                facts = os.stat(folder)
                found.append(
                    (facts.st_ino, facts.st_mode, facts.st_nlink, facts.st_uid, facts.st_mtime_ns, facts.st_ctime_ns)
                )
        except OSError as error:
            return [error.errno]
        return found


def _walk(folder: str) -> Iterator[tuple[int, os.DirEntry[str]]]:
    pending = [(1, folder)]
    while pending:
        depth, path = pending.pop()
        try:
            entries = list(os.scandir(path))
        except (FileNotFoundError, NotADirectoryError):
            continue  # gone meanwhile
        for entry in entries:
            yield depth, entry
            if depth <= _DEEPEST and entry.is_dir(follow_symlinks=False):
                pending.append((depth + 1, entry.path))
