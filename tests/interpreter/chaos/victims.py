"""The executor's processes as the kernel lists them: host, templates and slots of the hosts below a runtime folder.

The process that runs a call's code is no victim: killed from outside, it looks like code that the kernel ended, and is
reported as that (`killed`).
"""

from __future__ import annotations

import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path

KINDS = ("slot",) * 6 + ("template",) * 3 + ("host",)
"""What is killed how often."""


@dataclass(frozen=True)
class Process:
    """One entry of the process table."""

    pid: int
    parent: int
    command: str
    is_over: bool


def processes() -> dict[int, Process]:
    """Every process that can be seen."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            command = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state, parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has ended
        found[int(entry)] = Process(int(entry), int(parent), command, state in "ZX")
    return found


def of_folder(folder: str) -> dict[str, list[int]]:
    """The live processes of the hosts in this runtime folder, by kind."""
    table = processes()
    found: dict[str, list[int]] = {"host": [], "template": [], "slot": [], "call": []}
    for process in table.values():
        if folder in process.command and not process.is_over:
            found[_kind(process, table)].append(process.pid)
    return found


def _kind(process: Process, table: dict[int, Process]) -> str:
    """By the command for what was exec'ed; what was forked has its template's command, and is known by its children:
    a slot has some, the process of a call has none."""
    if " host " in process.command:
        return "host"
    parent = table.get(process.parent)
    if parent is None or " template " not in parent.command:
        return "template"
    has_children = any(other.parent == process.pid for other in table.values())
    return "slot" if has_children or " template " not in getattr(table.get(parent.parent), "command", "") else "call"


def kill_one(folder: str, choose: random.Random) -> str:
    """SIGKILL one process at random; returns its kind, or nothing if there was none."""
    kind = choose.choice(KINDS)
    victims = of_folder(folder)[kind]
    if not victims:
        return ""
    try:
        os.kill(choose.choice(victims), signal.SIGKILL)
    except ProcessLookupError:
        return ""
    return kind
