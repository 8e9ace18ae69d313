"""The simulated GPUs: continuous batching, a prefix cache, and latencies from a table. Pure: time is an argument.

All running sequences gain one token a step; a step takes as long as its batch is large, and longer by what has to be
prefilled in it. Sequences join and leave between steps, first come, first served. Between two such moments nothing
changes, so a GPU costs one calculation for each of them and none for a token. Left out: preemption for want of memory
(what is cached may go, what runs stays), and everything that answers in real time (`server.py`).
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from r1ci_plugin.bench.rollout.parameters import GpuParameters

Interval = tuple[float, float]
_LATE = 1e-9
"""Seconds by which sums of times may be wrong."""


@dataclass(slots=True)
class Request:
    """One turn to sample: the reply is known, only when it is there is not."""

    prompt_ids: Sequence[int]
    reply_ids: Sequence[int]
    at: float
    """When it arrived."""
    owner: Any = None


class PrefixCache:
    """Which prefixes are computed already, in blocks; the longest unused go first."""

    def __init__(self, block: int, capacity: int) -> None:
        self._block = block
        self._blocks_kept = capacity // block
        self._known: OrderedDict[int, None] = OrderedDict()

    def missing(self, ids: Sequence[int]) -> int:
        """How many of the tokens have to be computed, at least the last one. They are known from now on."""
        keys = self._keys(ids)
        found = next((place for place, key in enumerate(keys) if key not in self._known), len(keys))
        self._touch(keys)
        return max(1, len(ids) - found * self._block)

    def store(self, ids: Sequence[int]) -> None:
        """These tokens were computed, by sampling them."""
        self._touch(self._keys(ids))

    def _keys(self, ids: Sequence[int]) -> list[int]:
        """One key for every full block; it stands for the block and all before it."""
        keys: list[int] = []
        key = 0
        for start in range(0, len(ids) - self._block + 1, self._block):
            key = hash((key, *ids[start : start + self._block]))
            keys.append(key)
        return keys

    def _touch(self, keys: Sequence[int]) -> None:
        for key in reversed(keys):  # a prefix outlives what follows it
            self._known[key] = None
            self._known.move_to_end(key)
        while len(self._known) > self._blocks_kept:
            self._known.popitem(last=False)


class Gpu:
    """One replica. `time` stretches all its latencies; `slow_down` what a larger batch adds to them."""

    def __init__(self, parameters: GpuParameters, time: float = 1.0, slow_down: float = 1.0) -> None:
        self._step_s = [1e-3 * time * ms for ms in step_ms(parameters, slow_down)]
        self._prefill_s = 1e-3 * time * parameters.prefill_ms_per_token
        self._max_running = parameters.max_running
        self._cache = PrefixCache(parameters.block, parameters.cache_tokens)
        self._waiting: deque[Request] = deque()
        self._running: list[tuple[int, int, Request]] = []
        self._steps = self._admitted = 0
        self._clock = 0.0
        self._to_prefill_s = 0.0
        self.busy: list[Interval] = []
        """When at least one sequence ran, in order and apart from each other."""
        self.prefilled = 0
        """Prompt tokens computed so far."""

    def __len__(self) -> int:
        """Requests that are not answered yet."""
        return len(self._waiting) + len(self._running)

    def submit(self, request: Request) -> None:
        """Requests come in the order of their `at`, and none before what `advance` was told last."""
        self._waiting.append(request)

    def advance(self, until: float) -> list[tuple[float, Request]]:
        """Do all steps that end by `until`; gives the requests that are answered by then, with their times."""
        done: list[tuple[float, Request]] = []
        while self._admit(until):
            latency, first = self._pace()
            steps = min(self._stretch(), 1 + floor((until + _LATE - self._clock - first) / latency))
            if steps < 1:
                break
            self._run(steps, first + (steps - 1) * latency)
            while self._running and self._running[0][0] <= self._steps:
                request = heapq.heappop(self._running)[2]
                self._cache.store([*request.prompt_ids, *request.reply_ids])
                done.append((self._clock, request))
        return done

    def next_event(self) -> float | None:
        """When to call `advance` again, having called it just now: the end of a sequence, or of the step in which
        another one waits. None while there is nothing to do."""
        if not self._running:
            return None
        latency, first = self._pace()
        return self._clock + first + (self._stretch() - 1) * latency

    def _pace(self) -> tuple[float, float]:
        """Seconds of a step with this batch, and of the next one, which also prefills."""
        latency = self._step_s[len(self._running) - 1]
        return latency, latency + self._to_prefill_s

    def _stretch(self) -> int:
        """Steps until the batch changes."""
        steps = self._running[0][0] - self._steps
        if self._waiting and len(self._running) < self._max_running:
            latency, first = self._pace()
            steps = min(steps, 1 + max(0, ceil((self._waiting[0].at - _LATE - self._clock - first) / latency)))
        return steps

    def _admit(self, until: float) -> bool:
        """Let in who has arrived; whether anything runs."""
        if not self._running and self._waiting and self._waiting[0].at <= until:
            self._clock = max(self._clock, self._waiting[0].at)
        while self._waiting and len(self._running) < self._max_running and self._waiting[0].at <= self._clock + _LATE:
            request = self._waiting.popleft()
            missing = self._cache.missing(request.prompt_ids)
            self.prefilled += missing
            self._to_prefill_s += missing * self._prefill_s
            self._admitted += 1
            heapq.heappush(self._running, (self._steps + len(request.reply_ids), self._admitted, request))
        return bool(self._running)

    def _run(self, steps: int, seconds: float) -> None:
        start, self._clock = self._clock, self._clock + seconds
        self._steps += steps
        self._to_prefill_s = 0.0
        if self.busy and start - self.busy[-1][1] <= _LATE:
            start = self.busy.pop()[0]
        self.busy.append((start, self._clock))


class Fleet:
    """Several GPUs: a newcomer goes where the fewest wait, and stays there, as with verl's own load balancer
    (verl/workers/rollout/router.py)."""

    def __init__(self, gpus: Sequence[Gpu]) -> None:
        self.gpus = list(gpus)
        self._homes: dict[Hashable, int] = {}

    def home(self, key: Hashable) -> int:
        """Which GPU serves the trajectory."""
        if key not in self._homes:
            self._homes[key] = min(range(len(self.gpus)), key=lambda number: len(self.gpus[number]))
        return self._homes[key]


def step_ms(parameters: GpuParameters, slow_down: float = 1.0) -> list[float]:
    """Milliseconds of a step with a batch of 1, 2, ... `max_running`."""
    sizes = range(1, parameters.max_running + 1)
    table = [_interpolated(parameters.batch, parameters.step_ms, size) for size in sizes]
    return [table[0] + slow_down * (ms - table[0]) for ms in table]


def _interpolated(places: Sequence[int], values: Sequence[float], place: int) -> float:
    right = bisect_left(places, place)
    if right == 0:
        return values[0]
    if right == len(places):
        return values[-1]
    share = (place - places[right - 1]) / (places[right] - places[right - 1])
    return values[right - 1] + share * (values[right] - values[right - 1])
