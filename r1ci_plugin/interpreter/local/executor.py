"""The local executor: warm-forked, kernel-isolated code calls, through the one host process of this machine.

It admits calls fairly, makes each call's files, sends them, and sends again what the infrastructure lost. Left out:
everything on the other side of the socket (`host/`), how the host is found (`launch`), how a result is read (`parcel`).
"""

from __future__ import annotations

import asyncio
import logging
import random
import resource
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.interpreter.local import launch, packages
from r1ci_plugin.interpreter.local.cores import available_cores
from r1ci_plugin.interpreter.local.gate import Gate
from r1ci_plugin.interpreter.local.host.levels import LEVELS
from r1ci_plugin.interpreter.local.host.remover import remove
from r1ci_plugin.interpreter.local.line import CallUnsent, HostLost, Line
from r1ci_plugin.interpreter.local.parcel import Parcel
from r1ci_plugin.interpreter.local.scan import template_for
from r1ci_plugin.interpreter.tally import Tally

logger = logging.getLogger(__name__)

CODE_BYTES = 256 << 10
_MOST_SLOTS_LOST = 4
"""A call whose slot is lost so often may be what ends it."""
_MOST_HOSTS_LOST = 12
"""With the rests between, time enough for a host that was killed to be started again and again, and an end where it
cannot start."""
_FIRST_REST_S, _LONGEST_REST_S = 0.02, 2.0
_WINDOW_PER_SLOT = 4
_DESCRIPTORS_PER_CALL = 4


class IsolationUnavailable(RuntimeError):
    """This machine cannot isolate code calls as asked; the message says why and what to do."""


class _CallLost(RuntimeError):
    """The slot ended under the call, or could not start it; the host is well."""


