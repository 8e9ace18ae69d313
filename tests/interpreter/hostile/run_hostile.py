"""Runs the hostile list against an isolation level, inside the shield that it builds first.

    python run_hostile.py --level ns --level landlock [--user 12345] [--docker | --old-kernel] [--repeat 10]
        [--slower 8] [--only WORD]

A case holds when its own check does, when the call after it works, and when no process is left over. Prints one line
for each miss and one for each level; exit code 0 only if everything held.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(PROJECT)]

import cases_beside  # noqa: E402
import cases_kernel  # noqa: E402
import cases_reach  # noqa: E402
import cases_tricks  # noqa: E402
import cases_work  # noqa: E402
import dockerlike  # noqa: E402
import shield  # noqa: E402
from judge import CANARY, SECRET, Case  # noqa: E402

from r1ci_plugin.interpreter import LocalExecutor  # noqa: E402


def main() -> int:
    arguments = _arguments()
    if not arguments.inside:
        keep = [str(PROJECT), sys.prefix, sys.base_prefix]
        command = [sys.executable, str(Path(__file__).resolve()), "--inside", *sys.argv[1:]]
        return shield.run_shielded(command, keep, arguments.user)
    shield.refuse_unless_shielded()
    _plant_canary()
    if arguments.docker or arguments.old_kernel:
        dockerlike.put_on(landlock=not arguments.old_kernel)
    missed = 0
    for level in arguments.level:
        missed += asyncio.run(_run_level(level, arguments))
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", action="append", required=True, choices=["ns", "landlock", "seccomp"])
    parser.add_argument("--user", type=int, help="become this user inside the shield")
    parser.add_argument("--docker", action="store_true", help="under roughly what Docker allows")
    parser.add_argument("--old-kernel", action="store_true", help="the same, and without Landlock")
    parser.add_argument("--slower", type=float, default=1.0, help="factor on the time limits, for an emulated machine")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _plant_canary() -> None:
    os.makedirs(os.path.dirname(CANARY), exist_ok=True)
    with open(CANARY, "w") as file:
        file.write(SECRET)
    os.chmod(os.path.dirname(CANARY), 0o777)


async def _run_level(level: str, arguments: argparse.Namespace) -> int:
    started, missed, count = time.time(), 0, 0
    alone = cases_work.CASES + cases_reach.CASES + cases_kernel.CASES + cases_tricks.CASES
    for slots, modules, cases in ((1, ("math", "numpy", "sympy"), alone), (2, ("math",), cases_beside.CASES)):
        wanted = [case for case in cases if arguments.only in case.name]
        async with LocalExecutor(slots, level=level, shared=False) as executor:
            expected = await _warm_up(executor, modules)
            for case in wanted * arguments.repeat:
                count += 1
                begun = time.time()
                fault = await _try(executor, case, expected, arguments.slower)
                if fault:
                    missed += 1
                if fault or arguments.verbose:
                    print(f"{level}: {case.name}: {fault or 'held'} ({time.time() - begun:.1f} s)", flush=True)
    place = ", docker-like, no Landlock" if arguments.old_kernel else ", docker-like" if arguments.docker else ""
    who = f"user {os.getuid()}{place}"
    print(f"{level}, {who}: {count - missed} of {count} held in {time.time() - started:.0f} s", flush=True)
    return missed


async def _try(executor: LocalExecutor, case: Case, expected: int, slower: float) -> str:
    """What went wrong; empty if the case holds."""
    code = case.code.replace("@PROJECT@", str(PROJECT))
    beside = asyncio.create_task(executor.run(case.beside, timeout=5 * slower)) if case.beside else None
    result = await executor.run(code, timeout=case.timeout * slower, memory_mb=case.memory_mb)
    faults = []
    if beside and (other := await beside).status != "ok":
        faults.append(f"the call beside it: {other.status} {other.stderr[-200:]}")
    if not case.holds(result):
        shown = (result.stdout[:150] + " / " + (result.reason or result.stderr)[-200:]).replace("\n", "|")
        faults.append(
            f"{result.status}, exit {result.exit_code}, signal {result.signal}, {result.run_s:.2f} s, {shown!r}"
        )
    after = await executor.run("print(6*7)", timeout=10 * slower)
    if after.stdout != "42\n" or after.attempts != 1:
        faults.append(f"the next call: {after.status} {after.reason} in {after.attempts} attempts")
    if left := await _survivors(expected):
        faults.append(f"left over: {left}")
    if result.attempts != 1:
        faults.append(f"took {result.attempts} attempts; the host says {executor.log()[-600:]!r}")
    return "; ".join(faults)


async def _survivors(expected: int) -> int:
    """How many processes there are beyond the expected ones, a moment after a call."""
    for _ in range(60):
        if _processes() <= expected:
            return 0
        await asyncio.sleep(0.05)
    return _processes() - expected


def _processes() -> int:
    """All processes of the shield, ended ones that nobody has collected included."""
    return sum(name.isdigit() for name in os.listdir("/proc"))


async def _warm_up(executor: LocalExecutor, modules: tuple[str, ...]) -> int:
    """Have every template and slot running that the cases will use; returns how many processes that makes."""
    for module in modules:
        code = f"import {module}, time; time.sleep(0.3)"
        for result in await asyncio.gather(*(executor.run(code, timeout=60) for _ in range(executor.slots))):
            if result.status != "ok":
                raise SystemExit(f"the executor does not work inside the shield: {result}")
    await asyncio.sleep(0.5)
    return _processes()


if __name__ == "__main__":
    sys.exit(main())
