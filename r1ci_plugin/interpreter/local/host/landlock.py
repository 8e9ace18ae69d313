"""Landlock rules: which paths a code call may read and which it may write. Everything else cannot be opened.

Rules name inodes: a new work folder needs a new ruleset. Left out: metadata (chmod and its like), which Landlock does
not see.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Callable, Iterable

from .kernel import no_new_privileges, prepare, syscall

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_EXECUTE = 1
_ON_FILES = 1 | 2 | 4 | 1 << 14 | 1 << 15
_MAKE_CHAR, _MAKE_SOCKET, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11


def version() -> int:
    """The kernel's Landlock version. Raises OSError where there is none."""
    return syscall("landlock_create_ruleset", None, ctypes.c_size_t(0), 1)


def _handled(abi: int) -> int:
    """Every file access right that this version knows: what is handled and not granted is refused."""
    rights = (1 << 13) - 1
    for since, bit in ((2, 13), (3, 14), (5, 15)):
        rights |= 1 << bit if abi >= since else 0
    return rights


def ruleset(readable: Iterable[str], writable: Iterable[str]) -> int:
    """A ruleset's descriptor. Paths that do not exist are left out. Raises OSError."""
    abi = version()
    handled = _handled(abi)
    network, scopes = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("QQQ", handled, network, scopes)
    rules = syscall("landlock_create_ruleset", ctypes.c_char_p(attributes), ctypes.c_size_t(size), 0)
    changes = handled & ~(_EXECUTE | _MAKE_CHAR | _MAKE_SOCKET | _MAKE_BLOCK)
    for path in readable:
        _grant(rules, path, _READ_FILE | _READ_DIR)
    for path in writable:
        _grant(rules, path, changes)
    return rules


def _grant(rules: int, path: str, rights: int) -> None:
    try:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(target).st_mode):
            rights &= _ON_FILES
        rule = struct.pack("=Qi", rights, target)
        syscall("landlock_add_rule", rules, 1, ctypes.c_char_p(rule), 0)
    finally:
        os.close(target)


def restriction(rules: int) -> Callable[[], None]:
    """What puts the rules, for good, on the process that calls it, which must be barred from new privileges."""
    return prepare("landlock_restrict_self", rules, 0)


def restrict(rules: int) -> None:
    """Put the rules on this process, for good."""
    no_new_privileges()
    restriction(rules)()
