"""Which isolation level this machine offers: each primitive is tried, in a process that ends right after, never
assumed.

Left out: what a level means (`namespaces`, `landlock`, `seccomp`); here is only the trial and the advice.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from . import kernel, landlock, namespaces
from .seccomp import Filter, refuses_sockets
from .syscalls import architecture
from .view import View

LEVELS = ("ns", "landlock")
"""Best first."""

_REMEDY = {
    "ns": (
        "let this user make user namespaces (sysctl user.max_user_namespaces > 0; "
        "Debian kernel.unprivileged_userns_clone=1; Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; "
        "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN)"
    ),
    "landlock": "run a kernel >= 5.13 with landlock among its security modules (boot option lsm=landlock,...)",
    "seccomp": "run on Linux with seccomp filters, on x86-64 or aarch64",
}


@dataclass(frozen=True)
class Trial:
    """What came of trying each primitive: the error's text, empty where it works."""

    failures: dict[str, str]

    def best(self, floor: str, exactly: str | None = None) -> str:
        """The best level on offer. Raises LookupError with reason and remedy if it lies below the floor."""
        wanted = (exactly,) if exactly else LEVELS[: LEVELS.index(floor) + 1]
        if not self.failures["seccomp"]:
            for level in wanted:
                if not self.failures[level]:
                    return level
        needed = [name for name in (*wanted, "seccomp") if self.failures[name]]
        reasons = "; ".join(f"{name} does not work here: {self.failures[name]}" for name in needed)
        remedies = " | or: ".join(f"for {name}, {_REMEDY[name]}" for name in needed)
        raise LookupError(
            f"code calls would not be isolated as asked ({' or '.join(wanted)}). {reasons}. Remedy: {remedies}"
        )


def try_all(view: View, root: str) -> Trial:
    """Try every primitive in a process of its own."""

    def try_namespaces() -> None:
        namespaces.enter(view, root, 209_999 if os.getuid() == 0 else None)
        if os.listdir("/root" if os.path.isdir("/root") else "/scratch") == []:
            raise OSError("the new root is not the one that was built")
        _expect_refusal("/etc/passwd")

    def try_landlock() -> None:
        landlock.restrict(landlock.ruleset(view.readable(), [root]))
        os.listdir(view.links)
        _expect_refusal("/")

    def try_seccomp() -> None:
        architecture()
        kernel.no_new_privileges()
        Filter(files_too=True).install(os.getpid())
        if not refuses_sockets():
            raise OSError("the filter was installed but refuses nothing")

    return Trial({"ns": _attempt(try_namespaces), "landlock": _attempt(try_landlock), "seccomp": _attempt(try_seccomp)})


def _expect_refusal(path: str) -> None:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return
    raise OSError(f"{path} can still be opened")


def _attempt(trial: Callable[[], None]) -> str:
    """Run the trial in a forked process; return its error's text. A trial may go on in another process, which then
    answers."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        word = "ok"
        try:
            trial()
        except BaseException as error:
            word = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, word.encode("utf-8", "replace"))
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        word = pipe.read().decode()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    return "" if word == "ok" else word or "the trial ended without a word"
