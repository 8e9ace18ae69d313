"""Which question comes next: groups by their weights, every question once an epoch, in a seeded order. Pure.

Questions lie in *decks*, one for each group, or for each group of each task where tasks are balanced. A deck is
shuffled anew for every pass. The decks take turns by a clock: a deck of rate r draws at the times (0 + u)/r, (1 + u)/r,
..., its u in 0..1 drawn from the seed, and the next draw is the earliest. So every batch holds the groups in just the
shares the weights ask for, and with equal weights all decks end a pass together: every question comes exactly once an
epoch.

Duck-typed as torch's Sampler with state (`__iter__`, `__len__`, `state_dict`, `load_state_dict`) without importing
torch, so that it serves own pipelines as well. A draw takes the same time however many questions there are (shuffling
a deck, once a pass, is spread over its draws); the state is two numbers a deck, and the order after a restart is the
undisturbed order. Left out: which weights (`schedule.py`), reading rows (`dataset.py`).
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]
MOST_GROUPS = 128
"""Groups are numbered below it."""


@dataclass(slots=True)
class _Deck:
    """Rows that are drawn in passes, each once a pass."""

    rows: Rows
    group: int
    task: int
    key: tuple[int, ...]
    """Seeds the order of its passes."""
    phase: float
    rate: float = 0.0
    """Draws in one unit of the clock; 0: the deck rests."""
    drawn: int = 0
    since: float = 0.0
    """Clock and draws when the rate was last set."""
    drawn_before: int = 0
    order: Rows | None = None

    def time(self) -> float:
        """When the next draw is due. Reckoned from counts, not added up, so that no rounding builds up."""
        return self.since + (self.drawn - self.drawn_before + self.phase) / self.rate

    def draw(self) -> int:
        """The next row."""
        turn, position = divmod(self.drawn, len(self.rows))
        if self.order is None or position == 0:
            self.order = np.random.Generator(np.random.PCG64([*self.key, turn])).permutation(self.rows)
        self.drawn += 1
        return int(self.order[position])

    def set_rate(self, rate: float, clock: float) -> None:
        self.rate, self.since, self.drawn_before = rate, clock, self.drawn


class CurriculumSampler:
    """Endless seeded draws of row numbers.

    groups: the potential group of every row, from 1; rows of group 0 are never drawn. weights: how often a question of
    group 1, 2, ... is drawn relative to the others, 0 for never; all groups alike if not given. tasks: the task of
    every row; if given, tasks are drawn evenly, and groups within a task by their weights. seed: the same seed gives
    the same order on every machine (PCG64). Raises ValueError where nothing is left to draw.

        sampler = CurriculumSampler(groups, weights=(1, 1, 0, 0))     # stage 2
        loader = DataLoader(questions, batch_size=128, sampler=sampler)
    """

    def __init__(
        self,
        groups: Sequence[int] | NDArray[Any],
        weights: Sequence[float] | None = None,
        *,
        tasks: Sequence[str] | None = None,
        seed: int = 0,
    ) -> None:
        self._seed = seed
        self._task_of = None if tasks is None else _numbered(tasks)
        self._clock = 0.0
        self._epoch = self._position = self._eligible = 0
        self._cuts = 0
        self._weights: tuple[float, ...] = ()
        self._deal(_checked(groups))
        self.reweight([1.0] * int(self._groups.max(initial=1)) if weights is None else weights)

    @property
    def epoch(self) -> int:
        """Epochs ended: one is as many draws as there are eligible questions."""
        return self._epoch

    @property
    def groups(self) -> NDArray[np.int8]:
        """The group of every row."""
        return self._groups

    @property
    def sizes(self) -> list[int]:
        """Rows of group 1, 2, ... up to the highest there is."""
        counts: list[int] = np.bincount(self._groups)[1:].tolist()
        return counts

    @property
    def weights(self) -> tuple[float, ...]:
        return self._weights

    def eligible(self) -> NDArray[np.bool_]:
        """Of every row: does its group have a weight?"""
        drawn = np.zeros(MOST_GROUPS, dtype=np.bool_)
        drawn[1 : 1 + len(self._weights)] = np.asarray(self._weights) > 0
        return np.asarray(drawn[self._groups])

    def __len__(self) -> int:
        """Eligible questions: those of groups with a weight."""
        return self._eligible

    def __iter__(self) -> Iterator[int]:
        """The draws to the end of the epoch; a whole one if none has begun."""
        epoch = self._epoch
        while self._epoch == epoch:
            yield self.draw()

    def draw(self) -> int:
        """The next row."""
        self._clock, number = self._turns[0]
        deck = self._decks[number]
        row = deck.draw()
        heapq.heapreplace(self._turns, (deck.time(), number))
        self._position += 1
        if self._position >= self._eligible:
            self._epoch, self._position = self._epoch + 1, 0
        return row

    def reweight(self, weights: Sequence[float]) -> None:
        """Draw by other weights from now on; a deck goes on in its pass. Raises ValueError if nothing is left."""
        chosen = tuple(float(weight) for weight in weights)
        if chosen == self._weights:
            return
        rates = _rates(self._decks, chosen, balanced=self._task_of is not None)
        if not any(rates):
            raise ValueError(f"no question lies in a group that is drawn: weights {chosen}, sizes {self.sizes}")
        self._weights = chosen
        for deck, rate in zip(self._decks, rates, strict=True):
            deck.set_rate(rate, self._clock)
        self._set_turns()

    def regroup(self, groups: Sequence[int] | NDArray[Any], weights: Sequence[float]) -> None:
        """Put the rows into other groups; all decks are shuffled anew. Raises ValueError for another number of rows."""
        if len(groups) != len(self._groups):
            raise ValueError(f"{len(groups)} groups for {len(self._groups)} rows")
        self._cuts += 1
        self._deal(_checked(groups))
        self._weights = ()
        self.reweight(weights)

    def state_dict(self) -> dict[str, Any]:
        """A few numbers; after `regroup` the groups as well."""
        return {
            "seed": self._seed,
            "rows": self._name(),
            "cuts": self._cuts,
            "groups": self._groups.tobytes() if self._cuts else None,
            "clock": self._clock,
            "epoch": self._epoch,
            "position": self._position,
            "weights": self._weights,
            "decks": [(deck.drawn, deck.drawn_before, deck.since) for deck in self._decks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken. Raises ValueError if it belongs to other rows, groups or another seed."""
        if state["seed"] != self._seed:
            raise ValueError(f"the checkpoint was drawn with seed {state['seed']}, this run has seed {self._seed}")
        self._cuts = state["cuts"]
        if state["groups"] is not None:
            self._deal(np.frombuffer(state["groups"], dtype=np.int8).copy())
        if state["rows"] != self._name():
            raise ValueError(f"the checkpoint was drawn from the rows {state['rows']}, this run has {self._name()}")
        self._weights, self._clock = tuple(state["weights"]), state["clock"]
        self._epoch, self._position = state["epoch"], state["position"]
        rates = _rates(self._decks, self._weights, balanced=self._task_of is not None)
        for deck, rate, (drawn, before, since) in zip(self._decks, rates, state["decks"], strict=True):
            deck.rate, deck.drawn, deck.drawn_before, deck.since = rate, drawn, before, since
            deck.order = None
        self._set_turns()

    def _deal(self, groups: NDArray[np.int8]) -> None:
        """Lay all rows into decks."""
        self._groups = groups
        key = groups if self._task_of is None else self._task_of * MOST_GROUPS + groups
        order = np.argsort(key, kind="stable").astype(np.int32)
        ends = np.cumsum(np.bincount(key))
        self._decks: list[_Deck] = []
        for value, rows in enumerate(np.split(order, ends[:-1])):
            if not len(rows):
                continue
            task, group = (0, value) if self._task_of is None else divmod(value, MOST_GROUPS)
            if group > 0:
                seeds = (self._seed, self._cuts, task, group)
                phase = 0.99 * float(np.random.Generator(np.random.PCG64(seeds)).random())
                self._decks.append(_Deck(rows, group, task, seeds, phase, since=self._clock))

    def _set_turns(self) -> None:
        self._eligible = sum(len(deck.rows) for deck in self._decks if deck.rate)
        self._turns = [(deck.time(), number) for number, deck in enumerate(self._decks) if deck.rate]
        heapq.heapify(self._turns)

    def _name(self) -> str:
        """Names which row is in which deck."""
        digest = hashlib.sha256(self._groups.tobytes())
        if self._task_of is not None:
            digest.update(self._task_of.tobytes())
        return digest.hexdigest()[:16]


