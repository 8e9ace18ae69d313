"""Builds the root folder of the level `seccomp`: the standard library, the allowed packages and the shared libraries
that they load, as hard links where the file system allows it, else as copies.

A hard link takes no space, and it is safe because nothing in the tree can be written to by a slot's user: a file that
others may write to, or that they may not read, is copied. Left out: moving a slot in (`jail`).
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator

from .jail import FIRST_USERS, SCRATCH
from .view import DEVICES, LEFT_OUT, SYSTEM, View, copy_links

_NOT_NEEDED = LEFT_OUT | {"test", "tests", "idlelib", "ensurepip", "turtledemo"}
_BUILD_FILES = "config-3."
_OPENED_BY_NAME = """libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libgcc_s.so.1
libstdc++.so.6"""
"""What the C library opens by itself, and what code opens by name (ctypes)."""
_ALL_MAY_READ, _ALL_MAY_WRITE, _SET_ID = 0o444, 0o002, 0o6000
_LOADED = re.compile(r"(/.+) \(0x[0-9a-f]+\)$", re.MULTILINE)


def build(view: View, root: str) -> None:
    """Fill the new folder `root`. Raises OSError."""
    os.umask(0o022)
    os.mkdir(root)
    trees = (*view.library, *view.packages)
    for path in (*trees, *SYSTEM, *sorted(_loaded_by(trees))):
        _show(root, path)
    copy_links(root, view.links)
    os.mkdir(root + SCRATCH, 0o711)
    for path in DEVICES:
        _make_device(root, path)


def _show(root: str, path: str) -> None:
    """Show a path and what is below it. Where the path goes through symbolic links, these are shown as well."""
    there, pending = "/", [part for part in path.split("/") if part]
    while pending:
        part = pending.pop(0)
        if part == "..":
            there = os.path.dirname(there)
            continue
        here = os.path.join(there, part)
        if os.path.islink(here):
            target = os.readlink(here)
            _link(root + here, target)
            there = "/" if target.startswith("/") else there
            pending = [part for part in target.split("/") if part not in ("", ".")] + pending
            continue
        if pending and not os.path.isdir(root + here):
            os.mkdir(root + here, 0o711)  # to be gone through, not looked at
        there = here
    _reproduce(there, root + there)


def _reproduce(source: str, target: str) -> None:
    """Show a file, a link or a folder with all that is in it but what no code needs."""
    try:
        facts = os.lstat(source)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(facts.st_mode):
        _link(target, os.readlink(source))
    elif stat.S_ISREG(facts.st_mode):
        _share(source, target, facts)
    elif stat.S_ISDIR(facts.st_mode):
        os.makedirs(target, exist_ok=True)
        os.chmod(target, 0o755)
        for name in os.listdir(source):
            if name not in _NOT_NEEDED and not name.startswith(_BUILD_FILES):
                _reproduce(os.path.join(source, name), os.path.join(target, name))


def _link(path: str, target: str) -> None:
    if not os.path.lexists(path):
        os.symlink(target, path)


def _share(source: str, target: str, facts: os.stat_result) -> None:
    """One file: a hard link if its owner and its rights suit, else a copy."""
    if os.path.lexists(target):
        return
    rights = facts.st_mode & (_ALL_MAY_READ | _ALL_MAY_WRITE | _SET_ID)
    if rights == _ALL_MAY_READ and max(facts.st_uid, facts.st_gid) < min(FIRST_USERS):
        try:
            os.link(source, target)
            return
        except OSError:
            pass  # another file system, or one without hard links
    shutil.copyfile(source, target)
    os.chmod(target, _ALL_MAY_READ)
    os.utime(target, ns=(facts.st_mtime_ns, facts.st_mtime_ns))  # compiled code is valid for this time only


def _loaded_by(trees: tuple[str, ...]) -> set[str]:
    """The shared libraries that the dynamic loader takes for the interpreter and for every extension module in the
    trees: it is asked."""
    found: set[str] = set()
    for place, names in [("/", []), *_extensions(trees)]:
        ask = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": " ".join([*names, _OPENED_BY_NAME])}
        answer = subprocess.run(
            [sys.executable], cwd=place, env=ask, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        found.update(_LOADED.findall(answer.stdout.decode(errors="surrogateescape")))
    if not found:
        raise OSError("the dynamic loader does not say which libraries the interpreter needs")
    return found


def _extensions(trees: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """(folder, the extension modules in it as relative paths)."""
    for tree in trees:
        if os.path.isfile(tree):
            yield os.path.dirname(tree), [f"./{os.path.basename(tree)}"]
            continue
        for folder, inner, files in os.walk(tree):
            inner[:] = [name for name in inner if name not in _NOT_NEEDED]
            names = [f"./{name}" for name in files if name.endswith(".so") or ".so." in name]
            if names:
                yield folder, names


def _make_device(root: str, path: str) -> None:
    """A device node like the machine's, if nodes can be made and used there; a call can do without."""
    node = root + path
    os.makedirs(os.path.dirname(node), exist_ok=True)
    try:
        os.mknod(node, 0o666 | stat.S_IFCHR, os.stat(path).st_rdev)
        os.chmod(node, 0o666)
        os.close(os.open(node, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        if os.path.lexists(node):
            os.unlink(node)
