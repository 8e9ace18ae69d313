"""The simulated GPUs in real time, behind the interface of verl's server client (verl/workers/rollout/llm_server.py).

An answer arrives when the GPU has its last token; the GPU itself never waits for this process: if the event loop is
late, the answer is, and what it keeps from coming back. The seconds of processor time that the simulation costs are
counted, so that they can be taken off. Left out: sampling, since every answer is scripted.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar
from time import thread_time
from typing import Any

from verl.workers.rollout.replica import TokenOutput

from r1ci_plugin.bench.rollout.gpu import Fleet, Gpu, Interval, Request
from r1ci_plugin.bench.rollout.phases import Phases
from r1ci_plugin.bench.rollout.workload import ScriptedTrajectory, ScriptedTurn
from r1ci_plugin.interpreter.executor import ExecResult, Executor

_HOME: ContextVar[int] = ContextVar("home")
"""The GPU of the trajectory whose task is running."""


class SimulatedServer:
    """Answers every request of the scripted trajectories. Belongs to one event loop.

    phases: barriers around sampling and code, if any. code_at_once: code calls of one GPU's trajectories at a time.
    """

    def __init__(
        self,
        fleet: Fleet,
        scripts: Iterable[ScriptedTrajectory],
        phases: Phases | None = None,
        code_at_once: int | None = None,
    ) -> None:
        self._fleet = fleet
        self._phases = phases
        self._places = [asyncio.Semaphore(code_at_once) if code_at_once else nullcontext() for _ in fleet.gpus]
        self._unclaimed: dict[tuple[int, ...], deque[ScriptedTrajectory]] = defaultdict(deque)
        for script in scripts:
            self._unclaimed[script.prompt_ids].append(script)
        self._turns: dict[str, deque[ScriptedTurn]] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._started: float | None = None
        self.cost_s = 0.0
        """Processor time of the simulation."""
        self.code: dict[int, list[Interval]] = defaultdict(list)
        """When code of each GPU's trajectories ran or waited for a slot."""
        self.ended: list[float] = []
        """When trajectories ended, in seconds since the first request."""

    @property
    def busy(self) -> list[list[Interval]]:
        """When each GPU had something to do."""
        return [gpu.busy for gpu in self._fleet.gpus]

    def now(self) -> float:
        """Seconds since the first request."""
        time = asyncio.get_running_loop().time()
        if self._started is None:
            self._started = time
        return time - self._started

    async def generate(
        self, request_id: str, *, prompt_ids: list[int], sampling_params: dict[str, Any], **_: Any
    ) -> TokenOutput:
        """The next turn of the trajectory; the first one of an unknown id takes the next script of its prompt."""
        if self._phases:
            await self._phases.wait("sample")
        began = thread_time()
        if request_id not in self._turns:
            self._turns[request_id] = deque(self._unclaimed[tuple(prompt_ids)].popleft().turns)
        turn = self._turns[request_id].popleft()
        home = self._fleet.home(request_id)
        _HOME.set(home)
        answered = asyncio.get_running_loop().create_future()
        gpu = self._fleet.gpus[home]
        now = self.now()
        self._deliver(gpu.advance(now))
        gpu.submit(Request(prompt_ids, turn.ids, now, owner=answered))
        self._tick(home)
        self.cost_s += thread_time() - began
        await answered
        ids = list(turn.ids[: sampling_params["max_tokens"]])
        steps = {"min_global_steps": 1, "max_global_steps": 1}
        return TokenOutput(token_ids=ids, log_probs=[-0.5] * len(ids), stop_reason="completed", extra_fields=steps)

    @asynccontextmanager
    async def code_call(self) -> AsyncIterator[None]:
        """Around a code call of the running task's trajectory."""
        if self._phases:
            await self._phases.wait("code")
        home, began = _HOME.get(), self.now()
        async with self._places[home]:
            yield
        self.code[home].append((began, self.now()))

    def leave(self) -> None:
        """A trajectory has ended."""
        self.ended.append(self.now())
        if self._phases:
            self._phases.leave()

    def _wake(self, home: int) -> None:
        began = thread_time()
        self._tick(home)
        self.cost_s += thread_time() - began

    def _tick(self, home: int) -> None:
        """Hand out what is done, and come back when something can change."""
        gpu: Gpu = self._fleet.gpus[home]
        self._deliver(gpu.advance(self.now()))
        if timer := self._timers.pop(home, None):
            timer.cancel()
        event = gpu.next_event()
        if event is not None and self._started is not None:
            loop = asyncio.get_running_loop()
            self._timers[home] = loop.call_at(self._started + event, self._wake, home)

    @staticmethod
    def _deliver(done: Iterable[tuple[float, Request]]) -> None:
        for _, request in done:
            if not request.owner.done():
                request.owner.set_result(None)


class TimedExecutor(Executor):
    """An executor whose calls the server knows of."""

    def __init__(self, executor: Executor, server: SimulatedServer) -> None:
        self._executor = executor
        self._server = server

    async def run(
        self, code: str, *, timeout: float = 10.0, memory_mb: int = 512, sample_key: str | None = None
    ) -> ExecResult:
        async with self._server.code_call():
            return await self._executor.run(code, timeout=timeout, memory_mb=memory_mb, sample_key=sample_key)
