"""A step in simulated time, without any overhead: the ideal, and the best that the other ways of doing it could be.

`ideal`: every trajectory goes on as soon as its code has ended; any number of code calls run at once. `stepwise`: all
live trajectories sample a turn, then all their code runs at once, then the next turn. `inline`: as `stepwise`, but the
GPUs' host runs the code, a few calls of each GPU's trajectories at a time, while nothing is sampled. No way pays for
its own work here, so what is measured of the real loop is compared with something that cannot be beaten.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from r1ci_plugin.bench.rollout.gpu import Fleet, Gpu, Interval, Request
from r1ci_plugin.bench.rollout.parameters import Parameters
from r1ci_plugin.bench.rollout.workload import ScriptedTrajectory

_RESULT_IDS = tuple(range(12))
"""Stands for the tokens of an execution result, which are about as many."""

_NEVER = 1e9


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long a step took and what the GPUs did, on average over them."""

    step_s: float
    busy_share: float
    """At least one sequence was running."""
    code_wait_share: float
    """Nothing was running, while code of one of the GPU's own trajectories was."""


@dataclass(slots=True)
class _Walk:
    """A trajectory on its way."""

    script: ScriptedTrajectory
    key: int
    turn: int = 0
    context: list[int] = field(default_factory=list)

    def request(self, at: float) -> Request:
        return Request(tuple(self.context), self.script.turns[self.turn].ids, at, owner=self)

    def sampled(self) -> float | None:
        """The turn is there; gives the seconds its code runs, None at the end."""
        turn = self.script.turns[self.turn]
        self.context += [*turn.ids, *_RESULT_IDS]
        self.turn += 1
        return turn.code_s


def make_fleet(parameters: Parameters, time_scale: float = 1.0) -> Fleet:
    """The GPUs of the parameters, `time_scale` times faster."""
    time = parameters.token_time / time_scale
    return Fleet([Gpu(parameters.gpu, time, parameters.slow_down) for _ in range(parameters.layout.gpus)])


def ideal(trajectories: Sequence[ScriptedTrajectory], parameters: Parameters) -> StepTimes:
    """Fully asynchronous."""
    fleet = make_fleet(parameters)
    code: dict[int, list[Interval]] = defaultdict(list)
    returning: list[tuple[float, int, _Walk]] = [(0.0, walk.key, walk) for walk in _walks(trajectories)]
    end = 0.0
    while True:
        events = [event for gpu in fleet.gpus if (event := gpu.next_event()) is not None]
        events += [returning[0][0]] if returning else []
        if not events:
            return _times(end, fleet, code)
        now = min(events)
        for gpu in fleet.gpus:
            for at, request in gpu.advance(now):
                walk: _Walk = request.owner
                end, code_s = max(end, at), walk.sampled()
                if code_s is not None:
                    code[fleet.home(walk.key)].append((at, at + code_s))
                    heapq.heappush(returning, (at + code_s, walk.key, walk))
        while returning and returning[0][0] <= now:
            at, _, walk = heapq.heappop(returning)
            fleet.gpus[fleet.home(walk.key)].submit(walk.request(at))
        for gpu in fleet.gpus:
            gpu.advance(now)  # lets newcomers in, so that the next event counts them


def stepwise(trajectories: Sequence[ScriptedTrajectory], parameters: Parameters) -> StepTimes:
    """A barrier behind every turn and behind its code."""
    return _by_turns(trajectories, parameters, at_once=None)


def inline(trajectories: Sequence[ScriptedTrajectory], parameters: Parameters) -> StepTimes:
    """As `stepwise`, with few calls at once."""
    return _by_turns(trajectories, parameters, at_once=parameters.layout.inline_code_at_once)


def _by_turns(trajectories: Sequence[ScriptedTrajectory], parameters: Parameters, at_once: int | None) -> StepTimes:
    fleet = make_fleet(parameters)
    code: dict[int, list[Interval]] = defaultdict(list)
    live, now = _walks(trajectories), 0.0
    while live:
        for walk in live:
            fleet.gpus[fleet.home(walk.key)].submit(walk.request(now))
        answers = [answer for gpu in fleet.gpus for answer in gpu.advance(_NEVER)]
        now = max(at for at, _ in answers)
        calls: dict[int, list[float]] = defaultdict(list)
        live = []
        for _, request in answers:
            walk = request.owner
            code_s = walk.sampled()
            if code_s is not None:
                calls[fleet.home(walk.key)].append(code_s)
                live.append(walk)
        start = now
        for home, seconds in calls.items():
            ran = makespan(seconds, at_once)
            code[home].append((start, start + ran))
            now = max(now, start + ran)
    return _times(now, fleet, code)


def makespan(seconds: Sequence[float], at_once: int | None) -> float:
    """When the last of these calls ends, if `at_once` run at a time, in order."""
    if at_once is None:
        return max(seconds)
    free = [0.0] * min(at_once, len(seconds))
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def _walks(trajectories: Sequence[ScriptedTrajectory]) -> list[_Walk]:
    return [_Walk(script, key, context=list(script.prompt_ids)) for key, script in enumerate(trajectories)]


def _times(step_s: float, fleet: Fleet, code: dict[int, list[Interval]]) -> StepTimes:
    busy = [gpu.busy for gpu in fleet.gpus]
    return StepTimes(step_s, *shares(step_s, busy, [code[home] for home in range(len(busy))]))


def shares(
    step_s: float, busy: Sequence[Sequence[Interval]], code: Sequence[Sequence[Interval]]
) -> tuple[float, float]:
    """(share of the step busy, share waiting for code only), on average over GPUs with these intervals."""
    busy_s = [_covered(one) for one in busy]
    either_s = [_covered([*one, *two]) for one, two in zip(busy, code, strict=True)]
    whole = step_s * len(busy)
    return sum(busy_s) / whole, (sum(either_s) - sum(busy_s)) / whole


def _covered(intervals: Iterable[Interval]) -> float:
    """Seconds in at least one of the intervals."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
