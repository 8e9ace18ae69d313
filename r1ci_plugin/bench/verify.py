"""The verifier pool against its bars: rate, latency, behaviour under attack, and whether verdicts are right.

Left out: the checks of single tasks (`tasks/check.py`).
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from r1ci_plugin.bench.figures import Figure, medians
from r1ci_plugin.bench.referees import really_right
from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.tasks import Question, Task, get_task, task_names
from r1ci_plugin.tasks.hostile import HOSTILE

WORKERS = 2
ROUND = 4_000
"""Verdicts of one round at least: a second of work at the bar's rate; half of that where time is short."""
HOSTILE_SHARE = 0.1
CALLERS = 16
"""Verdicts asked for at the same time where latency is measured: a batch of trajectories does not end all at once."""

Pairs = Sequence[tuple[Question, str]]


@dataclass(frozen=True, slots=True)
class Solved:
    """A task's questions with the solver's answers."""

    task: Task
    pairs: list[tuple[Question, str]]

    @property
    def strangers(self) -> list[tuple[Question, str]]:
        """Every question with the differing answer of the next one."""
        turned = [*self.pairs[1:], *self.pairs[:1]]
        both = zip(self.pairs, turned, strict=True)
        return [(question, other) for (question, own), (_, other) in both if _folded(own) != _folded(other)]


def measure(quick: bool = False) -> list[Figure]:
    """All figures. Needs no network; tasks whose files are not there are left out and counted."""
    return asyncio.run(_measure(quick))


