"""The protocol as data: `protocol.yaml`, with what a form changes, checked at reading.

Left out: which pieces follow from it (`pieces.py`), doing them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent


class ProtocolError(ValueError):
    """The protocol contradicts itself or asks for what does not exist."""


@dataclass(frozen=True)
class Tasks:
    train: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.train + self.test


@dataclass(frozen=True)
class Questions:
    train: int
    held_out: int


@dataclass(frozen=True)
class Limits:
    prompt_tokens: int
    response_tokens: int
    result_tokens: int
    context_tokens: int
    code_timeout_s: float


@dataclass(frozen=True)
class Band:
    """Tasks whose questions the teacher answers in the same forms by turns."""

    forms: str
    per_task: int
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Sft:
    bands: tuple[Band, ...]
    words: int
    longest: int
    epochs: int
    batch: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Potential:
    answers: int
    temperature: float
    equal_groups: int | None = None
    """So many groups of equal size instead of the paper's thresholds."""


@dataclass(frozen=True)
class Training:
    prompts: int
    group_size: int
    steps: int
    """Of all runs of an arm together."""
    probe_steps: int
    probe_questions: int
    warmup_steps: int
    learning_rate: float
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    answers: int
    baseline_answers: int
    temperature: float


@dataclass(frozen=True)
class Tuning:
    learning_rates: tuple[float, ...]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    questions_seed: int


@dataclass(frozen=True)
class Seeds:
    core: tuple[int, ...]
    extension: tuple[int, ...]


@dataclass(frozen=True)
class Arm:
    """One way to train."""

    seeds: str
    """core or extension: which seeds it is run with."""
    ablation: str | None = None
    """A recipe of `recipes/r1ci_ablation`; None: the method."""
    runs: int = 4
    """The four stages, the first ones of them, or one run."""
    is_probe: bool = False
    """Trains `probe_steps` instead of `steps`."""
    start: str = "sft"
    """sft, or cold: the policy before fine-tuning."""
    group: int | None = None
    """Only questions of this potential group."""
    tasks: int | None = None
    """Only so many of the training tasks."""
    ends_at_budget: bool = False
    """Trained until the trajectories of four stages are used up, in however many steps."""
    tuned_as: str | None = None
    """The arm whose learning rate it takes; None: its own."""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Analysis:
    sides: tuple[str, ...]
    level: float


@dataclass(frozen=True)
class Protocol:
    form: str
    tasks: Tasks
    levels: str
    questions: Questions
    limits: Limits
    sft: Sft
    potential: Potential
    training: Training
    evaluation: Evaluation
    tuning: Tuning
    seeds: Seeds
    core: tuple[str, ...]
    arms: dict[str, Arm]
    analysis: Analysis

    @property
    def budget(self) -> int:
        """Trajectories of an arm that is no probe."""
        return self.training.steps * self.training.prompts * self.training.group_size

    def steps_of(self, arm: Arm) -> int:
        """Steps of each run of an arm."""
        return (self.training.probe_steps if arm.is_probe else self.training.steps) // arm.runs

    def seeds_of(self, arm: str) -> tuple[int, ...]:
        return self.seeds.core if self.arms[arm].seeds == "core" else self.seeds.extension

    def made_once(self) -> dict[str, Any]:
        """What the fine-tuned policy, the questions and their potential depend on."""
        names = ("tasks", "levels", "questions", "limits", "sft", "potential")
        return {name: _plain(getattr(self, name)) for name in names}


def load(form: str = "core") -> Protocol:
    """The protocol of a form. Raises ProtocolError."""
    content = yaml.safe_load((HERE / "protocol.yaml").read_text(encoding="utf-8"))
    if form != "core":
        file = HERE / f"{form}.yaml"
        if not file.is_file():
            known = ", ".join(sorted(other.stem for other in HERE.glob("*.yaml") if other.stem != "protocol"))
            raise ProtocolError(f"there is no protocol {form}: core, {known}")
        change = yaml.safe_load(file.read_text(encoding="utf-8"))
        content = {**_merged(content, change), "arms": change.get("arms", content["arms"])}
    try:
        protocol: Protocol = _build(Protocol, content)
    except (TypeError, KeyError) as error:
        raise ProtocolError(f"the protocol {form} cannot be read: {error}") from None
    _check(protocol)
    return protocol


def digest(content: Any) -> str:
    """16 hex digits that name settings."""
    text = json.dumps(_plain(content), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_SECTIONS: dict[str, type] = {
    "tasks": Tasks,
    "questions": Questions,
    "limits": Limits,
    "sft": Sft,
    "potential": Potential,
    "training": Training,
    "evaluation": Evaluation,
    "tuning": Tuning,
    "seeds": Seeds,
    "analysis": Analysis,
}


def _build(kind: Any, content: dict[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for name, value in content.items():
        if kind is Protocol and name in _SECTIONS:
            values[name] = _build(_SECTIONS[name], value)
        elif kind is Protocol and name == "arms":
            values[name] = {arm: _build(Arm, settings) for arm, settings in value.items()}
        elif kind is Sft and name == "bands":
            values[name] = tuple(_build(Band, band) for band in value)
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for name, value in change.items():
        both = isinstance(value, dict) and isinstance(base.get(name), dict)
        found[name] = _merged(base[name], value) if both else value
    return found


def _check(protocol: Protocol) -> None:
    both = set(protocol.tasks.train) & set(protocol.tasks.test)
    taught = [task for band in protocol.sft.bands for task in band.tasks]
    if both:
        raise ProtocolError(f"tasks on both sides: {', '.join(sorted(both))}")
    if sorted(taught) != sorted(protocol.tasks.all):
        odd = sorted(set(taught) ^ set(protocol.tasks.all)) or sorted(
            {name for name in taught if taught.count(name) > 1}
        )
        raise ProtocolError(f"every task is in one band of sft, once: {', '.join(odd)}")
    for name, arm in protocol.arms.items():
        if arm.runs not in (1, 2, 3, 4) or arm.start not in ("sft", "cold") or arm.seeds not in ("core", "extension"):
            raise ProtocolError(f"arm {name}: runs is 1 to 4, start sft or cold, seeds core or extension")
        if protocol.steps_of(arm) * arm.runs != (
            protocol.training.probe_steps if arm.is_probe else protocol.training.steps
        ):
            raise ProtocolError(f"arm {name}: the steps do not divide by its {arm.runs} runs")
    for name in (
        *protocol.core,
        *protocol.tuning.arms,
        *(arm.tuned_as for arm in protocol.arms.values() if arm.tuned_as),
    ):
        if name not in protocol.arms:
            raise ProtocolError(f"there is no arm {name}")
