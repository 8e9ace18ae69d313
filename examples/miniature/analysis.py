"""What the results say: gains with intervals over seeds, differences of arms, curves. Pure, and of results alone.

All statistics are the package's (`r1ci_plugin.evaluation`): accuracies and comparisons on questions, and means over
seeds. What is missing is named, never guessed. Left out: how it looks (`page.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean

from protocol import Protocol
from result import Result

from r1ci_plugin.evaluation.comparison import Comparison, compare
from r1ci_plugin.evaluation.scores import Scores
from r1ci_plugin.evaluation.seeds import Mean, mean_over, ratio_over

Gains = dict[str, dict[int, float]]
"""Arm to seed to gain."""
BASE = {"sft": "sft", "cold": "cold_start"}
"""Start of an arm to the kind of baseline its gains are measured from."""


@dataclass(frozen=True)
class Study:
    """The results of one protocol, sorted."""

    protocol: Protocol
    baselines: list[Result]
    """Of every policy that pieces began with: one where it was made anew for a later sitting would else stand for
    another."""
    results: dict[tuple[str, int], Result]
    tuning: list[Result]

    @classmethod
    def of(cls, protocol: Protocol, results: Iterable[Result]) -> Study:
        study = cls(protocol, [], {}, [])
        for one in results:
            if one.is_tuning:
                study.tuning.append(one)
            elif one.arm in BASE.values():
                study.baselines.append(one)
            else:
                study.results[one.arm, one.seed] = one
        return study

    @property
    def missing(self) -> list[str]:
        """Pieces of the protocol that have no result."""
        kinds = dict.fromkeys(BASE[one.start] for one in self.protocol.arms.values())
        missing = [kind for kind in kinds if not any(one.arm == kind for one in self.baselines)]
        wanted = [(arm, seed) for arm in self.protocol.arms for seed in self.protocol.seeds_of(arm)]
        return missing + [f"{arm}-{seed}" for arm, seed in wanted if (arm, seed) not in self.results]

    def of_arm(self, arm: str) -> list[Result]:
        """By seed."""
        return [one for (name, _), one in sorted(self.results.items()) if name == arm]

    def gains(self, side: str) -> Gains:
        """The gains of every arm whose baseline is there. side: train (for an arm of few tasks: those), or test."""
        found: Gains = defaultdict(dict)
        for (arm, seed), one in sorted(self.results.items()):
            base = self.base_of(one)
            if base is not None:
                tasks = one.tasks if side == "train" else self.protocol.tasks.test
                found[arm][seed] = accuracy(one, tasks) - accuracy(base, tasks)
        return dict(found)

    def base_of(self, one: Result) -> Result | None:
        """The policy that a piece began with."""
        kind = BASE[self.protocol.arms[one.arm].start]
        return next((base for base in self.baselines if (base.arm, base.start) == (kind, one.start)), None)

    def bases_of(self, *arms: str) -> list[Result]:
        """The policies that the pieces of some arms began with, each once."""
        pieces = [one for arm in arms for one in self.of_arm(arm)]
        return [base for base in self.baselines if any(self.base_of(one) is base for one in pieces)]


def accuracy(result: Result, tasks: Sequence[str]) -> float:
    """Macro over the given tasks. NaN without answers to any."""
    return _only(result.scores, tasks).accuracy


def over_seeds(study: Study, gains: Gains) -> dict[str, Mean]:
    """The mean gain of every arm."""
    return {arm: mean_over(list(by_seed.values()), study.protocol.analysis.level) for arm, by_seed in gains.items()}


def on_own_tasks(study: Study, arm: str, other: str) -> Mean | None:
    """What an arm of few tasks gains on those, less what another arm gains on the same ones; paired by seed."""
    values = []
    for one in study.of_arm(arm):
        against = study.results.get((other, one.seed))
        if against is not None and against.start == one.start:
            values.append(accuracy(one, one.tasks) - accuracy(against, one.tasks))
    return mean_over(values, study.protocol.analysis.level) if values else None


def difference(study: Study, gains: Gains, arm: str, other: str) -> Mean | None:
    """Gain of an arm less that of another, paired by seed; None where they share none."""
    pairs = _paired(gains, arm, other)
    return mean_over([a - b for a, b in pairs], study.protocol.analysis.level) if pairs else None


def ratio(study: Study, gains: Gains, arm: str, other: str) -> Mean | None:
    """Gain of an arm over that of another, paired by seed; None where it has no interval."""
    pairs = _paired(gains, arm, other)
    return ratio_over([a for a, _ in pairs], [b for _, b in pairs], study.protocol.analysis.level) if pairs else None


def on_questions(study: Study, arm: str, other: str, side: str) -> Comparison | None:
    """The same answers compared question by question, the seeds of each arm pooled; only seeds both have."""
    seeds = {seed for name, seed in study.results if name == arm} & {s for name, s in study.results if name == other}
    if not seeds:
        return None
    tasks = study.protocol.tasks.train if side == "train" else study.protocol.tasks.test
    first, second = (
        _only(_pooled([study.results[name, seed] for seed in sorted(seeds)]), tasks) for name in (other, arm)
    )
    return compare(first, second, study.protocol.analysis.level)


def ordered_seeds(gains: Gains, arms: Sequence[str]) -> tuple[int, int]:
    """(seeds in which the gains of the arms fall in this order, seeds in which all have one)."""
    seeds = set.intersection(*(set(gains.get(arm, {})) for arm in arms))
    falling = [seed for seed in seeds if all(gains[a][seed] > gains[b][seed] for a, b in pairwise(arms))]
    return len(falling), len(seeds)


def curve(results: Sequence[Result], name: str, budget: int, points: int) -> list[tuple[float, float]]:
    """(trajectories sampled, quantity) at the middle of each of so many equal parts of the budget that any step ended
    in: the mean over the steps of a result that did, then over results."""
    parts: dict[int, list[float]] = defaultdict(list)
    for one in results:
        inside: dict[int, list[float]] = defaultdict(list)
        sampled = 0
        for step in one.steps:
            sampled += step["trajectories"]
            if name in step:
                inside[min((sampled - 1) * points // budget, points - 1)].append(step[name])
        for part, values in inside.items():
            parts[part].append(fmean(values))
    return [((part + 0.5) * budget / points, fmean(values)) for part, values in sorted(parts.items())]


def effective_share(results: Sequence[Result]) -> float | None:
    """Mean over steps and seeds."""
    values = [step["effective_share"] for one in results for step in one.steps if "effective_share" in step]
    return fmean(values) if values else None


def behaviour(results: Sequence[Result], measure: str) -> float | None:
    """Mean over seeds of a measure of docs/behaviour.md."""
    values = [value for one in results if (value := one.behaviour.get(measure)) is not None]
    return fmean(values) if values else None


def tuned(study: Study) -> dict[str, float]:
    """The learning rate of each arm whose grid is complete: the best mean accuracy on the tuning questions."""
    grid, seeds = study.protocol.tuning.learning_rates, study.protocol.tuning.seeds
    found: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in study.tuning:
        found[one.arm][one.learning_rate].append(accuracy(one, study.protocol.tasks.train))
    return {
        arm: max(grid, key=lambda rate: fmean(rates[rate]))
        for arm, rates in found.items()
        if all(len(rates.get(rate, [])) == len(seeds) for rate in grid)
    }


def policies(study: Study) -> int:
    """How many fine-tuned policies the results began with: more than one where they were made anew in between."""
    return len({one.start for one in [*study.results.values(), *study.baselines] if _is_warm(study, one)})


def _is_warm(study: Study, one: Result) -> bool:
    return one.arm == "sft" or (one.arm in study.protocol.arms and study.protocol.arms[one.arm].start == "sft")


def _paired(gains: Gains, arm: str, other: str) -> list[tuple[float, float]]:
    a, b = gains.get(arm, {}), gains.get(other, {})
    return [(a[seed], b[seed]) for seed in sorted(set(a) & set(b))]


def _only(scores: Scores, tasks: Sequence[str]) -> Scores:
    return Scores({name: one for name, one in scores.tasks.items() if name in tasks})


def _pooled(results: Sequence[Result]) -> Scores:
    """The answers of several results as if one contender had given them."""
    counts: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for one in results:
        for task, questions in one.answers.items():
            for question, (right, judged) in questions.items():
                before: Mapping[str, tuple[float, float]] = counts[task]
                old = before.get(question, (0.0, 0.0))
                counts[task][question] = (old[0] + right, old[1] + judged)
    first = results[0]
    return replace(first, answers=dict(counts)).scores
