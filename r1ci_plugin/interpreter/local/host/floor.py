"""What a call costs in a slot, with isolation and without, and what a bare fork costs: the benchmark's comparison.

A process of its own in the role of a template, which asks its slots itself. The slot without isolation exists here
alone and is given no code but the one line below: nothing that a user can set leads to it. Left out: the judgement
(`bench.sandbox`).
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import tempfile
import time

from . import kernel, template, wire
from .child import Cage
from .scratch import Scratch
from .slot import Plan, Slot

_CODE = b"print(sum(range(10)))"
_IN_A_ROW = 10
_REST_S = 0.01
"""Long enough for the next child to be forked and to wait."""


class _OpenCage(Cage):
    def lock(self) -> None:
        """Nothing is closed."""


class _OpenSlot(Slot):
    """The same work without any protection."""

    @staticmethod
    def _move_in(plan: Plan) -> Scratch:
        return Scratch(plan.work, mounted=False)

    def _renew_rules(self) -> None:
        self._cage = _OpenCage((), self._cage.filter, self._cage.base_bytes)


def main(settings: dict[str, str]) -> None:
    """Measure in turn; settings: template, links, level, rounds. Says, as one line of JSON, the median seconds of a
    `fork` with print and exit, and of each kind of slot the time to the answer (`isolated`, `bare`) and the time for
    each of several calls in a row, in which the preparation of the next one counts too (`isolated_cycle`, ...)."""
    view = template.prepare(settings)
    with tempfile.TemporaryDirectory() as folder:
        lines = {}
        for number, (kind, slot) in enumerate({"isolated": Slot, "bare": _OpenSlot}.items()):
            root = os.path.join(folder, kind)
            os.mkdir(root)
            level = settings["level"] if slot is Slot else "none"
            plan = Plan(level, view, root, os.path.join(folder, f"work-{kind}"), 1000 + number)
            lines[kind] = _start(slot, plan)
        times: dict[str, list[float]] = {"fork": []}
        for turn in range(int(settings["rounds"])):
            times["fork"].append(_fork())
            for kind, line in list(lines.items())[:: 1 if turn % 2 else -1]:
                time.sleep(_REST_S)
                times.setdefault(kind, []).append(_calls(line, 1))
                times.setdefault(f"{kind}_cycle", []).append(_calls(line, _IN_A_ROW) / _IN_A_ROW)
        for line in lines.values():
            line.close()
        time.sleep(0.1)  # the slots end by themselves; the folder must not go before
    print(json.dumps({kind: statistics.median(taken) for kind, taken in times.items()}), flush=True)


def _start(kind: type[Slot], plan: Plan) -> socket.socket:
    ours, theirs = wire.pair()
    if kernel.fork() == 0:
        ours.close()
        template.be_slot(kind, plan, theirs)
    theirs.close()
    _calls(ours, _IN_A_ROW)
    return ours


def _calls(line: socket.socket, count: int) -> float:
    """Seconds that so many calls take, one after the other. Raises RuntimeError for a wrong answer."""
    files = []
    for _ in range(count):
        files.append([os.memfd_create(name) for name in ("code", "out", "err")])
        os.pwrite(files[-1][0], _CODE, 0)
    started = time.perf_counter()
    for descriptors in files:
        wire.send_order(line, 10.0, 512, tuple(descriptors))
        wire.receive_end(line)
    taken = time.perf_counter() - started
    for descriptors in files:
        if os.pread(descriptors[1], 100, 0) != b"45\n":
            raise RuntimeError("a call of the benchmark gave a wrong answer")
        wire.close_all(descriptors)
    return taken


def _fork() -> float:
    """Seconds of the least that a call can take: a fork, the code, and the end of the process."""
    out = os.memfd_create("out")
    started = time.perf_counter()
    if (pid := kernel.fork()) == 0:
        os.dup2(out, 1)
        exec(compile(_CODE, "<code>", "exec"), {"__name__": "__main__"})
        os._exit(0)
    os.waitpid(pid, 0)
    taken = time.perf_counter() - started
    os.close(out)
    return taken
