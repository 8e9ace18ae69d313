"""Which isolation level this machine offers: each primitive is tried, never assumed, in a process that then ends.

Left out: what a level means (`namespaces`, `landlock`, `jail`) and the filter that they share (`seccomp`); here is
only the trial and the advice.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from . import jail, kernel, landlock, namespaces
from .seccomp import Filter, refuses_sockets
from .syscalls import architecture
from .view import View

LEVELS = ("ns", "landlock", "seccomp")
"""Best first."""
_FILTER = "system call filter"
"""What every level needs."""

_REMEDY = {
    "ns": (
        "run Linux 5.12 or later and let this user make user namespaces (sysctl user.max_user_namespaces > 0; "
        "Debian kernel.unprivileged_userns_clone=1; Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; "
        "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN)"
    ),
    "landlock": "run a kernel >= 5.13 with landlock among its security modules (boot option lsm=landlock,...)",
    "seccomp": (
        "run as root with the rights to change root, user and owner, which a default Docker container has "
        "(CAP_SYS_CHROOT, CAP_SETUID, CAP_SETGID, CAP_CHOWN)"
    ),
    _FILTER: "run on Linux 5.3 or later with seccomp filters, on x86-64 or aarch64",
}

_ACCEPT = (
    "r1ci.executor.floor={0} in training, --floor {0} for r1ci sandbox; r1ci eval and its like take a server that "
    "accepts it: r1ci sandbox serve --floor {0}, then --sandbox http://127.0.0.1:8080"
)


@dataclass(frozen=True)
class Trial:
    """What came of trying each primitive: the error's text, empty where it works."""

    failures: dict[str, str]

    def best(self, floor: str, exactly: str | None = None) -> str:
        """The best level on offer. Raises LookupError with reason and remedy if it lies below the floor."""
        wanted = (exactly,) if exactly else LEVELS[: LEVELS.index(floor) + 1]
        on_offer = [level for level in LEVELS if not self.failures[_FILTER] and not self.failures[level]]
        for level in on_offer:
            if level in wanted:
                return level
        needed = [name for name in (*wanted, _FILTER) if self.failures[name]]
        reasons = "; ".join(f"{name} does not work here: {self.failures[name]}" for name in needed)
        ways = [f"for {name}, {_REMEDY[name]}" for name in needed]
        ways += [f"accept {level}, which works here, as the floor ({_ACCEPT.format(level)})" for level in on_offer[:1]]
        remedies = " | or: ".join(ways)
        raise LookupError(
            f"code calls would not be isolated as asked ({' or '.join(wanted)}). {reasons}. Remedy: {remedies}"
        )


def try_all(view: View, root: str) -> Trial:
    """Try every primitive in a process of its own."""

    def try_namespaces() -> None:
        namespaces.enter(view, root, jail.FIRST_USERS[0] - 1 if os.getuid() == 0 else None)
        if os.listdir("/root" if os.path.isdir("/root") else "/scratch") == []:
            raise OSError("the new root is not the one that was built")
        _expect_refusal("/etc/passwd")

    def try_landlock() -> None:
        landlock.restrict(landlock.ruleset(view.readable(), [root]))
        os.listdir(view.links)
        _expect_refusal("/")

    def try_jail() -> None:
        jail.enter(root, jail.NUMBERS)
        os.listdir("/")
        _expect_refusal("/etc/passwd")
        if os.getuid() == 0:
            raise OSError("this process is still root")

    def try_filter() -> None:
        architecture()
        os.close(os.pidfd_open(os.getpid()))
        kernel.no_new_privileges()
        Filter(files_too=True).install(os.getpid())
        if not refuses_sockets():
            raise OSError("the filter was installed but refuses nothing")

    trials = {"ns": try_namespaces, "landlock": try_landlock, "seccomp": try_jail, _FILTER: try_filter}
    return Trial({name: attempt(trial) for name, trial in trials.items()})


def _expect_refusal(path: str) -> None:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return
    raise OSError(f"{path} can still be opened")


def attempt(trial: Callable[[], object]) -> str:
    """Run it in a forked process; return its error's text. A trial may go on in a process of its own, which answers."""
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
