"""The record of a trajectory: one line of JSON with the question, what was said and run, and the verdict.

Evaluation, potential, fine-tuning data and training write the same record, so that the viewer, the report, statistics
and filters read all of them alike. Ids are kept where the transport had ids; log-probs and default values are left
out. A record holds the ground truth and is never shown to a policy or an interpreter. Left out: files (`journal.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from r1ci_plugin.codec import TextCodec
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import Trajectory

NO_ANSWER = Verdict("wrong", "the trajectory ended without an answer")
"""The verdict where there is nothing to judge."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took."""

    requests: int = 0
    """Calls of the policy, retries not counted."""
    prompt_tokens: int = 0
    """Summed over the requests, as the engine counts them."""
    sampled_tokens: int = 0
    cost: float = 0.0
    """In the currency of the prices given; 0 without prices."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.sampled_tokens + other.sampled_tokens,
            self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True)
class Note:
    """Something said beside the trajectory, e.g. by the guide of CodeSteer, or a worker's earlier round."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """Where in a training run a trajectory was sampled, and what it earned."""

    step: int
    stage: int
    group: str
    """The G trajectories of one draw of a question share it."""
    reward: float
    parts: dict[str, float] = field(default_factory=dict)
    """The reward manager's numbers (`reward.manager.EXTRA_KEYS`)."""
    advantage: float | None = None
    """Of every sampled token, as GRPO computes it from the rewards of the group."""


def policy_name(path: str) -> str:
    """What records call a policy: the name on the hub, or of a folder its last part; for one that a run exported, the
    run and the step. Never where a machine keeps it.
    """
    parts = Path(path).parts
    if parts[-1:] == ("huggingface",) and len(parts) > 2:
        return "/".join([part for part in parts[:-1] if part != "actor"][-2:])
    return path if not Path(path).is_absolute() and path.count("/") == 1 else Path(path).name


@dataclass(frozen=True, slots=True)
class Record:
    """A judged trajectory with its context."""

    key: str
    """Unique in a file; a run that is started again skips keys it has."""
    question: Question
    agent: str
    """Who answered: `all_text`, `all_code`, `code_agent`, `codesteer`, `hosted`, or a name of the user's own."""
    trajectory: Trajectory
    verdict: Verdict | None
    """None where the trajectory was lost to the infrastructure."""
    sample: int = 0
    """Which of the answers of this agent to this question, from 0."""
    policy: str = ""
    temperature: float | None = None
    form: str = ""
    """The form of prompt or teacher, where there are several."""
    usage: Usage = Usage()
    wall_s: float = 0.0
    notes: tuple[Note, ...] = ()
    training: TrainingFacts | None = None

    @property
    def acc(self) -> float:
        """Correctness, 0.0 or 1.0; 0.0 for a lost trajectory, which no statistic may count."""
        return self.verdict.score if self.verdict is not None else 0.0

    @property
    def is_lost(self) -> bool:
        """Lost to the infrastructure: says nothing of the policy and is in no pass rate."""
        return self.verdict is None or self.trajectory.outcome == "lost"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able. `facts` are the numbers of `Trajectory.facts`, for readers without this package."""
        data = {
            "key": self.key,
            "question": self.question.to_dict(),
            "question_id": self.question.question_id,
            "agent": self.agent,
            "sample": self.sample,
            "policy": self.policy,
            "temperature": self.temperature,
            "form": self.form,
            "trajectory": _compact(self.trajectory),
            "facts": self.trajectory.facts(),
            "verdict": asdict(self.verdict) if self.verdict is not None else None,
            "usage": asdict(self.usage),
            "wall_s": self.wall_s,
            "notes": [asdict(note) for note in self.notes],
            "training": asdict(self.training) if self.training is not None else None,
        }
        return {name: value for name, value in data.items() if value not in (None, "", [])}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Raises KeyError or TypeError for what is no record."""
        verdict, training = data.get("verdict"), data.get("training")
        return cls(
            key=data["key"],
            question=Question.from_dict(data["question"]),
            agent=data["agent"],
            trajectory=Trajectory.from_dict(_expanded(data["trajectory"])),
            verdict=Verdict(**verdict) if verdict is not None else None,
            sample=data.get("sample", 0),
            policy=data.get("policy", ""),
            temperature=data.get("temperature"),
            form=data.get("form", ""),
            usage=Usage(**data.get("usage", {})),
            wall_s=data.get("wall_s", 0.0),
            notes=tuple(Note(**note) for note in data.get("notes", ())),
            training=TrainingFacts(**training) if training is not None else None,
        )


def _compact(trajectory: Trajectory) -> dict[str, Any]:
    """`Trajectory.to_dict` without log-probs, without ids where they are mere characters, without default values."""
    data = trajectory.to_dict()
    ids = trajectory.transport == "tokens"
    if not ids:
        data["prompt_ids"] = []
    for turn in data["turns"]:
        del turn["log_probs"]
        if not ids:
            del turn["ids"]
        if (call := turn["call"]) is None:
            del turn["call"]
            continue
        if not ids:
            del call["inserted_ids"]
        if call["result"] is not None:
            call["result"] = _without_defaults(call["result"])
    return data


def _expanded(data: Mapping[str, Any]) -> dict[str, Any]:
    """What `Trajectory.from_dict` reads, from a compact one. Ids of text are its characters again."""
    turns = [{"call": None, **turn} for turn in data["turns"]]
    if data["transport"] != "tokens":
        encode = TextCodec().encode
        for turn in turns:
            turn["ids"] = encode(turn["text"])
            if turn["call"] is not None:
                turn["call"] = {**turn["call"], "inserted_ids": encode(turn["call"]["inserted_text"])}
    return {**data, "turns": turns}


def _without_defaults(result: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {entry.name: entry.default for entry in fields(ExecResult)}
    return {name: value for name, value in result.items() if value != defaults[name]}
