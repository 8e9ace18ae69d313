"""Which texts of many trajectories are of one kind, so that they share phrases: prompts of a task, turns of a form.

Left out: finding the phrases (`tokenizer.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from r1ci_plugin.interpreter.executor import ExecResult

LEAST = 20
"""Texts of a kind that are enough to tell what they share from chance."""


@dataclass(frozen=True, slots=True)
class Said:
    """One trajectory as text."""

    task: str
    form: str
    prompt: str
    turns: Sequence[str]
    results: Sequence[ExecResult]


def alike(said: Iterable[Said]) -> list[list[str]]:
    """The texts of each kind that has `LEAST` of them."""
    kinds: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for one in said:
        kinds["prompt", one.task].append(one.prompt)
        for number, turn in enumerate(one.turns):
            opening = tuple(turn.split(" ", 2)[:2])
            kinds[(one.task, one.form, number, opening, "prnit" in turn)].append(turn)
        for result in one.results:
            if result.status != "ok":
                kinds[result.stderr.rpartition("\n")[2].split(":")[0], one.task].append(result.stderr)
    return [texts for texts in kinds.values() if len(texts) >= LEAST]
