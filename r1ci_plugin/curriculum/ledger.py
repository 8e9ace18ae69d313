"""What training itself has seen of each question: all answers, and a pass rate that follows the policy. Pure.

The current pass rate starts from the manifest's measurement; whenever a question is trained on, what was known before
fades by `decay` and its new answers are added. Lost answers are not counted: they say nothing of the policy. Left out:
the file of a run's history (`history.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A question's answers in training."""

    n: int
    right: int
    current_n: float
    """Answers behind the current pass rate, older ones counting less."""
    current_right: float


class Ledger:
    """Counts by question id, small enough to live in verl's checkpoint.

    measured: (answers, right ones) of the manifest. decay: the factor on a question's earlier answers each time it
    comes again; 1: they never fade.
    """

    def __init__(self, measured: Mapping[str, tuple[int, int]] | None = None, decay: float = 1.0) -> None:
        if not 0 <= decay <= 1:
            raise ValueError(f"r1ci.curriculum.decay lies in 0..1, not {decay}")
        self._measured = measured or {}
        self._decay = decay
        self._seen: dict[str, Seen] = {}

    def __len__(self) -> int:
        """Questions seen."""
        return len(self._seen)

    def record(self, answers: Iterable[tuple[str, float]]) -> None:
        """Add the judged answers of one step as (question id, acc)."""
        found: dict[str, list[int]] = {}
        for question_id, acc in answers:
            entry = found.setdefault(question_id, [0, 0])
            entry[0] += 1
            entry[1] += round(acc)
        for question_id, (n, right) in found.items():
            known_n, known_right = self.counts(question_id)
            current_n, current_right = self.current(question_id)
            self._seen[question_id] = Seen(
                known_n + n, known_right + right, self._decay * current_n + n, self._decay * current_right + right
            )

    def counts(self, question_id: str) -> tuple[int, int]:
        """(answers judged in training, right ones); (0, 0) for an unseen question."""
        seen = self._seen.get(question_id)
        return (0, 0) if seen is None else (seen.n, seen.right)

    def current(self, question_id: str) -> tuple[float, float]:
        """(answers, right ones) behind the current pass rate; what was measured for an unseen question."""
        seen = self._seen.get(question_id)
        return self._measured.get(question_id, (0, 0)) if seen is None else (seen.current_n, seen.current_right)

    def measured_rate(self, question_id: str) -> float | None:
        """The pass rate the manifest measured; None where it measured nothing."""
        n, right = self._measured.get(question_id, (0, 0))
        return right / n if n else None

    def current_rate(self, question_id: str) -> float | None:
        """None for a question that was neither measured nor seen."""
        n, right = self.current(question_id)
        return right / n if n else None

    def state_dict(self) -> dict[str, tuple[int, int, float, float]]:
        return {name: (seen.n, seen.right, seen.current_n, seen.current_right) for name, seen in self._seen.items()}

    def load_state_dict(self, state: Mapping[str, tuple[int, int, float, float]]) -> None:
        self._seen = {name: Seen(*entry) for name, entry in state.items()}
