"""The curriculum against its bars: ten million questions, resuming, adaptive measuring, and groups recovered.

Pass rates are simulated, so that the truth is known. Left out: what the curriculum does to training, which a benchmark
of minutes cannot tell.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import random
import signal
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r1ci_plugin.bench.figures import Figure
from r1ci_plugin.curriculum.adaptive import ERROR_COST, PAPER, ROUND, TOTAL, decided
from r1ci_plugin.curriculum.groups import THRESHOLDS
from r1ci_plugin.curriculum.interval import beta_share
from r1ci_plugin.curriculum.sampler import CurriculumSampler

QUESTIONS = 10_000_000
BATCH = 128
KILLS = 20
PRIORS = {"beta": 0.5, "uniform": 1.0}
"""True pass rates are drawn from Beta(a, a)."""
AGREEMENT = 0.98


def measure(quick: bool = False) -> list[Figure]:
    """All figures. Quick takes the same sizes with fewer rounds and simulated questions."""
    simulated = 20_000 if quick else 200_000
    return [*sampling(rounds=1 if quick else 3), resuming(), *adaptive(simulated), recovery(simulated)]


def sampling(rounds: int) -> list[Figure]:
    """Start, memory and speed of a sampler over ten million questions, each round in a process of its own."""
    context = multiprocessing.get_context("spawn")
    found: list[dict[str, float]] = []
    for _ in range(rounds):
        with context.Pool(1) as pool:
            found.append(pool.apply(_ten_million))
    middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
    detail = {"questions": QUESTIONS, "rounds": rounds}
    return [
        Figure.judged("sampler_start_s", middle["start_s"], "<= 3", cpu_s=middle["start_cpu_s"], **detail),
        Figure.judged("sampler_peak_mb", middle["peak_mb"], "<= 1024", before_mb=middle["before_mb"], **detail),
        Figure.judged(
            "batch_ms", middle["batch_ms"], "<= 1", batch=BATCH, worst_ms=middle["worst_ms"], turn_ms=middle["turn_ms"]
        ),
    ]


def _ten_million() -> dict[str, float]:
    """Groups to first batch, then 2,000 batches, then the batch in which all decks are shuffled anew."""
    groups = np.random.default_rng(0).integers(1, 5, QUESTIONS, dtype=np.int8)
    before = _peak_mb()
    start, worked = perf_counter(), process_time()
    sampler = CurriculumSampler(groups)
    first = [sampler.draw() for _ in range(BATCH)]
    started, worked = perf_counter() - start, process_time() - worked
    times = [_timed_batch(sampler) for _ in range(2_000)]
    state = sampler.state_dict()
    state["decks"] = [(int(np.sum(groups == number)) - 1, 0, 0.0) for number in range(1, 5)]  # the end of an epoch
    sampler.load_state_dict(state)
    turn = max(_timed_batch(sampler) for _ in range(3))
    assert len(set(first)) == BATCH
    return {
        "start_s": started,
        "start_cpu_s": worked,
        "before_mb": before,
        "peak_mb": _peak_mb(),
        "batch_ms": statistics.median(times),
        "worst_ms": max(times),
        "turn_ms": turn,
    }


def _timed_batch(sampler: CurriculumSampler) -> float:
    start = perf_counter()
    for _ in range(BATCH):
        sampler.draw()
    return 1e3 * (perf_counter() - start)


def _peak_mb() -> float:
    """Most memory this process has held so far."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def resuming() -> Figure:
    """How many of 20 kills at random moments left the order of the questions as it would have been."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        same = sum(_killed_and_same(folder, 0.1 + 0.2 * rng.random()) for _ in range(KILLS))
        batches = len(_batches(folder / "log"))
    return Figure.judged("resumes_in_order", same, f">= {KILLS}", kills=KILLS, batches=batches)


def _killed_and_same(folder: Path, seconds: float) -> bool:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=train_for_ever, args=(folder,))
    process.start()
    sleep(seconds)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    drawn, undisturbed = _batches(folder / "log"), _sampler()
    return drawn == [_batch(undisturbed) for _ in drawn]


def train_for_ever(folder: Path) -> None:
    """A run that logs every batch and then saves its checkpoint; it goes on where the last checkpoint was."""
    sampler, step, checkpoint = _sampler(), 0, folder / "checkpoint"
    if checkpoint.exists():
        step, state = pickle.loads(checkpoint.read_bytes())
        sampler.load_state_dict(state)
    while True:
        step += 1
        with (folder / "log").open("a") as log:
            log.write(f"{step} {_batch(sampler)}\n")
        (folder / "fresh").write_bytes(pickle.dumps((step, sampler.state_dict())))
        os.replace(folder / "fresh", checkpoint)


def _batches(log: Path) -> list[list[int]]:
    """The batches of a log by step; a step that was done again after a kill counts as it was done last."""
    found: dict[int, list[int]] = {}
    for line in log.read_text().splitlines() if log.exists() else ():
        step, _, rows = line.partition(" [")
        if rows.endswith("]"):  # else it was cut by the kill, and is done again
            found[int(step)] = [int(row) for row in rows.removesuffix("]").split(",")]
    return [found[step] for step in sorted(found)]


def _sampler() -> CurriculumSampler:
    return CurriculumSampler([1 + row % 4 for row in range(1000)], (1.0, 1.0, 0.5, 0.0))


def _batch(sampler: CurriculumSampler) -> list[int]:
    return [sampler.draw() for _ in range(16)]


def adaptive(questions: int) -> list[Figure]:
    """Answers saved by stopping early, and how often the group is the one that 20 answers give."""
    found = {name: simulate_adaptive(prior, questions) for name, prior in PRIORS.items()}
    (saved, agreed), (uniform_saved, uniform_agreed) = found["beta"], found["uniform"]
    others = {"uniform": round(uniform_saved, 4), "error_cost": ERROR_COST, "questions": questions}
    best = best_saving(PRIORS["beta"])
    return [
        Figure.judged("adaptive_saved_share", saved, ">= 0.35", best_of_any_rule=round(best, 4), **others),
        Figure.judged("adaptive_agreement", agreed, f">= {AGREEMENT}", uniform=round(uniform_agreed, 4)),
    ]


def simulate_adaptive(prior: float, questions: int) -> tuple[float, float]:
    """(share of answers saved, share of questions whose group is that of 20 answers) on simulated questions."""
    rng = np.random.default_rng(1)
    rates = rng.beta(prior, prior, questions)
    rounds = rng.binomial(ROUND, rates[:, None], (questions, TOTAL // ROUND)).cumsum(axis=1)
    answers = agreed = 0
    for rights in rounds.tolist():
        n, settled = next(_settling(rights))
        answers += n
        agreed += settled == PAPER.group(rights[-1], TOTAL)
    return 1 - answers / (TOTAL * questions), agreed / questions


def _settling(rights: list[int]) -> Iterator[tuple[int, int]]:
    """(answers, group) from the round on in which the group is settled."""
    for number, right in enumerate(rights, 1):
        settled = decided(right, number * ROUND)
        if settled is not None:
            yield number * ROUND, settled


def best_saving(prior: float) -> float:
    """The most that any rule which stops between rounds can save at the agreement of the bar, in expectation.

    Rules that weigh answers against errors are best for their own agreement; between two of them one can only throw a
    coin. Exact where the prior of the pass rates is the rule's own.
    """
    points = sorted({expected(cost, prior) for cost in np.geomspace(10, 1000, 60).tolist()}, key=lambda point: point[1])
    return max(
        low[0] + (high[0] - low[0]) * (AGREEMENT - low[1]) / (high[1] - low[1])
        for number, low in enumerate(points)
        for high in points[number + 1 :]
        if low[1] <= AGREEMENT <= high[1] > low[1]
    )


def expected(error_cost: float, prior: float) -> tuple[float, float]:
    """(share of answers saved, agreement) of the rule, in expectation over pass rates from Beta(prior, prior)."""
    reach: dict[tuple[int, int], float] = {(0, 0): 1.0}
    answers = agreed = 0.0
    for n in range(0, TOTAL + 1, ROUND):
        for right in range(n + 1):
            probability = reach.get((n, right), 0.0)
            settled = decided(right, n, error_cost=error_cost)
            if settled is None:
                for more in range(ROUND + 1):
                    key = (n + ROUND, right + more)
                    reach[key] = reach.get(key, 0.0) + probability * _chance(more, ROUND, right, n, prior)
                continue
            answers += probability * n
            ends = (more for more in range(TOTAL - n + 1) if PAPER.group(right + more, TOTAL) == settled)
            agreed += probability * sum(_chance(more, TOTAL - n, right, n, prior) for more in ends)
    return 1 - answers / TOTAL, agreed


def _chance(more: int, drawn: int, right: int, n: int, prior: float) -> float:
    """Probability that `more` of the next `drawn` answers are right, with pass rates from Beta(prior, prior)."""
    a, b = right + prior, n - right + prior
    return math.comb(drawn, more) * math.exp(_log_beta(a + more, b + drawn - more) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def recovery(questions: int) -> Figure:
    """How often 20 answers find the group of the true pass rate, against the classifier that knows how pass rates are
    spread and takes the likeliest group."""
    found: dict[str, dict[str, float]] = {}
    for name, prior in PRIORS.items():
        rng = np.random.default_rng(2)
        rates = rng.beta(prior, prior, questions)
        rights = rng.binomial(TOTAL, rates)
        truth = _true_groups(rates)
        ours = np.asarray([PAPER.group(right, TOTAL) for right in range(TOTAL + 1)])[rights]
        best = np.asarray([_likeliest(right, prior) for right in range(TOTAL + 1)])[rights]
        found[name] = {"ours": float((ours == truth).mean()), "best": float((best == truth).mean())}
    ratio = {name: one["ours"] / one["best"] for name, one in found.items()}
    detail: dict[str, Any] = {
        "accuracy": round(found["beta"]["ours"], 4),
        "best_accuracy": round(found["beta"]["best"], 4),
        "uniform": round(ratio["uniform"], 4),
    }
    return Figure.judged("groups_recovered_ratio", ratio["beta"], ">= 0.95", questions=questions, **detail)


def _true_groups(rates: NDArray[np.float64]) -> NDArray[np.int64]:
    potential = 4 * rates * (1 - rates)
    below: NDArray[np.int64] = np.sum(potential[:, None] < np.asarray(THRESHOLDS), axis=1)
    return 1 + below


def _likeliest(right: int, prior: float) -> int:
    """The group with the most posterior mass."""
    a, b = right + prior, TOTAL - right + prior
    edges = [
        (1 - (1 - threshold) ** 0.5) / 2 for threshold in THRESHOLDS
    ]  # 4p(1-p) is above the threshold between them
    inside = [0.0, *(beta_share(1 - edge, a, b) - beta_share(edge, a, b) for edge in edges), 1.0]
    return 1 + int(np.argmax(np.diff(inside)))
