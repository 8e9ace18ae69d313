"""What a run trains on as it goes: a schedule gives, step by step, the weight of each potential group. Pure.

The method's stages and their ablations are schedules; nothing else asks which of them is running.

| name | weights | |
| --- | --- | --- |
| `stages` | groups 1..s of stage s | the method [stated] |
| `all` | all groups | plain GRPO, the paper's "without curriculum" [stated] |
| `reverse` | the s lowest groups | [ours] |
| `online_merge` | as `stages`, groups cut anew as training goes | stated as a variant, details [ours] |

A schedule of one's own is a class named by import path, `package.module:Class`, called with the settings. Left out:
drawing by the weights (`sampler.py`), pass rates (`ledger.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from r1ci_plugin.config import R1CISettings

RUNS = 4
"""Stages of the method, each a run of its own with the same number of steps [stated]."""

Weights = tuple[float, ...]
"""Of groups 1, 2, ...: how often a question is drawn relative to the others; 0 for never."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known when weights are asked for."""

    sizes: Sequence[int]
    """Questions of group 1, 2, ..."""
    pass_rates: Sequence[float | None] = ()
    """Share of right answers of each group in the last step; None where it was not drawn."""

    @property
    def groups(self) -> int:
        return len(self.sizes)


class Schedule(ABC):
    """(step, statistics) to weights over groups. Holds no state: a resumed run asks again."""

    def __init__(self, settings: R1CISettings) -> None:
        self.settings = settings

    @abstractmethod
    def weights(self, step: int, statistics: Statistics) -> Weights:
        """The weights for a step, counted from 1."""

    def cuts_after(self, step: int) -> bool:
        """Whether groups are cut anew from the current pass rates after this step."""
        return False


class Stages(Schedule):
    """Stage s draws from groups 1..s alike.

    With `number_of_stages` k, groups open evenly over the steps of all four runs, so that any k has the budget of the
    method: with k = 2 group 2 opens when stage 3 starts, with k = 8 a group opens in the middle of every run.
    """

    def weights(self, step: int, statistics: Statistics) -> Weights:
        opened = self.opened(step)
        return tuple(float(group <= opened) for group in range(1, statistics.groups + 1))

    def opened(self, step: int) -> int:
        """How many groups are open in a step."""
        stages, stage = self.settings.curriculum.number_of_stages, self.settings.stage
        if stages is None:
            return stage
        steps = self.settings.curriculum.steps
        within = min(max(step - 1, 0), steps - 1)
        return 1 + min(stages - 1, stages * ((stage - 1) * steps + within) // (RUNS * steps))


class AllGroups(Schedule):
    """Every question alike, whatever the stage."""

    def weights(self, step: int, statistics: Statistics) -> Weights:
        return (1.0,) * statistics.groups


class Reverse(Stages):
    """The lowest groups first."""

    def weights(self, step: int, statistics: Statistics) -> Weights:
        return super().weights(step, statistics)[::-1]


class OnlineMerge(Stages):
    """The stages, on groups that follow the policy: cut anew every `recut_steps` steps, by the manifest's thresholds.
    Where the policy has left a stage no question, the next group opens.
    """

    def __init__(self, settings: R1CISettings) -> None:
        super().__init__(settings)
        if settings.curriculum.number_of_stages is not None or settings.curriculum.group_by != "potential":
            raise ValueError("online_merge cuts by thresholds of potential: take number_of_stages and group_by away")

    def weights(self, step: int, statistics: Statistics) -> Weights:
        opened = next(
            (number for number in range(self.opened(step), statistics.groups) if any(statistics.sizes[:number])),
            statistics.groups,
        )
        return tuple(float(group <= opened) for group in range(1, statistics.groups + 1))

    def cuts_after(self, step: int) -> bool:
        return step % self.settings.curriculum.recut_steps == 0


SCHEDULES: dict[str, type[Schedule]] = {
    "stages": Stages,
    "all": AllGroups,
    "reverse": Reverse,
    "online_merge": OnlineMerge,
}


def schedule_for(settings: R1CISettings) -> Schedule:
    """The schedule that `r1ci.curriculum.schedule` names. Raises ValueError for a name that is none."""
    name = settings.curriculum.schedule
    if name in SCHEDULES:
        return SCHEDULES[name](settings)
    module, _, attribute = name.partition(":")
    if not attribute:
        raise ValueError(f"unknown schedule {name!r}: one of {', '.join(SCHEDULES)}, or package.module:Class")
    try:
        kind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"the schedule {name} cannot be imported: {error}") from error
    schedule = kind(settings)
    if not isinstance(schedule, Schedule):
        raise ValueError(f"{name} is no Schedule")
    return schedule
