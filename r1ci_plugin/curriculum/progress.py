"""What a training step says of the curriculum: metrics under `r1ci/curriculum/` and lines of the ledger file. Pure.

Pass rates count every judged answer, also of groups that the filter held back; shares are of the trained answers.
Left out: metrics of answers, code calls and rewards (`metrics.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from r1ci_plugin.curriculum.ledger import Ledger
from r1ci_plugin.curriculum.metrics import Sample


@dataclass(frozen=True, slots=True)
class Progress:
    """A step, and where the curriculum stands after it."""

    samples: Sequence[Sample]
    """Trained on."""
    filtered: Sequence[Sample]
    """Judged, but of groups without signal."""
    group_of: Mapping[str, int]
    """Potential group of every question of the step."""
    ledger: Ledger
    stage: int
    epoch: int
    questions: int
    """Eligible now."""
    unseen: int
    """Eligible and never drawn."""
    manifest: str
    """Its digest."""

    def pass_rates(self, groups: int) -> list[float | None]:
        """Share of right answers of potential group 1..groups in this step."""
        accs = self.accs_by_group()
        return [_mean(accs[group]) if group in accs else None for group in range(1, groups + 1)]

    def accs_by_group(self) -> dict[int, list[float]]:
        """Correctness of every judged answer, by potential group."""
        accs: dict[int, list[float]] = defaultdict(list)
        for sample in (*self.samples, *self.filtered):
            accs[self.group_of[sample.question_id]].append(sample.acc)
        return accs


def curriculum_metrics(progress: Progress) -> dict[str, float]:
    """The metrics of a step; `group_N` is a potential group."""
    trained: dict[int, int] = defaultdict(int)
    for sample in progress.samples:
        trained[progress.group_of[sample.question_id]] += 1
    kept, held_back = (len({sample.group for sample in side}) for side in (progress.samples, progress.filtered))
    return {
        "r1ci/curriculum/stage": float(progress.stage),
        "r1ci/curriculum/epoch": float(progress.epoch),
        "r1ci/curriculum/questions": float(progress.questions),
        "r1ci/curriculum/seen": float(len(progress.ledger)),
        "r1ci/curriculum/unseen": float(progress.unseen),
        "r1ci/curriculum/gate_acceptance": kept / max(1, kept + held_back),
        "r1ci/curriculum/manifest": float(int(progress.manifest[:8], 16)),
        **_drift(progress),
        **{f"r1ci/curriculum/group_{g}/share": n / len(progress.samples) for g, n in sorted(trained.items())},
        **{f"r1ci/curriculum/group_{g}/acc": _mean(accs) for g, accs in sorted(progress.accs_by_group().items())},
    }


def _drift(progress: Progress) -> dict[str, float]:
    """How far the step's questions have moved from their measured pass rates, on average, and in absolute terms."""
    moved = []
    for question_id in progress.group_of:
        measured, current = progress.ledger.measured_rate(question_id), progress.ledger.current_rate(question_id)
        if measured is not None and current is not None:
            moved.append(current - measured)
    if not moved:
        return {}
    return {
        "r1ci/curriculum/drift": _mean(moved),
        "r1ci/curriculum/drift_abs": _mean([abs(distance) for distance in moved]),
    }


def history_lines(progress: Progress) -> list[dict[str, Any]]:
    """One line of the ledger file (`history.py`) for each question of the step, trained on or filtered."""
    found: dict[tuple[str, str, bool], list[float]] = defaultdict(list)
    for trained, side in ((True, progress.samples), (False, progress.filtered)):
        for sample in side:
            found[sample.question_id, sample.task, trained].append(sample.acc)
    return [
        {
            "question_id": question_id,
            "task": task,
            "group": progress.group_of[question_id],
            "n": len(accs),
            "right": round(sum(accs)),
            "trained": trained,
            "p": round(progress.ledger.current_rate(question_id) or 0.0, 4),
        }
        for (question_id, task, trained), accs in found.items()
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
