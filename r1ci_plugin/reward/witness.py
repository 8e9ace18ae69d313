"""What verifiers do while they judge: loaded into a worker (`preload`), where it watches Python's audit events.

Running code, starting a process, opening a file and connecting raise audit events in the interpreter itself, whoever
asks for them. The counts leave the worker as the reason of a verdict on the task defined here. An instrument of tests
and benchmarks, in no suite; importing it slows the whole process down. Left out: what counts as a failure.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from random import Random
from typing import Any

from r1ci_plugin.tasks import Draft, Payload, Task, Verdict, task

STARTS = ("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen", "socket.connect")
CHANGES_FILES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink")

_OWN_FILES = tuple({sys.prefix, sys.base_prefix, *filter(None, sys.path)})


def deed(event: str, arguments: tuple[Any, ...]) -> str | None:
    """`code_run` or `files_touched` for an audit event that is one, None for all others.

    Texts handed to the compiler count, whoever wrote them; modules that are imported do not, nor does reading installed
    files.
    """
    if event in STARTS:
        return "code_run"
    if event in CHANGES_FILES:
        return "files_touched"
    if event == "compile" and str(arguments[1] or "<").startswith("<"):
        return "code_run"
    if event == "open":
        writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return "files_touched" if writes or not str(arguments[0]).startswith(_OWN_FILES) else None
    return None


_started = False
"""Nothing is counted before the first report: a worker imports what it needs first."""
_counts: Counter[str] = Counter()
_examples: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _started:
        return
    if kind := deed(event, arguments):
        _counts[kind] += 1
        if len(_examples) < 3:
            _examples.append(f"{event} {str(arguments)[:80]}")


sys.addaudithook(_watch)


@task(
    "watch/worker",
    summary="Report what this worker did since the last report",
    capabilities=("logical",),
    answer_kind="text",
    levels=1,
    knobs="none",
    source="an instrument",
    default_level=1,
)
class Witness(Task):
    """Its verdict's reason is JSON: what was counted since the last report, with up to three examples."""

    def generate(self, rng: Random, level: int) -> Draft:
        return Draft("What did this worker do since the last report?", {})

    def oracle(self, payload: Payload) -> str:
        return "report"

    def check(self, payload: Payload, answer: str) -> Verdict:
        global _started
        _started = True
        report = json.dumps({**_counts, "examples": _examples})
        _counts.clear()
        _examples.clear()
        return Verdict.correct(report)
