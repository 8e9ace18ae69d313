"""A warm template: an interpreter with modules already imported, from which slots are forked.

It is exec'ed with an environment of its own, so that neither memory nor the initial stack holds anything of the
trainer. It must be single-threaded when it forks. Left out: which template suits a call (`scan` on the client's side).
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import traceback

from . import kernel, pages, runner, wire
from .slot import Plan, Slot
from .view import View, machine_view

# fmt: off
STANDARD = (
    "abc", "array", "base64", "bisect", "calendar", "cmath", "collections", "contextlib", "copy", "ctypes",
    "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "heapq", "inspect", "io", "itertools",
    "json", "math", "numbers", "operator", "pprint", "random", "re", "statistics", "string", "struct", "textwrap",
    "threading", "time", "traceback", "types", "typing",
)
# fmt: on
"""What snippets import most: warm in every template."""
_EXERCISE = {
    "numpy": (
        "import numpy as n; n.linalg.solve(n.eye(2), n.ones(2)); str(n.arange(3)); n.random.default_rng(0).random(2)"
    ),
    "sympy": (
        "import sympy as s; x, y = s.symbols('x y'); s.expand((x + y)**3); s.solve(x**2 - 2, x); s.factor(x**2 - 1); "
        "s.simplify(s.sin(x)**2 + s.cos(x)**2); str(s.sqrt(8)); s.diff(x**3, x); s.integrate(x, x); "
        "s.Matrix([[1, 2], [3, 4]]).inv(); s.factorint(84); s.Rational(1, 3) + 1; s.N(s.pi); "
        "s.solve([x + y - 2, x - y], [x, y])"
    ),
    "scipy.optimize": "import scipy.optimize as o; o.linprog([1], bounds=[(0, 1)]); o.brentq(lambda v: v - 1, 0, 2)",
    "networkx": "import networkx as n; n.shortest_path(n.path_graph(4), 0, 3)",
}
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_EXTRA = {"stdlib": (), "numpy": ("numpy",), "full": ("numpy", "scipy.optimize", "sympy", "networkx")}


def main(settings: dict[str, str], control: socket.socket) -> None:
    """Warm up, say so, and fork a slot for every message on `control` until the host is gone."""
    kernel.die_with_parent()
    view = prepare(settings)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended slots are reaped by the kernel; their line tells the host
    with contextlib.suppress(wire.PeerGone):
        wire.send(control, {"ready": settings["template"]})
    while True:
        try:
            order, (line,) = wire.receive(control)
        except wire.PeerGone:
            return
        number = int(order["slot"])
        plan = Plan(settings["level"], view, settings["root"], os.path.join(settings["work"], str(number)), number)
        if kernel.fork() == 0:
            control.close()
            be_slot(Slot, plan, socket.socket(fileno=line))
        os.close(line)


def prepare(settings: dict[str, str]) -> View:
    """Make this process one to fork slots from; settings: template, links. Returns what its slots may see."""
    _hear_signals()
    sys.path.append(settings["links"])
    _warm_up(settings["template"])
    view = machine_view(settings["links"])
    _forget_harness()
    runner.open_stdio()
    gc.collect()
    gc.freeze()
    pages.gather()
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("a warmed template must be single-threaded")
    return view


def _hear_signals() -> None:
    """What starts the host may ignore signals, as a shell does for what it runs in the background; code must not find
    them ignored."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in range(1, signal.NSIG):
        if signal.getsignal(number) == signal.SIG_IGN and number not in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _warm_up(template: str) -> None:
    """Import the template's modules and use them a little; what is not installed is left out."""
    imported = []
    for name in [*STANDARD, *_EXTRA[template]]:
        with contextlib.suppress(ImportError):
            __import__(name)
            imported.append(name)
    for name in _EXTRA[template]:
        if name in imported:
            exec(_EXERCISE[name], {})


def _forget_harness() -> None:
    """Take the harness out of the table of modules, and what only it uses out of sight."""
    import site

    site.setquit()
    site.sethelper()
    package = __name__.rpartition(".")[0]
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]
    sys.argv = ["code.py"]


def be_slot(kind: type[Slot], plan: Plan, line: socket.socket) -> None:
    """Be a slot, in a process just forked, until the host is gone."""
    status = 1
    try:
        kernel.die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        kind(plan, line).serve()
        status = 0
    except wire.PeerGone:
        status = 0  # the host has ended, with nobody left to answer
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)