def _checked(groups: Sequence[int] | NDArray[Any]) -> NDArray[np.int8]:
    """Groups as small numbers. Raises ValueError for none at all and for numbers out of range."""
    wide = np.asarray(groups)
    if not len(wide):
        raise ValueError("a sampler needs at least one row")
    if wide.min() < 0 or wide.max() >= MOST_GROUPS:
        raise ValueError(f"groups are numbers from 0 to {MOST_GROUPS - 1}, not {wide.min()} to {wide.max()}")
    return wide.astype(np.int8)


def _numbered(tasks: Sequence[str]) -> NDArray[np.int32]:
    """Each task as a number, in the order of their names."""
    numbers = {name: number for number, name in enumerate(sorted(set(tasks)))}
    return np.fromiter((numbers[name] for name in tasks), dtype=np.int32, count=len(tasks))


def _rates(decks: Sequence[_Deck], weights: Sequence[float], balanced: bool) -> list[float]:
    """Draws of every deck in one epoch; their sum is the number of eligible questions."""
    if any(not 0 <= weight < float("inf") for weight in weights):
        raise ValueError(f"weights are numbers from 0 on: {tuple(weights)}")
    shares = [len(deck.rows) * (weights[deck.group - 1] if deck.group <= len(weights) else 0.0) for deck in decks]
    if balanced:
        of_task: dict[int, float] = {}
        for deck, share in zip(decks, shares, strict=True):
            of_task[deck.task] = of_task.get(deck.task, 0.0) + share
        shares = [share / (of_task[deck.task] or 1.0) for deck, share in zip(decks, shares, strict=True)]
    eligible = sum(len(deck.rows) for deck, share in zip(decks, shares, strict=True) if share)
    total = sum(shares)
    # equal weights must give the very sizes, or the ends of the passes would drift apart by rounding
    return [share / total * eligible if total != eligible else share for share in shares]
