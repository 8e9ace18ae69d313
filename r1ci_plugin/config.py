"""The `r1ci:` section of a recipe as typed values, one dataclass a concern.

The YAML files in `recipes/` hold the same keys with the reasons for the values; an unknown key is an error that names
it. Left out: verl's own settings, which recipes set in verl's own sections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one trajectory (docs/method.md)."""

    max_code_calls: int = 8
    code_timeout_s: float = 60.0
    """Wall seconds of one code call."""
    code_memory_mb: int = 512
    result_max_tokens: int = 1024
    """Tokens kept of an execution result: a longer one keeps its head and tail. Frame and cut notice come on top."""
    train_on_results: bool = False
    """Put execution results into the loss, as if the policy had written them: for an ablation only."""

    def __post_init__(self) -> None:
        if self.max_code_calls < 0 or self.result_max_tokens < 1 or self.code_timeout_s <= 0 or self.code_memory_mb < 1:
            raise ValueError(f"every limit of r1ci.interaction must be positive (only max_code_calls may be 0): {self}")


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """Where code calls run."""

    kind: str = "local"
    """`local` (embedded) or `remote` (SandboxFusion protocol)."""
    slots: int | None = None
    """Calls at the same time on this machine; None: as many as there are cores."""
    endpoints: tuple[str, ...] = ()
    """Base URLs for `remote`."""
    floor: str = "landlock"
    """The worst isolation level to accept on this machine: `ns`, `landlock` or `seccomp`."""


@dataclass(frozen=True, slots=True)
class RewardWeights:
    """What a trajectory earns (docs/method.md). Any weight may be 0."""

    correct: float = 1.0
    format: float = 0.1
    """Added for a well-formed trajectory, taken off for any other."""
    long_turns: float = -0.1
    """Added where a trajectory has more than `max_turns` turns."""
    max_turns: int = 6


@dataclass(frozen=True, slots=True)
class VerifierSettings:
    """The pool that judges answers."""

    workers: int = 2
    deadline_s: float = 5.0
    """Seconds of work on one answer until its worker is killed."""


@dataclass(frozen=True, slots=True)
class CurriculumSettings:
    """Which questions a stage trains on, and in which order."""

    seed: int = 0
    schedule: str = "stages"
    """`stages`, `all`, `reverse`, `online_merge`, or `package.module:Class` (curriculum/schedule.py)."""
    number_of_stages: int | None = None
    """Groups of equal size that open evenly over the four runs; None: the manifest's own groups, one opened a run."""
    group_by: str = "potential"
    """What orders groups of equal size: `potential`, `difficulty`, `pass_rate`. Without `number_of_stages`, four."""
    steps: int = 150
    """Steps of this run."""
    balance_tasks: bool = False
    """Draw tasks evenly instead of questions evenly."""
    leave_out: tuple[str, ...] = ()
    """Tasks that are not trained on, as patterns such as `bbh/*`."""
    decay: float = 0.5
    """Factor on a question's earlier answers in its current pass rate, each time it is trained on again."""
    recut_steps: int = 25
    """`online_merge` cuts groups anew after so many steps."""

    def __post_init__(self) -> None:
        if min(self.steps, self.recut_steps) < 1 or (self.number_of_stages is not None and self.number_of_stages < 1):
            raise ValueError(f"every number of steps and stages of r1ci.curriculum must be positive: {self}")
        if not 0 <= self.decay <= 1:
            raise ValueError(f"r1ci.curriculum.decay lies in 0..1, not {self.decay}")


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """Which trajectories of training and validation are kept for people to look at, and how much of them."""

    share: float = 0.05
    """Of the questions, chosen by hash: all trajectories of every draw of them are kept. 0 keeps none."""
    file_mb: int = 64
    """A file of this size (10^6 bytes) is followed by the next."""
    max_mb: int = 1024
    """All files together: beyond it the oldest go."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or self.file_mb < 1 or self.max_mb < self.file_mb:
            raise ValueError(f"r1ci.records needs 0 <= share <= 1 and 1 <= file_mb <= max_mb: {self}")


@dataclass(frozen=True, slots=True)
class R1CISettings:
    """The whole section."""

    stage: int = 1
    """Stage s trains on the potential groups 1..s."""
    ablation: str | None = None
    """What differs from the method on purpose (recipes/r1ci_ablation/); its run folders lie below a folder so named."""
    manifest: str | None = None
    """Parquet that says which question is in which group; None: every question is in group 1."""
    interaction: Limits = field(default_factory=Limits)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)
    reward: RewardWeights = field(default_factory=RewardWeights)
    verifier: VerifierSettings = field(default_factory=VerifierSettings)
    curriculum: CurriculumSettings = field(default_factory=CurriculumSettings)
    records: RecordSettings = field(default_factory=RecordSettings)


T = TypeVar("T")


def settings_from(config: Any) -> R1CISettings:
    """The settings of a verl config (or any mapping) whose section `r1ci` may be missing or partial.

    Raises ValueError for a key that does not exist.
    """
    section = config.get("r1ci") if config is not None else None
    return _build(R1CISettings, section or {}, "r1ci")


def _build(kind: type[T], section: Any, path: str) -> T:
    if not isinstance(section, Mapping):
        raise ValueError(f"{path} must be a section with keys, not {section!r}")
    hints = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    for key in section:
        if key not in known:
            raise ValueError(f"unknown setting {path}.{key}: the section has {', '.join(sorted(known))}")
    values = {key: _value(hints[key], section[key], f"{path}.{key}") for key in section}
    return kind(**values)


def _value(hint: Any, value: Any, path: str) -> Any:
    if is_dataclass(hint):
        return _build(hint, value or {}, path)  # type: ignore[arg-type]
    if not isinstance(value, str | int | float | None):
        value = tuple(value)
    if hint is float and type(value) is int:
        value = float(value)
    kinds = [get_origin(kind) or kind for kind in (get_args(hint) if isinstance(hint, UnionType) else (hint,))]
    if type(value) not in kinds:
        raise ValueError(f"{path} must be {' or '.join(kind.__name__ for kind in kinds)}, not {value!r}")
    return value
