"""The verifier pool: verdicts on model text, made by killable worker processes under a deadline.

    async with VerifierPool(workers=2, deadline_s=5.0) as pool:
        verdict = await pool.verify(question, answer)

`verify` never raises on an answer. The clock of a verdict starts when a worker starts on it, however long the queue,
and counts processor time, however busy the machine. A verdict that takes longer is a `timeout`: the worker is killed
and replaced, the jobs behind it go to another one. A worker that dies of something else (killed from outside, out of
memory, a crash) has its job tried once more elsewhere, then the verdict is `error`. Scripts without an event loop use
`BlockingVerifierPool` (`blocking.py`).

Left out: what is right (`tasks/`), the process and its limits (`worker.py`, `process.py`), rewards (`manager.py`).
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, get_args

from typing_extensions import Self

from r1ci_plugin.reward.process import Job, VerifierProcess
from r1ci_plugin.reward.worker import WALL_FACTOR
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.tasks.base import MAX_ANSWER_CHARS, Outcome

DEPTH = 8
"""Jobs a worker may hold, so that it never waits for the owner between two verdicts."""
TICK_S = 0.05
"""How often the workers are looked at, and how long one job may run before those behind it go to another worker."""
GRACE_S = 1.0
"""How much longer than the deadline the owner waits for the worker's own timer to end it."""
SOLUTION_DEADLINE_S = 60.0
"""Seconds to make, solve and judge one question, which takes far longer than to judge it."""
START_S = 120.0
"""A worker that is not ready after this time has failed to start; it imports up to 144 tasks from a cold disk."""
MAX_FAILED_STARTS = 3
TOLD = 3
"""Tasks that a failed self-test names before it only counts them."""
COUNTERS = ("verdicts", *get_args(Outcome), "restarts", "retries")
KEPT_TIMES = 10_000
"""Verdicts the percentiles look back on."""


class PoolBroken(RuntimeError):
    """The workers cannot be started, or the pool is closed. The message says why."""


class SelfTestFailed(RuntimeError):
    """A task's own solution is not judged correct in a worker. The message is one line that names such tasks."""


