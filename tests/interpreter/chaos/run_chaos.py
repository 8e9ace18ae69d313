"""Kills the executor's processes at random under load: nothing may be lost or doubled, and no call may notice.

    python run_chaos.py --level ns [--seconds 300] [--seed 1]     slots, templates and hosts; one client as well
    python run_chaos.py --servers [--seconds 300] [--seed 1]      `r1ci sandbox serve` and all below it

Prints one JSON object: what was killed how often, and how the calls fared. Exit code 0 only if every call of every
client that was let live gave its own result, and all processes were gone a little after the last client.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from victims import kill_one, of_folder  # noqa: E402

CLIENTS = 3
CALLERS = 6
LEAST = 6
"""So much is killed at least, however slow the machine is."""
_EVERY_S = 0.25
_PROJECT = str(HERE.parents[2])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--level", choices=["ns", "landlock", "seccomp"])
    kind.add_argument("--servers", action="store_true")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    choose = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        if arguments.servers:
            report = asyncio.run(_servers(folder, arguments.seconds, choose))
        else:
            report = asyncio.run(_local(folder, arguments.level, arguments.seconds, choose))
        report["left over"] = asyncio.run(_left_over(folder))
    print(json.dumps(report))
    bad = report["faults"] or report["lost"] or report["doubled"] or report["left over"]
    return 1 if bad else 0


async def _local(folder: str, level: str, seconds: float, choose: random.Random) -> dict[str, object]:
    """Several client processes share one host; half way through one of them is killed."""
    clients = await asyncio.gather(*(_client(number, "local", level) for number in range(CLIENTS)))
    hosts = of_folder(folder)["host"]
    ends = time.monotonic() + seconds
    killed: collections.Counter[str] = collections.Counter()
    while time.monotonic() < ends or _count(killed) < LEAST:
        await asyncio.sleep(choose.uniform(0, 2 * _EVERY_S))
        killed[kill_one(folder, choose)] += 1
        if not killed["client"] and ends - time.monotonic() < seconds / 2:
            clients[0].kill()
            killed["client"] += 1
    return {"hosts at first": len(hosts), **await _summary(clients[1:], killed)}


async def _servers(folder: str, seconds: float, choose: random.Random) -> dict[str, object]:
    """Two servers, of which one or what is below it is killed again and again; a killed server comes back."""
    ports = [_free_port() for _ in range(2)]
    servers = list(await asyncio.gather(*map(_server, ports)))
    where = ",".join(f"http://127.0.0.1:{port}" for port in ports)
    clients = await asyncio.gather(*(_client(number, "remote", where) for number in range(2)))
    ends = time.monotonic() + seconds
    killed: collections.Counter[str] = collections.Counter()
    while time.monotonic() < ends or _count(killed) < LEAST:
        await asyncio.sleep(choose.uniform(0, 2 * _EVERY_S))
        if choose.random() < 0.2:
            index = choose.randrange(len(servers))
            servers[index].kill()
            await servers[index].wait()
            await asyncio.sleep(choose.uniform(0, 1))
            servers[index] = await _server(ports[index])
            killed["server"] += 1
        else:
            killed[kill_one(folder, choose)] += 1
    summary = await _summary(clients, killed)
    for server in servers:
        server.terminate()
        await server.wait()
    return summary


async def _client(number: int, kind: str, where: str) -> asyncio.subprocess.Process:
    """A process of calls, once its first call has come back."""
    command = [sys.executable, str(HERE / "load.py"), str(number), str(CALLERS), kind, where]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    word = await asyncio.wait_for(process.stdout.readline(), 120)
    if word != b"ready\n":
        raise SystemExit(f"client {number} did not start: {word!r}")
    return process


async def _server(port: int) -> asyncio.subprocess.Process:
    start = f"import sys; sys.path.insert(0, {_PROJECT!r}); from r1ci_plugin.cli.sandbox import app; app()"
    command = ["-c", start, "serve", "--port", str(port), "--slots", "2"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    if not await asyncio.wait_for(process.stdout.readline(), 120):
        raise SystemExit("a server did not start")
    return process


def _count(killed: collections.Counter[str]) -> int:
    """How many of the executor's processes; nothing is counted under no name."""
    return sum(n for kind, n in killed.items() if kind not in ("", "client"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _summary(
    clients: Sequence[asyncio.subprocess.Process], killed: collections.Counter[str]
) -> dict[str, object]:
    """Tell the clients to end; what they say, added up."""
    total: dict[str, object] = {"killed": {kind: n for kind, n in sorted(killed.items()) if kind}}
    for client in clients:
        out, _ = await asyncio.wait_for(client.communicate(b""), 120)
        report = json.loads(out) if out else {"faults": ["a client ended without a word"], "lost": 0, "doubled": 0}
        for name, value in report.items():
            total[name] = total[name] + value if name in total else value  # type: ignore[operator]
    return total


async def _left_over(folder: str) -> dict[str, list[int]]:
    """Processes that outlive their last client; a host lingers for two seconds."""
    for _ in range(100):
        left = {kind: pids for kind, pids in of_folder(folder).items() if pids}
        if not left:
            return {}
        await asyncio.sleep(0.1)
    return left


if __name__ == "__main__":
    sys.exit(main())
