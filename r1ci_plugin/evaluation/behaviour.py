"""How a policy works, from its trajectories: code use, turns, repetition, repair, change of strategy, self-checking.

Every measure is a rule that can be read here and is explained in docs/behaviour.md. Lost trajectories are left out.
Left out: right or wrong (`tables.py`), the rules of self-checking (`self_check.py`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from r1ci_plugin.evaluation.self_check import self_checks
from r1ci_plugin.protocol import fences
from r1ci_plugin.record import Record
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn

REASONING_WORDS = 40
"""So many words in a stretch are reasoning; fewer only introduce a script or report its result."""
SAME_APPROACH = 0.4
"""Two scripts that share fewer of their names and numbers than this are different approaches."""

_FAILED = ("error", "timeout", "memory", "output_limit", "disk_limit", "killed", "rejected")
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+")


@dataclass(frozen=True, slots=True)
class Conduct:
    """One trajectory."""

    turns: int
    calls: int
    repeated_calls: int
    """Calls with the very code of an earlier one."""
    failed: bool
    """A call ended with an error, a time-out or at another limit of its own."""
    repaired: bool
    """A call ended well after one that failed."""
    words_to_code: int
    """Code calls that follow on reasoning in words."""
    code_to_words: int
    """Stretches of reasoning in words that follow on a code call."""
    approach_changes: int
    """Code calls that go about it in another way than the one before; tests of a candidate answer do not count."""
    self_checks: int
    """Calls that test a candidate answer found earlier."""

    @classmethod
    def of(cls, trajectory: Trajectory) -> Conduct:
        calls = trajectory.calls
        failed = [call.result is not None and call.result.status in _FAILED for call in calls]
        first_failure = failed.index(True) if any(failed) else len(failed)
        modes = _modes(trajectory.turns)
        pairs = list(itertools.pairwise(modes))
        checks = self_checks(trajectory)
        work = [call for place, call in enumerate(calls) if place not in checks]
        return cls(
            turns=len(trajectory.turns),
            calls=len(calls),
            repeated_calls=len(calls) - len({call.code for call in calls}),
            failed=any(failed),
            repaired=any(not bad for bad in failed[first_failure:]),
            words_to_code=pairs.count(("words", "code")),
            code_to_words=pairs.count(("code", "words")),
            approach_changes=sum(_differ(a, b) for a, b in itertools.pairwise(work)),
            self_checks=len(checks),
        )


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Many trajectories: means, and shares in 0..1 of the trajectories with at least one such event."""

    trajectories: int
    code_use_rate: float
    mean_turns: float
    mean_calls: float
    repeated_call_rate: float
    failed_call_rate: float
    repair_rate: float | None
    """Of the trajectories with a failed call, those that repaired it; None without any."""
    words_to_code_rate: float
    code_to_words_rate: float
    approach_change_rate: float
    self_check_rate: float

    def to_dict(self) -> dict[str, float | None]:
        """JSON-able."""
        return asdict(self)


def behaviour_of(records: Iterable[Record]) -> Behaviour | None:
    """The behaviour of one contender; None without a trajectory that was not lost."""
    found = [Conduct.of(record.trajectory) for record in records if not record.is_lost]
    if not found:
        return None
    failed = [one for one in found if one.failed]
    return Behaviour(
        trajectories=len(found),
        code_use_rate=_mean([one.calls > 0 for one in found]),
        mean_turns=_mean([one.turns for one in found]),
        mean_calls=_mean([one.calls for one in found]),
        repeated_call_rate=_mean([one.repeated_calls > 0 for one in found]),
        failed_call_rate=_mean([one.failed for one in found]),
        repair_rate=_mean([one.repaired for one in failed]) if failed else None,
        words_to_code_rate=_mean([one.words_to_code > 0 for one in found]),
        code_to_words_rate=_mean([one.code_to_words > 0 for one in found]),
        approach_change_rate=_mean([one.approach_changes > 0 for one in found]),
        self_check_rate=_mean([one.self_checks > 0 for one in found]),
    )


def _modes(turns: Sequence[Turn]) -> list[str]:
    """`words` for each stretch of reasoning, `code` for each call, in order."""
    modes = []
    for turn in turns:
        blocks = [block for block in fences(turn.text) if block.is_python]
        words = turn.text[: blocks[0].start] if blocks else turn.text
        modes += ["words"] * (len(words.split()) >= REASONING_WORDS) + ["code"] * (turn.call is not None)
    return modes


def _differ(one: CodeCall, other: CodeCall) -> bool:
    a, b = set(_TOKEN.findall(one.code)), set(_TOKEN.findall(other.code))
    return len(a & b) < SAME_APPROACH * len(a | b)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