class VerifierPool:
    """Judges answers in `workers` processes. Belongs to one event loop; any number of callers may wait at once.

    deadline_s: seconds of processor time for one verdict; four times that on the wall. memory_mb: address space of a
    worker. warm: patterns of task names that workers import before their first verdict. preload: modules workers import
    first, e.g. tasks of another package.
    """

    def __init__(
        self,
        workers: int = 2,
        deadline_s: float = 5.0,
        *,
        memory_mb: int = 2048,
        warm: Sequence[str] = ("*",),
        preload: Sequence[str] = (),
    ) -> None:
        if workers < 1 or deadline_s <= 0:
            raise ValueError(f"a pool needs a worker and a deadline, not workers={workers}, deadline_s={deadline_s}")
        self.workers, self.deadline_s = workers, deadline_s
        self._settings = {"memory_mb": memory_mb, "warm": list(warm), "preload": list(preload)}
        self._queue: deque[Job] = deque()
        self._processes: list[VerifierProcess] = []
        self._started: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._broken = ""
        self._failed_starts, self._next_start = 0, 0.0
        self._counts: Counter[str] = Counter()
        self._waits: deque[float] = deque(maxlen=KEPT_TIMES)
        self._work: deque[float] = deque(maxlen=KEPT_TIMES)

    async def start(self) -> None:
        """Start the workers and wait until one is ready; on first use if not before. Raises PoolBroken."""
        if self._started is None:
            self._started = asyncio.get_running_loop().create_task(self._start())
        await asyncio.shield(self._started)
        if self._broken:
            raise PoolBroken(f"the verifier pool cannot judge: {self._broken}")

    async def verify(self, question: Question, answer: str) -> Verdict:
        """The verdict on an answer text. Raises PoolBroken if no worker can be started, and for nothing else."""
        if not isinstance(answer, str) or len(answer) > MAX_ANSWER_CHARS:
            return self._count(Verdict("unparseable", f"not a text of at most {MAX_ANSWER_CHARS} characters"))
        return await self._ask({"task": question.task, "payload": question.payload, "answer": answer}, self.deadline_s)

    async def verify_many(self, pairs: Iterable[tuple[Question, str]]) -> list[Verdict]:
        """The verdicts on many answers, in order."""
        return list(await asyncio.gather(*(self.verify(question, answer) for question, answer in pairs)))

    async def verify_solutions(self, questions: Iterable[Question]) -> list[Verdict]:
        """Let workers solve questions and judge the solutions: the verdicts, in order."""
        requests = [{"task": question.task, "payload": question.payload} for question in questions]
        return list(await asyncio.gather(*(self._ask(request, SOLUTION_DEADLINE_S) for request in requests)))

    async def self_test(self, questions: Iterable[Question]) -> None:
        """Let workers solve one question of every task among these and judge the solutions.

        Raises SelfTestFailed, PoolBroken.
        """
        chosen = list({question.task: question for question in questions}.values())
        pairs = zip(chosen, await self.verify_solutions(chosen), strict=True)
        failed = [f"{question.task} ({v.outcome}: {v.reason})" for question, v in pairs if not v.score]
        if failed:
            more = f", and {len(failed) - TOLD} more" if len(failed) > TOLD else ""
            raise SelfTestFailed(
                f"{len(failed)} of {len(chosen)} tasks do not find their own solution correct: "
                f"{', '.join(failed[:TOLD])}{more}"
            )

    def stats(self) -> dict[str, float]:
        """Counters since the start (verdicts by outcome, restarts, retries), and the p50 and p99 of the last 10,000
        verdicts in milliseconds, from call to verdict (`latency`) and of work alone (`work`)."""
        counted = {name: float(self._counts[name]) for name in COUNTERS}
        for name, times in (("latency", sorted(self._waits)), ("work", sorted(self._work))):
            for percent in (50, 99):
                counted[f"{name}_p{percent}_ms"] = 1e3 * times[len(times) * percent // 100] if times else 0.0
        return counted

    async def close(self) -> None:
        """Kill the workers and wait for their end. Waiting callers get PoolBroken. May be called twice."""
        self._broken = self._broken or "it is closed"
        self._ready.set()
        if self._keeper:
            self._keeper.cancel()
        processes, self._processes = self._processes, []
        await asyncio.gather(*(process.close() for process in processes))
        self._fail_all([job for process in processes for job in process.inflight])

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _start(self) -> None:
        self._keeper = asyncio.get_running_loop().create_task(self._keep())
        await self._ready.wait()

    async def _ask(self, request: dict[str, Any], deadline_s: float) -> Verdict:
        await self.start()
        line = json.dumps({**request, "deadline_s": deadline_s}).encode() + b"\n"
        job = Job(request["task"], line, deadline_s, asyncio.get_running_loop().create_future())
        self._queue.append(job)
        self._dispatch()
        return await job.future

    def _dispatch(self) -> None:
        """Give waiting jobs to the workers that hold the fewest."""
        able = [process for process in self._processes if process.ready and not process.stalled]
        while self._queue and able:
            process = min(able, key=lambda process: len(process.inflight))
            depth = DEPTH if self._queue[0].deadline_s <= self.deadline_s else 1  # nothing waits behind a solver
            if len(process.inflight) >= depth:
                return
            job = self._queue.popleft()
            if not job.future.done():  # its caller may have gone, or a stalled worker may have answered after all
                process.send(job)

    async def _keep(self) -> None:
        """Keep the pool at its number of workers, and an eye on each of them."""
        while not self._broken:
            if len(self._processes) < self.workers and monotonic() >= self._next_start:
                await self._add_worker()
                continue
            await asyncio.sleep(TICK_S)
            for process in self._processes:
                self._look_at(process)
            self._dispatch()

    async def _add_worker(self) -> None:
        process = VerifierProcess(self._on_ready, self._on_reply, self._on_end)
        self._processes.append(process)
        try:
            await process.start(self._settings)
        except OSError as error:
            self._processes.remove(process)
            self._note_failed_start(str(error))

    def _look_at(self, process: VerifierProcess) -> None:
        """Notice a worker that is late: in starting, with the jobs behind its first one, or beyond its own timer."""
        busy_s = monotonic() - process.since
        if not process.ready:
            if busy_s > START_S:
                process.kill()
        elif process.inflight and busy_s > TICK_S:
            process.stalled = True
            self._take_back(process)
            if busy_s > process.inflight[0].deadline_s * WALL_FACTOR + GRACE_S:
                process.kill()

    def _take_back(self, process: VerifierProcess) -> None:
        """Put the jobs a worker has not begun back in the queue; should it come to them, the first answer counts."""
        for job in reversed(list(process.inflight)[1:]):
            if job.holder is process and not job.future.done():
                job.holder = None
                self._queue.appendleft(job)

    def _on_ready(self) -> None:
        self._failed_starts = 0
        self._ready.set()
        self._dispatch()

    def _on_reply(self, job: Job, verdict: Verdict, seconds: float) -> None:
        self._work.append(seconds)
        self._settle(job, verdict)
        self._dispatch()

    def _on_end(self, process: VerifierProcess) -> None:
        """Replace a dead worker and decide what its death means for the job it was at."""
        if process not in self._processes:
            return  # the pool is closing
        self._processes.remove(process)
        self._take_back(process)
        if process.inflight and process.inflight[0].holder is process:
            self._judge_death(process, process.inflight[0])
        if process.was_ready:
            self._counts["restarts"] += 1
        else:
            self._note_failed_start(process.failure or "see the error output above")

    def _judge_death(self, process: VerifierProcess, job: Job) -> None:
        out_of_time = monotonic() - process.since >= job.deadline_s * WALL_FACTOR
        if out_of_time or process.exit_signal in (signal.SIGPROF, signal.SIGALRM):
            self._settle(job, Verdict("timeout", f"no verdict within {job.deadline_s:g} s of work"))
        elif job.deaths:
            reason = f"{job.task}: the verifier's process died twice, last of signal {process.exit_signal}"
            self._settle(job, Verdict("error", reason))
        else:
            job.deaths += 1
            self._counts["retries"] += 1
            self._queue.appendleft(job)

    def _note_failed_start(self, reason: str) -> None:
        """Try again more and more slowly; give up if no worker is left."""
        self._failed_starts += 1
        self._next_start = monotonic() + TICK_S * 2 ** min(self._failed_starts, 8)
        if self._failed_starts >= MAX_FAILED_STARTS and not any(process.ready for process in self._processes):
            self._broken = f"its workers do not start: {reason}"
            self._ready.set()
            self._fail_all([])

    def _settle(self, job: Job, verdict: Verdict) -> None:
        if not job.future.done():
            self._waits.append(monotonic() - job.asked_at)
            job.future.set_result(self._count(verdict))

    def _count(self, verdict: Verdict) -> Verdict:
        self._counts.update(("verdicts", verdict.outcome))
        return verdict

    def _fail_all(self, jobs: list[Job]) -> None:
        for job in [*jobs, *self._queue]:
            if not job.future.done():
                job.future.set_exception(PoolBroken(f"the verifier pool cannot judge: {self._broken}"))
        self._queue.clear()
