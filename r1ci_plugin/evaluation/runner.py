"""Many answers: bounded in number at a time, judged, written as they come, and never done twice.

    async with VerifierPool() as pool, make_executor(...) as executor, policy:
        with Journal(folder / "trajectories.jsonl") as journal:
            runner = Runner(context, pool, journal)
            records = await runner.answer_all(jobs)

An answer whose key is in the journal is read back instead of asked for again, so the same command goes on after any
interruption. An answer lost to the infrastructure is tried anew a few times, then left out and counted: it is in no
statistic, and the next start of the command tries it again. Evaluation, measuring potential and fine-tuning data are
callers. Left out: which jobs (`questions.py` and the callers), what the records say (`statistics.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from r1ci_plugin.evaluation.agents import Agent, Answered, Context, get_agent
from r1ci_plugin.evaluation.policies import PolicyUnavailable, Session
from r1ci_plugin.journal import Journal, read_lines
from r1ci_plugin.record import NO_ANSWER, Record, Usage
from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.tasks import Question

T = TypeVar("T")


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, in order. The first exception is raised once the others have been cancelled and are over."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to get."""

    question: Question
    agent: str
    sample: int = 0
    temperature: float = 0.6
    form: str = ""

    @property
    def key(self) -> str:
        """Equal jobs have equal keys, in every process."""
        parts = (self.question.question_id, self.agent, self.form, f"t{self.temperature:g}", str(self.sample))
        return "|".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may take in all, counted over its whole journal. None: no bound."""

    tokens: int | None = None
    """Prompt and sampled tokens together."""
    cost: float | None = None


@dataclass(slots=True)
class Tally:
    """Where a run stands."""

    done: int = 0
    """Answers in the journal."""
    fresh: int = 0
    """Of them, got by this start."""
    right: float = 0.0
    lost: int = 0
    """Answers that the infrastructure lost for good in this start."""
    not_started: int = 0
    """Answers the budget had no room for."""
    usage: Usage = field(default_factory=Usage)
    reasons: list[str] = field(default_factory=list)
    """Why the first few were lost."""

    @property
    def accuracy(self) -> float | None:
        return self.right / self.done if self.done else None


class Runner:
    """Answers jobs. Belongs to one event loop; any number of coroutines may ask it at once.

    concurrency: answers at a time. attempts: tries of one answer. on_record: is told of every record, read back ones
    too; keep it short. context.sampling.temperature is replaced by each job's own.
    """

    def __init__(
        self,
        context: Context,
        pool: VerifierPool,
        journal: Journal,
        *,
        concurrency: int = 16,
        attempts: int = 3,
        budget: Budget | None = None,
        on_record: Callable[[Record, bool], None] | None = None,
    ) -> None:
        self._context, self._pool, self._journal = context, pool, journal
        self._gate = asyncio.Semaphore(concurrency)
        self._attempts = attempts
        self._spending = _Spending(budget or Budget(), _largest(context))
        if budget is not None:
            for line in read_lines(journal.path):
                self._spending.spend(Usage(**line.get("usage", {})))
        self._on_record = on_record
        self._agents: dict[str, Agent] = {}
        self.tally = Tally()

    async def answer(self, job: Job) -> Record | None:
        """The judged record of a job; None if it was lost, or if the budget is spent.

        Raises PolicyError and PoolBroken, which end a run: nothing that was written is lost.
        """
        if job.key in self._journal:
            return self._count(Record.from_dict(self._journal.get(job.key)), is_fresh=False)
        async with self._gate:
            if not await self._spending.start():
                self.tally.not_started += 1
                return None
            try:
                answered, wall_s = await self._tried(job)
            finally:
                await self._spending.end()
            if answered is None:
                return None
            record = await self._judged(job, answered, wall_s)
        self._journal.append(record.to_dict())
        self.tally.fresh += 1
        return self._count(record, is_fresh=True)

    async def answer_all(self, jobs: Iterable[Job]) -> list[Record]:
        """The records of all jobs that could be answered, in order. Raises as `answer`, with the others cancelled."""
        records = await all_of(self.answer(job) for job in jobs)
        return [record for record in records if record is not None]

    async def _tried(self, job: Job) -> tuple[Answered | None, float]:
        """The answer and the seconds it took, None if every try was lost."""
        opened: list[Session] = []
        sampling = replace(self._context.sampling, temperature=job.temperature)
        context = replace(self._context, sampling=sampling, form=job.form, on_open=opened.append)
        agent = self._agent(job.agent)
        reason = ""
        for _ in range(self._attempts):
            started = time.perf_counter()
            opened.clear()
            try:
                answered = await agent.answer(job.question, context, job.key)
            except PolicyUnavailable as error:
                reason = str(error)
                self._spending.spend(sum((session.usage for session in opened), start=Usage()))
                continue
            self._spending.spend(answered.usage)
            if answered.trajectory.outcome != "lost":
                return answered, time.perf_counter() - started
            reason = answered.trajectory.reason
        self.tally.lost += 1
        self.tally.reasons = [*self.tally.reasons, reason][:5]
        return None, 0.0

    async def _judged(self, job: Job, answered: Answered, wall_s: float) -> Record:
        answer = answered.trajectory.answer
        return Record(
            key=job.key,
            question=job.question,
            agent=job.agent,
            trajectory=answered.trajectory,
            verdict=NO_ANSWER if answer is None else await self._pool.verify(job.question, answer),
            sample=job.sample,
            policy=self._context.policy.name,
            temperature=job.temperature,
            form=job.form,
            usage=answered.usage,
            wall_s=wall_s,
            notes=tuple(answered.notes),
        )

    def _agent(self, name: str) -> Agent:
        if name not in self._agents:
            self._agents[name] = get_agent(name)
        return self._agents[name]

    def _count(self, record: Record, *, is_fresh: bool) -> Record:
        self.tally.done += 1
        self.tally.right += record.acc
        self.tally.usage += record.usage
        if self._on_record:
            self._on_record(record, is_fresh)
        return record


def _largest(context: Context) -> Usage:
    """What one answer may take, before any has come: all tokens of the response."""
    prices = getattr(context.policy, "prices", None)
    tokens = context.sampling.response_tokens
    return prices.usage(0, tokens) if prices is not None else Usage(1, 0, tokens)


class _Spending:
    """Keeps a run inside its budget.

    An answer is begun only if all that are under way could each take as much as the largest so far; until then it
    waits, and if nothing is under way, the budget is spent.
    """

    def __init__(self, budget: Budget, largest: Usage) -> None:
        self._budget = budget
        self._tokens, self._cost = 0, 0.0
        self._largest_tokens, self._largest_cost = largest.sampled_tokens, largest.cost
        self._running = 0
        self._changed = asyncio.Condition()

    async def start(self) -> bool:
        """Whether there is room for one more answer."""
        async with self._changed:
            while not self._fits(self._running + 1):
                if not self._running:
                    return False
                await self._changed.wait()
            self._running += 1
            return True

    async def end(self) -> None:
        async with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def spend(self, usage: Usage) -> None:
        tokens = usage.prompt_tokens + usage.sampled_tokens
        self._tokens += tokens
        self._cost += usage.cost
        self._largest_tokens = max(self._largest_tokens, tokens)
        self._largest_cost = max(self._largest_cost, usage.cost)

    def _fits(self, running: int) -> bool:
        tokens, cost = self._budget.tokens, self._budget.cost
        return (tokens is None or self._tokens + running * self._largest_tokens <= tokens) and (
            cost is None or self._cost + running * self._largest_cost <= cost
        )
