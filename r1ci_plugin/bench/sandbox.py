"""How fast, even and small the local executor is, against a fresh interpreter and against the cost of the fork itself.

All contenders are alive at once and take turns. Left out: correctness and isolation, which are tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from r1ci_plugin.bench.figures import Figure
from r1ci_plugin.interpreter.local import launch, packages
from r1ci_plugin.interpreter.local.executor import LocalExecutor
from r1ci_plugin.interpreter.local.host.pool import ENVIRONMENT

_PRINT = "print(sum(range(10)))"
_MATHS = "import numpy as np, sympy as sp\nx = sp.symbols('x')\nprint(np.arange(10).sum(), sp.expand((x + 1)**3))"
_SLOTS = 2
Call = Callable[[str], Awaitable[str]]


def measure(quick: bool = False) -> list[Figure]:
    """All figures; quick: the same ones from fewer rounds."""
    return asyncio.run(_measure(3 if quick else 9, 20 if quick else 80))


async def _measure(rounds: int, calls: int) -> list[Figure]:
    executor = LocalExecutor(_SLOTS, shared=False)
    try:
        await executor.start()
        memory = await _memory(executor)
        for code in (_PRINT, _MATHS):
            await asyncio.gather(*(executor.run(code) for _ in range(4 * _SLOTS)))
        return [
            *await _against_fresh(executor, rounds, calls),
            *await _against_fork(executor.isolation, 12 * rounds),
            await _evenness(executor, calls * rounds),
            await _lateness(executor, 2 * rounds),
            *memory,
            await _crowd(executor, rounds),
        ]
    finally:
        await executor.close()


async def _against_fresh(executor: LocalExecutor, rounds: int, calls: int) -> list[Figure]:
    async def warm(code: str) -> str:
        return (await executor.run(code)).stdout

    figures = []
    for name, code, bar, share in (("print", _PRINT, ">= 5", 1.0), ("maths", _MATHS, ">= 60", 0.1)):
        ratios, detail = [], {}
        for callers in (2, 8, 32) if name == "print" else (2, 8):
            here = []
            for _ in range(rounds if name == "print" else max(2, rounds // 2)):
                base = await _rate(_fresh, code, callers, max(callers, int(calls * share)))
                here.append(await _rate(warm, code, callers, calls) / base)
                detail[f"fresh_per_s_at_{callers}"] = round(base, 1)
            detail[f"ratio_at_{callers}"] = round(statistics.median(here), 2)
            ratios.append(statistics.median(here))
        figures.append(
            Figure.judged(f"{name} against a fresh interpreter", min(ratios), bar, level=executor.isolation, **detail)
        )
    figures.append(await _against_bubblewrap(warm, rounds, calls))
    return figures


async def _fresh(code: str, prefix: tuple[str, ...] = ()) -> str:
    command = [*prefix, sys.executable, "-I", "-c", code]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return (await process.communicate())[0].decode()


async def _against_bubblewrap(warm: Call, rounds: int, calls: int) -> Figure:
    name, bar = "print against bubblewrap for each call", ">= 5"
    if not shutil.which("bwrap"):
        return Figure.judged(name, None, bar, reason="bwrap is not installed")
    prefix = ("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev")
    ratios = []
    for _ in range(rounds):
        base = await _rate(lambda code: _fresh(code, prefix), _PRINT, _SLOTS, calls)
        ratios.append(await _rate(warm, _PRINT, _SLOTS, calls) / base)
    return Figure.judged(name, statistics.median(ratios), bar)


async def _rate(call: Call, code: str, callers: int, calls: int) -> float:
    """Calls a second. Raises RuntimeError for an empty answer."""
    left = iter(range(calls))

    async def caller() -> None:
        for _ in left:
            if not await call(code):
                raise RuntimeError("a call of the benchmark gave nothing")

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return calls / (time.perf_counter() - started)


async def _against_fork(level: str, rounds: int) -> list[Figure]:
    """What a call costs in a slot against the fork that it cannot do without, and against a slot without isolation."""
    figures = []
    if level == "seccomp":
        return [Figure.judged("isolation against none", None, "<= 1.15", reason="not compared at the level seccomp")]
    for template, bar in (("stdlib", "<= 1.6"), ("full", "<= 1.4")):
        taken = await asyncio.to_thread(_floor, template, level, rounds)
        detail = {f"{kind}_ms": round(seconds * 1e3, 3) for kind, seconds in taken.items()}
        ratio = taken["isolated"] / taken["fork"]
        figures.append(Figure.judged(f"time in the slot against a bare fork, {template}", ratio, bar, **detail))
        for name, kind in (("an answer", ""), ("a slot's whole cycle", "_cycle")):
            ratio = taken[f"isolated{kind}"] / taken[f"bare{kind}"]
            figures.append(Figure.judged(f"isolation of {name} against none, {template}", ratio, "<= 1.15"))
    return figures


def _floor(template: str, level: str, rounds: int) -> dict[str, float]:
    """Median seconds, from a process like the template; see `host.floor` for what they are."""
    with tempfile.TemporaryDirectory() as folder:
        links = Path(folder, "site")
        packages.link(links, packages.locate())
        settings = json.dumps({"template": template, "links": str(links), "level": level, "rounds": rounds})
        ended = subprocess.run(
            [*launch.boot_command("floor"), "0", settings],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=300,
            cwd="/",
        )
    medians: dict[str, float] = json.loads(ended.stdout)
    return medians


async def _evenness(executor: LocalExecutor, calls: int) -> Figure:
    times: list[float] = []

    async def timed(code: str) -> str:
        started = time.perf_counter()
        output = (await executor.run(code)).stdout
        times.append(time.perf_counter() - started)
        return output

    await _rate(timed, _PRINT, _SLOTS, max(calls, 100))
    half, most = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    return Figure.judged(
        "95th percentile against median",
        most / half,
        "<= 3",
        median_ms=round(half * 1e3, 2),
        p95_ms=round(most * 1e3, 2),
    )


async def _lateness(executor: LocalExecutor, calls: int) -> Figure:
    late = []
    for _ in range(calls):
        result = await executor.run("while True: pass", timeout=0.2)
        late.append((result.run_s - 0.2) * 1e3)
    late.sort()
    detail = {"median_ms": round(statistics.median(late), 2), "calls": calls}
    return Figure.judged(
        "lateness of a time-out, ms", late[min(len(late) - 1, int(0.99 * len(late)))], "<= 100", **detail
    )


async def _memory(executor: LocalExecutor) -> list[Figure]:
    """Proportional memory of the host with two slots of one template: stdlib first, then what the full one adds.

    A page that several processes share counts in part for each, so another Python beside makes the figure smaller;
    what is the processes' own (`own_mb`) does not depend on others.
    """
    nap = "import time; time.sleep(0.2)"
    await asyncio.gather(*(executor.run(nap) for _ in range(_SLOTS)))
    await asyncio.sleep(0.3)
    small = _memory_mb(executor.host_pid)
    await asyncio.gather(*(executor.run(f"import sympy\n{nap}", timeout=60) for _ in range(_SLOTS)))
    await asyncio.sleep(0.3)
    full = _memory_mb(executor.host_pid)
    both = "the stdlib template and its slots"
    return [
        Figure.judged("memory of host and 2 slots, stdlib, MB", small["Pss:"], "<= 30", own_mb=_own(small)),
        Figure.judged("memory of host and 2 slots, full, MB", full["Pss:"], "<= 130", own_mb=_own(full), includes=both),
    ]


def _own(memory: Counter[str]) -> float:
    return round(memory["Private_Clean:"] + memory["Private_Dirty:"], 1)


def _memory_mb(pid: int) -> Counter[str]:
    """The kernel's sums of memory, in MB, over a process and all below it."""
    total: Counter[str] = Counter()
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, size, *_ = line.split()
            total[name] += int(size) / 1024  # type: ignore[assignment]
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children = [child for task in tasks for child in task.read_text().split()]
    except OSError:
        return total
    for child in children:
        total.update(_memory_mb(int(child)))
    return total


async def _crowd(executor: LocalExecutor, rounds: int) -> Figure:
    async def warm(code: str) -> str:
        return (await executor.run(code, sample_key=str(os.urandom(1)[0]))).stdout

    ratios = []
    for _ in range(max(2, rounds // 3)):
        few = await _rate(warm, _PRINT, _SLOTS, 512)
        ratios.append(await _rate(warm, _PRINT, 512, 1024) / few)
    return Figure.judged("512 waiting callers against 2, throughput", statistics.median(ratios), ">= 0.95")
