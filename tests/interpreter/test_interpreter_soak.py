"""Many mixed calls, some of them bad: nothing of the executor grows. R1CI_SOAK_CALLS=20000 runs the long form."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from r1ci_plugin.interpreter import IsolationUnavailable, LocalExecutor

CALLS = int(os.environ.get("R1CI_SOAK_CALLS", "240"))
GOOD = ["print({n})", "import math\nprint({n})", "open('f', 'w').write('x' * 9999)\nprint({n})", "x = {n}\nprint(x)"]
BAD = [
    "print({n})\nwhile True: pass",
    "x = bytearray(8 << 30)",
    "while True: print('x' * 65536)",
    "import os\nfor i in range(99): os.mkdir(f'd{{i}}'); open(f'd{{i}}/f', 'wb').write(bytes(1 << 20))",
    "import ctypes\nctypes.string_at(8)",
    "import os\nos.fork()",
]


def footprint(pid: int) -> dict[str, float]:
    """Descriptors, processes, mounts and resident megabytes of a process and all below it."""
    found = {"descriptors": 0.0, "processes": 1.0, "mounts": 0.0, "megabytes": 0.0}
    home = Path(f"/proc/{pid}")
    try:
        found["descriptors"] = float(len(os.listdir(home / "fd")))
        found["mounts"] = float(len((home / "mounts").read_text().splitlines()))
        pages = int((home / "statm").read_text().split()[1])
        found["megabytes"] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        children = [child for task in home.glob("task/*/children") for child in task.read_text().split()]
    except OSError:
        return dict.fromkeys(found, 0.0)
    for child in children:
        found = {name: value + footprint(int(child))[name] for name, value in found.items()}
    return found


async def mixed(executor: LocalExecutor, calls: int) -> None:
    gate = asyncio.Semaphore(16)

    async def one(n: int) -> None:
        async with gate:
            bad = n % 20 == 7
            code = (BAD[n // 20 % len(BAD)] if bad else GOOD[n % len(GOOD)]).format(n=n)
            result = await executor.run(code, timeout=0.3 if bad else 20)
            assert result.status != "sandbox_error", result
            assert bad or result.stdout == f"{n}\n", result

    await asyncio.gather(*(one(n) for n in range(calls)))


async def settled(executor: LocalExecutor) -> dict[str, float]:
    await asyncio.sleep(1.0)
    return footprint(executor.host_pid)


@pytest.mark.parametrize("level", ["ns", "landlock", "seccomp"])
async def test_nothing_grows_over_many_mixed_calls(level: str) -> None:
    executor = LocalExecutor(2, level=level, shared=False)
    try:
        await executor.start()
    except IsolationUnavailable as refusal:
        pytest.skip(str(refusal))
    try:
        await mixed(executor, 80)
        own, before = len(os.listdir("/proc/self/fd")), await settled(executor)
        await mixed(executor, CALLS)
        after = await settled(executor)
        assert len(os.listdir("/proc/self/fd")) == own
        for name, value in before.items():
            assert after[name] <= value * 1.05, (name, before, after)
        assert executor.stats()["retries"] == 0
    finally:
        await executor.close()
