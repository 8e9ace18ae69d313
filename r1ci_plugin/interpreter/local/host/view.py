"""What of the machine's files a code call may see: the standard library, allowed packages, shared libraries, no more.

Every level reads the same lists: `ns` binds these paths into an empty root, `landlock` grants them, `seccomp` copies
what is needed of them. The standard library's folder often holds `site-packages` with everything that is installed:
that part is always left out.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

_LIBRARY_ROOTS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
SYSTEM = ("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
LEFT_OUT = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True)
class View:
    """Absolute paths. Folders of `library` are seen without their site-packages, all others whole."""

    library: tuple[str, ...]
    packages: tuple[str, ...]
    """Real folders and files of the allowed packages."""
    links: str
    """The folder of links to them, the one entry of `sys.path` besides the library."""
    system: tuple[str, ...]

    def readable(self) -> list[str]:
        """Every path to grant one by one, where nothing can be covered: the library's entries without site-packages."""
        entries = [os.path.join(folder, name) for folder in self.library for name in _entries(folder)]
        return [*entries, *self.packages, self.links, *self.system, *DEVICES]

    def roots(self) -> list[str]:
        """The same with the library's folders whole, for where what is in them is covered."""
        return [*self.library, *self.packages, self.links, *self.system, *DEVICES]

    def covered(self) -> list[str]:
        """The folders inside the library that must not be seen."""
        found = [os.path.join(folder, name) for folder in self.library for name in LEFT_OUT]
        return [path for path in found if os.path.isdir(path)]


def _entries(folder: str) -> list[str]:
    return [name for name in os.listdir(folder) if name not in LEFT_OUT]


def machine_view(links: str) -> View:
    """The view that suits this interpreter and the packages linked in the folder `links`."""
    # Not from sysconfig: its table of the build would take a megabyte in every process.
    folders = {os.path.dirname(os.__file__)}
    folders |= {os.path.dirname(path) for path in sys.path if os.path.basename(path) == "lib-dynload"}
    library = folders | {os.path.realpath(folder) for folder in folders}
    packages = sorted(os.path.realpath(os.path.join(links, name)) for name in os.listdir(links))
    return View(tuple(sorted(library)), tuple(packages), links, tuple([*_shared_libraries(), *SYSTEM]))


def copy_links(root: str, links: str) -> None:
    """Make the folder of links again, at the same path below another root."""
    os.makedirs(root + links, exist_ok=True)
    for name in os.listdir(links):
        os.symlink(os.readlink(os.path.join(links, name)), os.path.join(root + links, name))


def _shared_libraries() -> list[str]:
    """Folders and files in which the dynamic loader finds libraries, but no folder that holds Python packages."""
    found = []
    for root in _LIBRARY_ROOTS:
        if not os.path.isdir(root):
            continue
        for name in os.listdir(root):
            path = os.path.join(root, name)
            if name.endswith("-linux-gnu") or ".so" in name:
                found.append(path)
    own = os.path.join(sys.base_prefix, "lib")
    if own not in _LIBRARY_ROOTS and os.path.isdir(own):
        found += [os.path.join(own, name) for name in os.listdir(own) if ".so" in name]
    return sorted(found)
