"""Many mixed calls, one in twenty of them from the hostile list, inside the shield: nothing of the executor grows.

    python run_soak.py --level ns [--calls 20000] [--user 12345]

Prints one JSON object: what there was after the warm-up and after the calls. Exit code 0 only if every good call gave
its own result, no call was lost to the infrastructure, and nothing grew by more than one part in twenty.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(PROJECT)]

import cases_kernel  # noqa: E402
import cases_reach  # noqa: E402
import cases_tricks  # noqa: E402
import cases_work  # noqa: E402
import shield  # noqa: E402

from r1ci_plugin.interpreter import LocalExecutor  # noqa: E402
from r1ci_plugin.interpreter.tally import GAUGES  # noqa: E402

SLOTS = 2
CALLERS = 16
BAD_EVERY = 20
MOST_GROWTH = 1.05
HOSTILE = cases_work.CASES + cases_reach.CASES + cases_kernel.CASES + cases_tricks.CASES
GOOD = (
    *("print({n})", "import math\nprint({n})", "open('f', 'w').write('x' * 9999)\nprint({n})") * 3,
    "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').write('{n}')\nprint(open('a/b/c').read())",
    "import json, re, collections\nprint(json.loads('{n}'))",
    "def f(x):\n    return f(x - 1) + 1 if x else {n}\nprint(f(50) - 50)",
    "import threading\nt = threading.Thread(target=print, args=({n},)); t.start(); t.join()",
    "try:\n    1 / 0\nexcept ZeroDivisionError:\n    print({n})",
    "import numpy\nprint(int(numpy.full(1000, {n}).max()))",
    "import numpy\nprint(round(float(numpy.linalg.solve(numpy.eye(2), [{n}, 0])[0])))",
    "import sympy\nprint(sympy.Integer({n}))",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", required=True)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--user", type=int, help="become this user inside the shield")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        keep = [str(PROJECT), sys.prefix, sys.base_prefix]
        command = [sys.executable, str(Path(__file__).resolve()), "--inside", *sys.argv[1:]]
        return shield.run_shielded(command, keep, arguments.user)
    shield.refuse_unless_shielded()
    report = asyncio.run(soak(arguments.level, arguments.calls))
    print(json.dumps(report))
    return 1 if report["faults"] or report["grown"] else 0


async def soak(level: str, calls: int) -> dict[str, object]:
    """Warm up, look, run the calls, and look again."""
    async with LocalExecutor(SLOTS, level=level, shared=False) as executor:
        # every slot of every template, and every page that a call makes the long-lived ones touch: the client's the
        # longest code, encoded
        for case in HOSTILE:
            case.code.replace("@PROJECT@", str(PROJECT)).encode("utf-8", "surrogatepass")
        faults = await mixed(executor, len(GOOD) * BAD_EVERY)
        before, started = await footprint(executor), time.monotonic()
        faults += await mixed(executor, calls)
        took = time.monotonic() - started
        after = await footprint(executor)
        stats = executor.stats()
        counts = {name: int(n) for name, n in stats.items() if name not in GAUGES and not name.endswith("_s")}
    if counts["retries"]:
        faults.append(f"{counts['retries']} calls had to be run again")
    grown = [name for name, value in before.items() if after[name] > value * MOST_GROWTH]
    figures = {"level": level, "calls": calls, "seconds": round(took, 1), "before": before, "after": after}
    return {**figures, "counts": counts, "grown": grown, "faults": faults}


async def mixed(executor: LocalExecutor, calls: int) -> list[str]:
    """Run the calls, some at a time; returns what was wrong."""
    numbers = iter(range(calls))
    faults: list[str] = []

    async def good(n: int) -> None:
        result = await executor.run(GOOD[n % len(GOOD)].format(n=n), timeout=30)
        if result.stdout != f"{n}\n":
            faults.append(f"call {n}: {result.status} {result.stdout[:80]!r} {(result.reason or result.stderr)[-200:]}")

    async def bad(n: int) -> None:
        case = HOSTILE[n // BAD_EVERY * 977 % len(HOSTILE)]  # neighbours on the list are alike; 977 is prime
        code = case.code.replace("@PROJECT@", str(PROJECT))
        result = await executor.run(code, timeout=case.timeout, memory_mb=case.memory_mb)
        if result.status == "sandbox_error":
            faults.append(f"{case.name}: {result.reason}")

    async def call_on_and_on() -> None:
        for n in numbers:
            await (bad(n) if n % BAD_EVERY == BAD_EVERY - 1 else good(n))

    await asyncio.gather(*(call_on_and_on() for _ in range(CALLERS)))
    return faults


async def footprint(executor: LocalExecutor) -> dict[str, float]:
    """What the host with all below it holds, and this client, with every slot of every template alive: one that a call
    ended is made again only when it is needed."""
    for module in ("math", "numpy", "sympy"):
        nap = f"import time, {module}; time.sleep(0.5)"
        await asyncio.gather(*(executor.run(nap, timeout=60) for _ in range(SLOTS)))
    await asyncio.sleep(1.0)  # what the last calls left is cleared away
    found: collections.Counter[str] = collections.Counter()
    for pid in [executor.host_pid, *_descendants(executor.host_pid)]:
        home = Path(f"/proc/{pid}")
        found["processes"] += 1
        found["descriptors"] += len(os.listdir(home / "fd"))
        found["mounts"] += len((home / "mounts").read_text().splitlines())
        found["resident MB"] += _resident(home)
    found["client's descriptors"] = len(os.listdir("/proc/self/fd"))
    found["client's resident MB"] = _resident(Path("/proc/self"))
    return {name: round(value, 1) for name, value in found.items()}


def _resident(home: Path) -> float:
    return int((home / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


if __name__ == "__main__":
    sys.exit(main())
