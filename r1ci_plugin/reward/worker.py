"""The process that judges answers: one verdict after another, in a fresh Python that may be killed at any moment.

It reads JSON lines from a socket it inherits and writes one JSON line per verdict, in the order of the requests. The
kernel's timers end the process when one verdict takes longer than its deadline, even inside a C call that never returns
to Python; memory is limited, files cannot be written, and the process dies with its owner. Answers are data here:
nothing unpickles or runs them. Neither torch nor verl is imported.

Left out: who starts, feeds and replaces workers (`process.py`, `pool.py`), what is right (`tasks/`).
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from typing import Any

from r1ci_plugin.tasks import Question, Verdict, get_task, task_names

HEAVY = {"reasoning_gym/rearc": "reasoning_gym.arc.rearc_utils.verifiers"}
"""Task to a module that its verifier imports on first use, for a second: here it is imported before any clock runs.

Only this verifier needs reasoning_gym, where it is installed; the others need it for making questions alone."""

WALL_FACTOR = 4.0
"""Seconds on the wall for a second of processor time: a busy machine must not turn right answers into time-outs."""
MAX_REASON_CHARS = 500
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main(descriptor: str, owner: str, options: str) -> None:
    """Serve requests on the inherited socket until its other end closes.

    owner: pid of the process that started this one. options, as JSON: memory_mb (of address space), warm (patterns of
    task names to import before the first request) and preload (modules to import first, e.g. tasks of another package).
    """
    settings = json.loads(options)
    with socket.socket(fileno=int(descriptor)) as channel:
        try:
            confine(int(owner), settings["memory_mb"])
            warm_up(settings["preload"], settings["warm"])
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # not before: what fails above may be told in a log file
        except BaseException:
            _send(channel, {"failed": traceback.format_exc(limit=-3)})
            return
        _send(channel, {"ready": os.getpid()})
        with channel.makefile("rb") as requests:
            for line in requests:
                _send(channel, respond(json.loads(line)))


def confine(owner: int, memory_mb: int) -> None:
    """Give up what judging does not need. What the kernel refuses (namespaces in a container) is done without."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    # root in a user namespace of its own could no longer read files of other users, as modules may be
    as_root = os.geteuid() == 0
    libc.unshare(_CLONE_NEWNET if as_root else _CLONE_NEWUSER | _CLONE_NEWNET)  # no network
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after unshare, which clears it
    if os.getppid() != owner:
        raise RuntimeError("the owner of this worker has ended")


def warm_up(preload: list[str], warm: list[str]) -> None:
    """Import what the first verdicts need. A task that cannot be imported costs its own verdicts, not the worker."""
    for module in preload:
        importlib.import_module(module)
    for name in (name for pattern in warm for name in task_names(pattern)):
        with suppress(Exception):
            get_task(name)
            if name in HEAVY:
                importlib.import_module(HEAVY[name])
    gc.collect()
    gc.freeze()


def respond(request: dict[str, Any]) -> list[Any]:
    """[outcome, reason, graded, seconds of work] for one request, under the kernel's timers."""
    signal.setitimer(signal.ITIMER_PROF, request["deadline_s"])
    signal.setitimer(signal.ITIMER_REAL, request["deadline_s"] * WALL_FACTOR)
    start = time.perf_counter()
    try:
        verdict = judge(request) if "answer" in request else judge_solution(request)
    except Exception as error:
        verdict = Verdict("error", f"{request['task']}: {type(error).__name__}: {error}")
    seconds = time.perf_counter() - start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return [verdict.outcome, verdict.reason[:MAX_REASON_CHARS], float(verdict.graded), seconds]


def judge(request: dict[str, Any]) -> Verdict:
    """The verdict of the answer in the request. Verifiers do not read a question's prompt, so it is not sent."""
    return get_task(request["task"]).verify(_question(request), request["answer"])


def judge_solution(request: dict[str, Any]) -> Verdict:
    """The verdict of the solver's answer to the question in the request."""
    task, question = get_task(request["task"]), _question(request)
    return task.verify(question, task.solve(question))


def _question(request: dict[str, Any]) -> Question:
    return Question(request["task"], 0, 1, "", request["payload"])


def _send(channel: socket.socket, message: object) -> None:
    channel.sendall(json.dumps(message).encode() + b"\n")