class LocalExecutor(Executor):
    """Runs code calls on this machine, each in a locked-in process forked from a warm interpreter.

    slots: calls at the same time on the whole machine, over all clients with the same settings; None: the cores we
    may use.
    floor: the worst isolation level to accept, `ns`, `landlock` (default) or `seccomp`; below it `start` raises
    IsolationUnavailable and `run` answers `sandbox_error`. level: insist on exactly this one. Raises ValueError for
    another word.
    queue_timeout: seconds a call may wait for a slot. keep_bytes: bytes of each output stream that a result holds.
    allow: further packages that code may import. shared: False gives this executor a host of its own.
    """

    def __init__(
        self,
        slots: int | None = None,
        *,
        floor: str = "landlock",
        level: str | None = None,
        queue_timeout: float = 600.0,
        keep_bytes: int = 64 << 10,
        allow: tuple[str, ...] = (),
        shared: bool = True,
    ) -> None:
        for name in (floor, level or floor):
            if name not in LEVELS:
                raise ValueError(f"unknown isolation level {name!r}: one of {', '.join(LEVELS)}")
        self.slots = slots or available_cores()
        self._settings = launch.HostSettings(self.slots, floor, level, (*packages.ALLOWED, *allow), not shared)
        self._queue_timeout = queue_timeout
        self._keep_bytes = keep_bytes
        self._own_folder: Path | None = None
        self._shared = shared
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Line]] = WeakKeyDictionary()
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = WeakKeyDictionary()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._opened: list[Line] = []
        self._tally = Tally(self.slots)
        self.isolation = ""
        """The level, once started."""
        self.host_pid = 0
        """The host's process number, once started."""

    async def start(self) -> None:
        """Connect to the host, or start it. Raises IsolationUnavailable."""
        await self.connection()

    async def close(self) -> None:
        for line in self._opened:
            line.close()
        self._opened.clear()
        self._lines.clear()
        if self._own_folder is not None:
            for process in self._processes:
                process.kill()
        for process in self._processes:
            if self._own_folder is not None or process.poll() is not None:
                process.wait()
        folder, self._own_folder = self._own_folder, None
        if folder is not None:
            remove(str(folder))

    def log(self) -> str:
        """What the host and its processes had to say, for people; empty if all went well."""
        try:
            return (self._folder() / "host.log").read_text(errors="replace")
        except OSError:
            return ""

    def stats(self) -> dict[str, float]:
        """As every executor, with `utilisation`."""
        return self._tally.facts()

    async def run(
        self,
        code: str,
        *,
        timeout: float = 10.0,
        memory_mb: int = 512,
        sample_key: str | None = None,
        stdin: str | None = None,
    ) -> ExecResult:
        """As every executor; `stdin` is what the code may read, nothing if not given."""
        source = code.encode("utf-8", "surrogatepass")
        if len(source) > CODE_BYTES:
            result = ExecResult("rejected", reason=f"the code has {len(source)} bytes, more than {CODE_BYTES}")
        else:
            order = {
                "template": template_for(code),
                "timeout": timeout,
                "memory_mb": memory_mb,
                "key": (sample_key or "")[:200],
            }
            result = await self._run(source, None if stdin is None else stdin.encode("utf-8", "surrogatepass"), order)
        self._tally.add(result)
        return result

    async def _run(self, source: bytes, stdin: bytes | None, order: dict[str, Any]) -> ExecResult:
        """Run one call, again where the infrastructure lost it. Never raises but for cancellation."""
        asked = time.monotonic()
        reason, hosts_lost, slots_lost = "", 0, 0
        while hosts_lost < _MOST_HOSTS_LOST and slots_lost < _MOST_SLOTS_LOST:
            attempt = 1 + hosts_lost + slots_lost
            try:
                result = await self._once(source, stdin, order, asked)
            except HostLost as loss:
                reason, hosts_lost = str(loss), hosts_lost + 1
                await asyncio.sleep(random.uniform(0, min(_LONGEST_REST_S, _FIRST_REST_S * 2**hosts_lost)))
            except (_CallLost, CallUnsent) as loss:
                reason, slots_lost = str(loss), slots_lost + 1
            except IsolationUnavailable as refusal:
                return ExecResult("sandbox_error", attempts=attempt, reason=str(refusal))
            except Exception as failure:
                return ExecResult("sandbox_error", attempts=attempt, reason=f"{type(failure).__name__}: {failure}")
            else:
                return replace(result, attempts=attempt)
        attempts = hosts_lost + slots_lost
        said = self.log().strip().rpartition("\n")[2]
        reason = f"{reason}, {attempts} times" + (f"; the host's log ends with: {said}" if said else "")
        return ExecResult("sandbox_error", attempts=attempts, reason=reason)

    async def _once(self, source: bytes, stdin: bytes | None, order: dict[str, Any], asked: float) -> ExecResult:
        """One attempt. Raises HostLost, _CallLost, CallUnsent, and OSError if files or processes run out."""
        async with self._gate().place(order["key"]):
            line = await self.connection()
            left = self._queue_timeout - (time.monotonic() - asked)
            if left <= 0:
                return ExecResult("sandbox_error", reason="overload: no slot came free within the queue time-out")
            admitted_s = time.monotonic() - asked
            with Parcel(source, stdin) as parcel:
                answer = await line.call({**order, "queue_timeout": left}, parcel.descriptors)
                if "failed" in answer:
                    return ExecResult(
                        "sandbox_error", reason=str(answer["failed"]), queue_s=admitted_s + answer["queue_s"]
                    )
                if "lost" in answer:
                    raise _CallLost(answer["lost"])
                result = parcel.result(answer, level=self.isolation, keep_bytes=self._keep_bytes)
                return replace(result, queue_s=admitted_s + result.queue_s)

    def _gate(self) -> Gate:
        """Admission of the running loop: what waits here costs no files, unlike what waits at the host."""
        loop = asyncio.get_running_loop()
        if loop not in self._gates:
            # At most half of the descriptors of this process, of which the trainer needs some as well.
            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            affordable = soft // (2 * _DESCRIPTORS_PER_CALL) if soft != resource.RLIM_INFINITY else 1 << 20
            self._gates[loop] = Gate(max(1, min(_WINDOW_PER_SLOT * self.slots, affordable)))
        return self._gates[loop]

    async def connection(self) -> Line:
        """The running loop's connection, made on first use and again after a loss."""
        loop = asyncio.get_running_loop()
        task = self._lines.get(loop)
        if task is None or _is_dead(task):
            task = loop.create_task(self._connect(loop))
            self._lines[loop] = task
        return await asyncio.shield(task)

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> Line:
        try:
            sock, process = await asyncio.to_thread(launch.connect, self._folder(), self._settings)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            # its folder was removed under us, or the host that was just started has ended: another may do better
            raise HostLost(f"the host cannot be reached: {error}") from None
        self._processes = [known for known in self._processes if known.poll() is None]
        if process is not None:
            self._processes.append(process)
        line = Line(sock, loop)
        self._opened = [other for other in self._opened if not other.lost] + [line]
        greeting = await line.greeting()
        if "refused" in greeting:
            line.close()
            raise IsolationUnavailable(greeting["refused"])
        self.isolation = str(greeting["level"])
        self.host_pid = int(greeting["pid"])
        logger.info("code calls run at isolation level %s, %d at a time", self.isolation, self.slots)
        return line

    def _folder(self) -> Path:
        if self._shared:
            return launch.folder_for(self._settings)
        if self._own_folder is None or not self._own_folder.exists():
            self._own_folder = Path(tempfile.mkdtemp(prefix="r1ci-", dir=launch.runtime_folder()))
        return self._own_folder


def _is_dead(task: asyncio.Task[Line]) -> bool:
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().lost
