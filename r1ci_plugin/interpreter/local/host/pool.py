"""The host's processes: a template each for what snippets import, and the slots forked from it.

Left out: which call goes where (`hub`).
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from . import wire
from .jail import NUMBERS, SCRATCH
from .remover import remove

TEMPLATES = ("stdlib", "numpy", "full")
_MOST_FAILURES = 8
_ENDS_WITHIN_S = 2.0
"""How long after it was dropped a slot may still be cleaning up."""
_RECYCLE_AFTER = 5_000
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",  # each further one takes 64 MB of a call's address space: six threads would fill it
    "LD_BIND_NOW": "1",  # else each call's process looks the C library's functions up again
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""All that a template is told by the environment: nothing of ours is in it."""


@dataclass(eq=False)
class SlotHandle:
    """One slot as the host sees it."""

    line: socket.socket
    template: str
    number: int
    served: int = 0
    work: Any = None
    """The call that runs there now."""


@dataclass(eq=False)
class TemplateHandle:
    """One template as the host sees it: down (no process), warming, or ready."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    control: socket.socket | None = None
    ready: bool = False
    idle: list[SlotHandle] = field(default_factory=list)
    alive: int = 0
    failures: int = 0
    """Starts in a row that did not get as far as ready."""
    restart_at: float = 0.0

    @property
    def hopeless(self) -> bool:
        return self.failures >= _MOST_FAILURES


@dataclass(frozen=True)
class Place:
    """Where the host works: folders of its own, and what every template is told."""

    level: str
    links: str
    root: str
    work: str


class Pool:
    """Starts templates on demand, has them fork slots, and notices when either is gone."""

    def __init__(self, place: Place, boot: list[str], slots: int) -> None:
        self._place = place
        self._boot = boot
        self._slots = slots
        self._numbers: set[int] = set()
        # Somewhere: a slot of another host on this machine would be the same user, and share its limit of threads.
        self._next = int.from_bytes(os.urandom(4), "little") % NUMBERS
        self._dropped: deque[tuple[float, int]] = deque()
        self.templates = {name: TemplateHandle(name) for name in TEMPLATES}

    def ensure(self, name: str) -> socket.socket | None:
        """Start the template if it is down and may be tried now; returns its control line when it was started."""
        template = self.templates[name]
        if template.control is not None or template.hopeless or time.monotonic() < template.restart_at:
            return None
        ours, theirs = wire.pair()
        settings = {"template": name, **vars(self._place)}
        template.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", *self._boot, "template", str(theirs.fileno()), json.dumps(settings)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
        )
        theirs.close()
        template.control = ours
        return ours

    def lose_template(self, template: TemplateHandle) -> None:
        """The template's process is gone: forget it, and wait longer each time before it is tried again."""
        if template.control is not None:
            template.control.close()
        if template.process is not None:
            template.process.kill()
            template.process.wait()
        template.process, template.control, template.ready = None, None, False
        template.restart_at = time.monotonic() + min(0.1 * 2**template.failures, 10.0)
        template.failures += 1

    def forgive(self, template: TemplateHandle) -> None:
        """The template is ready, or its callers were told: count from the start."""
        template.failures = 0

    def take(self, name: str) -> tuple[SlotHandle, bool] | None:
        """An idle slot of the template or a new one (then True); None if it has no room or its template is gone."""
        template = self.templates[name]
        if template.idle:
            return template.idle.pop(0), False
        if not template.ready or template.control is None or template.alive >= self._slots:
            return None
        try:
            ours, theirs = wire.pair()
        except OSError:  # out of descriptors: calls that end give some back
            return None
        number = next(n % NUMBERS for n in itertools.count(self._next) if n % NUMBERS not in self._numbers)
        try:
            wire.send(template.control, {"slot": number}, (theirs.fileno(),))
        except OSError:  # the template is gone, or the kernel has no room for the message just now
            ours.close()
            return None
        finally:
            theirs.close()
        self._numbers.add(number)
        self._next = number + 1  # not one just freed: its last slot may still be ending
        template.alive += 1
        return SlotHandle(ours, name, number), True

    def give_back(self, slot: SlotHandle) -> bool:
        """The slot is free again. False if it has served long enough and should be dropped."""
        slot.served += 1
        slot.work = None
        if slot.served >= _RECYCLE_AFTER:
            return False
        self.templates[slot.template].idle.append(slot)
        return True

    def drop(self, slot: SlotHandle) -> None:
        """Close the slot's line: it ends whatever runs there, and itself."""
        slot.line.close()
        template = self.templates[slot.template]
        template.alive -= 1
        self._numbers.discard(slot.number)
        self._dropped.append((time.monotonic() + _ENDS_WITHIN_S, slot.number))
        if slot in template.idle:
            template.idle.remove(slot)

    def sweep(self) -> None:
        """Remove the scratch folders of slots dropped a moment ago: one that was killed leaves what the code left."""
        folder = self._place.root + SCRATCH if self._place.level == "seccomp" else self._place.work
        while self._dropped and self._dropped[0][0] <= time.monotonic():
            _, number = self._dropped.popleft()
            if number not in self._numbers:
                remove(os.path.join(folder, str(number)))

    def close(self) -> None:
        """End every process."""
        for template in self.templates.values():
            if template.process is not None:
                template.process.kill()
                template.process.wait()


def raise_descriptor_limit() -> None:
    """As many descriptors as the system lets us: each waiting call holds three."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def volunteer_for_the_killer() -> None:
    """If memory runs out, let the kernel end our processes before the trainer's."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("700")
    except OSError:
        return
