"""Calls that tell one another apart, many at once, and whether each came back once and whole.

A call prints its own number, works a little, and prints it again: the output of another call, of a lost attempt, or of
two attempts at once would show. Also the client process of the chaos runs:

    python load.py CLIENT CALLERS local LEVEL | remote URL,URL

prints `ready`, and at the end one JSON object; ends once its standard input is closed and every call has come back.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from r1ci_plugin.interpreter import LocalExecutor, RemoteExecutor
from r1ci_plugin.interpreter.executor import Executor

SLOTS = 2
_WORK = (
    "import time\ntime.sleep({s})",
    "import math\nfor _ in range(2000): math.sqrt(2)",
    "open('note', 'w').write('{n}')\nassert open('note').read() == '{n}'",
    "import numpy\nassert numpy.arange(9).sum() == 36",
)


def code_of(number: int) -> str:
    """The snippet of a call: its number, some work that depends on it, its number again."""
    work = _WORK[number % len(_WORK)].format(n=number, s=0.001 * (number % 40))
    return f"print('first {number}')\n{work}\nprint('last {number}')\n"


def fault_of(number: int, status: str, stdout: str) -> str:
    """What is wrong with a result; empty if it is the call's own, once and whole."""
    if status == "ok" and stdout == f"first {number}\nlast {number}\n":
        return ""
    return f"call {number}: {status} {stdout[:80]!r}"


async def load(executor: Executor, client: int, callers: int) -> dict[str, object]:
    """Keep `callers` calls under way until told to end; returns how many came back, and what was wrong with which."""
    faults: list[str] = []
    asked: set[int] = set()
    answered: list[int] = []
    told_to_end = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))

    async def call_on_and_on(lane: int) -> None:
        number = (client * callers + lane) * 1_000_000
        while not told_to_end.done():
            number += 1
            asked.add(number)
            result = await executor.run(code_of(number), timeout=20, sample_key=str(lane))
            answered.append(number)
            fault = fault_of(number, result.status, result.stdout)
            if fault:
                faults.append(f"{fault} {result.reason} {result.stderr[-200:]} in {result.attempts} attempts")

    await asyncio.gather(*(call_on_and_on(lane) for lane in range(callers)))
    lost, doubled = len(asked - set(answered)), len(answered) - len(set(answered))
    retries = executor.stats().get("retries", 0)
    return {"calls": len(asked), "lost": lost, "doubled": doubled, "retries": int(retries), "faults": faults}


async def main(client: int, callers: int, kind: str, where: str) -> None:
    random.seed(client)
    executor: Executor
    executor = LocalExecutor(SLOTS, level=where) if kind == "local" else RemoteExecutor(where.split(","))
    async with executor:
        await executor.run("import numpy", timeout=60)
        print("ready", flush=True)
        print(json.dumps(await load(executor, client, callers)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5]))