async def _measure(quick: bool) -> list[Figure]:
    solved, broken = solve_all(2 if quick else 8)
    pairs = [pair for one in solved for pair in one.pairs]
    pairs *= -(-(ROUND // 2 if quick else ROUND) // len(pairs))
    random.Random(0).shuffle(pairs)
    async with VerifierPool(WORKERS) as pool:
        await pool.verify_many(pairs)  # warm
        figures = await speed(pool, pairs, rounds=3 if quick else 9)
        figures += await soundness(pool, solved, broken)
    return figures + await attack(solved, answers=20 if quick else len(HOSTILE))


def solve_all(per_task: int) -> tuple[list[Solved], list[str]]:
    """Questions of every level in turn, with solutions; and the tasks that fail in making or solving one."""
    found, broken = [], []
    for name in task_names():
        try:
            task = get_task(name)
            questions = [task.make(seed, 1 + seed % task.info.levels) for seed in range(per_task)]
            found.append(Solved(task, [(question, task.solve(question)) for question in questions]))
        except FileNotFoundError:
            continue
        except Exception as error:
            broken.append(f"{name}: {type(error).__name__}: {error}")
    return found, broken


async def speed(pool: VerifierPool, pairs: Pairs, rounds: int) -> list[Figure]:
    """Rate and latency without and with hostile answers in the mix, in turns."""
    hostile = with_hostile(pairs)
    rates: dict[str, list[float]] = {"plain": [], "hostile": []}
    waits: dict[str, list[float]] = {"plain": [], "hostile": []}
    for turn in range(rounds):
        for name, mix in (("plain", pairs), ("hostile", hostile))[:: 1 if turn % 2 == 0 else -1]:
            rates[name].append(await rate(pool, mix))
            waits[name] += await latencies(pool, mix, ordinary=set(map(id, pairs)))
    rate_of, p99 = medians(rates), {name: _p99(times) for name, times in waits.items()}
    seen = {"verdicts_a_round": len(pairs), "rounds": rounds}
    return [
        Figure.judged("verdicts_per_s", rate_of["plain"], ">= 4000", workers=WORKERS, **seen),
        Figure.judged("p99_ms", p99["plain"], "<= 20", callers=CALLERS, **seen),
        Figure.judged(
            "rate_with_hostile_ratio", rate_of["hostile"] / rate_of["plain"], ">= 0.7", hostile_share=HOSTILE_SHARE
        ),
        Figure.judged("p99_ms_beside_hostile", p99["hostile"], "<= 20", hostile_share=HOSTILE_SHARE),
    ]


def with_hostile(pairs: Pairs) -> Pairs:
    """The same questions, a share of them with hostile answers in place of their own."""
    rng = random.Random(1)
    attacks = list(HOSTILE.values())
    return [(pair[0], rng.choice(attacks)) if rng.random() < HOSTILE_SHARE else pair for pair in pairs]


async def rate(pool: VerifierPool, pairs: Pairs) -> float:
    """Verdicts a second with everything asked for at once."""
    start = perf_counter()
    await pool.verify_many(pairs)
    return len(pairs) / (perf_counter() - start)


async def latencies(pool: VerifierPool, pairs: Pairs, ordinary: set[int]) -> list[float]:
    """Milliseconds from call to verdict of the pairs that are ordinary, with `CALLERS` callers."""
    waiting, taken = iter(pairs), []

    async def caller() -> None:
        for pair in waiting:
            start = perf_counter()
            await pool.verify(*pair)
            if id(pair) in ordinary:
                taken.append(1e3 * (perf_counter() - start))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return taken


async def soundness(pool: VerifierPool, solved: Sequence[Solved], broken: Sequence[str]) -> list[Figure]:
    """Tasks whose solutions are not all correct, and tasks where another question's answer is called right that is
    not."""
    own = await asyncio.gather(*(pool.verify_many(one.pairs) for one in solved))
    other = await asyncio.gather(*(pool.verify_many(one.strangers) for one in solved))
    unsolved = [one.task.name for one, verdicts in zip(solved, own, strict=True) if not all(v.score for v in verdicts)]
    right = [
        (question, answer)
        for one, verdicts in zip(solved, other, strict=True)
        for (question, answer), verdict in zip(one.strangers, verdicts, strict=True)
        if verdict.score
    ]
    excused = [really_right(question.task, question.prompt, answer) for question, answer in right]
    generous = sorted({q.task for (q, _), excuse in zip(right, excused, strict=True) if not excuse})
    unsolved += broken
    seen = {"tasks": len(task_names()), "without_files": len(task_names()) - len(solved) - len(broken)}
    return [
        Figure.judged("tasks_oracle_wrong", len(unsolved), "<= 0", **seen, which=unsolved[:5]),
        Figure.judged(
            "tasks_stranger_right", len(generous), "<= 0", **seen, which=generous[:5], really_right=sum(excused)
        ),
    ]


async def attack(solved: Sequence[Solved], answers: int) -> list[Figure]:
    """Hostile answers to one question of every task, in a watched worker that has judged an honest answer before."""
    texts = random.Random(2).sample(list(HOSTILE.values()), answers)
    outcomes: Counter[str] = Counter()
    deeds: Counter[str] = Counter()
    which: list[str] = []
    async with VerifierPool(1, preload=("r1ci_plugin.reward.witness",)) as pool:
        for one in solved:
            await pool.verify_many([one.pairs[0], _WITNESS])
            verdicts = await pool.verify_many((one.pairs[0][0], text) for text in texts)
            outcomes.update(verdict.outcome for verdict in verdicts)
            report = json.loads((await pool.verify(*_WITNESS)).reason)
            which += [f"{one.task.name}: {deed}" for deed in report.pop("examples")]
            which += [f"{one.task.name}: {v.outcome}, {v.reason}" for v in verdicts if v.outcome not in _HARMLESS]
            deeds.update(report)
    seen = {"verdicts": sum(outcomes.values()), "tasks": len(solved)}
    counts = {
        "hostile_code_run": deeds["code_run"],
        "hostile_files_touched": deeds["files_touched"],
        "hostile_hangs": outcomes["timeout"],
        "hostile_errors": outcomes["error"],
        "hostile_correct": outcomes["correct"],
    }
    blame = {"which": which[:5]} if which else {}
    return [Figure.judged(name, count, "<= 0", **seen, **(blame if count else {})) for name, count in counts.items()]


_HARMLESS = ("wrong", "unparseable")
_WITNESS = (Question("watch/worker", 0, 1, "", {}), "report")


def _p99(times: list[float]) -> float:
    return sorted(times)[len(times) * 99 // 100]


def _folded(answer: str) -> str:
    return re.sub(r"\s+", " ", answer).strip().casefold()
