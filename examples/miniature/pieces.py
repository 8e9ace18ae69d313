"""Which pieces the study is made of, and how each is trained. A piece is one arm with one seed.

Left out: running them (`training.py`), what came of them (`result.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from protocol import Arm, Protocol, digest

from r1ci_plugin.stages.plan import override


@dataclass(frozen=True)
class Piece:
    """One training, and the name of its result."""

    arm: str
    seed: int
    learning_rate: float
    is_tuning: bool = False

    @property
    def name(self) -> str:
        tuning = f"-lr{self.learning_rate:g}" if self.is_tuning else ""
        return f"{self.arm}-{self.seed}{tuning}"


def core(protocol: Protocol, tuned: Mapping[str, float]) -> list[Piece]:
    """Seed by seed, so that a sitting that ends early leaves pairs."""
    return [piece(protocol, arm, seed, tuned) for seed in protocol.seeds.core for arm in protocol.core]


def extension(protocol: Protocol, tuned: Mapping[str, float], arms: tuple[str, ...] = ()) -> list[Piece]:
    """All arms that are not in the core, or the named ones, seed by seed."""
    arms = arms or tuple(arm for arm in protocol.arms if arm not in protocol.core)
    seeds = sorted({seed for arm in arms for seed in protocol.seeds_of(arm)})
    return [piece(protocol, arm, seed, tuned) for seed in seeds for arm in arms if seed in protocol.seeds_of(arm)]


def tuning(protocol: Protocol, arms: tuple[str, ...] = ()) -> list[Piece]:
    """Every rate of the grid with every seed for tuning, arm by arm."""
    return [
        Piece(arm, seed, rate, is_tuning=True)
        for arm in arms or protocol.tuning.arms
        for rate in protocol.tuning.learning_rates
        for seed in protocol.tuning.seeds
    ]


def piece(protocol: Protocol, arm: str, seed: int, tuned: Mapping[str, float]) -> Piece:
    """A piece with the learning rate its arm was tuned to, or the protocol's. Raises KeyError for no such arm."""
    name = protocol.arms[arm].tuned_as or arm
    return Piece(arm, seed, tuned.get(name, protocol.training.learning_rate))


def settings_digest(protocol: Protocol, piece: Piece) -> str:
    """Names everything the result of a piece depends on, but the code."""
    parts = (protocol.training, protocol.evaluation, protocol.arms[piece.arm], piece.learning_rate)
    tuning = protocol.tuning.questions_seed if piece.is_tuning else None
    return digest([protocol.made_once(), *parts, piece.seed, tuning])


def trained_tasks(protocol: Protocol, arm: Arm, seed: int) -> tuple[str, ...]:
    """The tasks an arm trains on; where it takes only some, by the seed, in the protocol's order."""
    if arm.tasks is None:
        return protocol.tasks.train
    order = list(protocol.tasks.train)
    Random(seed).shuffle(order)
    return tuple(task for task in protocol.tasks.train if task in order[: arm.tasks])


def overrides(protocol: Protocol, piece: Piece, manifest: str) -> list[str]:
    """What the stage recipes are given for a piece. manifest: which question is in which group."""
    arm, training, limits = protocol.arms[piece.arm], protocol.training, protocol.limits
    left_out = [task for task in protocol.tasks.train if task not in trained_tasks(protocol, arm, piece.seed)]
    settings: dict[str, Any] = {
        "r1ci.curriculum.seed": piece.seed,
        "actor_rollout_ref.rollout.seed": piece.seed,
        "actor_rollout_ref.rollout.n": training.group_size,
        "actor_rollout_ref.actor.ppo_mini_batch_size": training.prompts,
        "actor_rollout_ref.actor.optim.lr": piece.learning_rate,
        "actor_rollout_ref.actor.optim.lr_warmup_steps": training.warmup_steps,
        "data.train_batch_size": training.prompts,
        "data.max_prompt_length": limits.prompt_tokens,
        "data.max_response_length": limits.response_tokens,
        "r1ci.interaction.result_max_tokens": limits.result_tokens,
        "r1ci.interaction.code_timeout_s": limits.code_timeout_s,
        "trainer.total_training_steps": protocol.steps_of(arm),
        "trainer.save_freq": 1 if arm.ends_at_budget else protocol.steps_of(arm),
        "trainer.val_before_train": False,  # the evaluation is `r1ci eval run`
        "trainer.test_freq": -1,
    }
    if left_out:
        settings["r1ci.curriculum.leave_out"] = f"[{','.join(left_out)}]"
    if arm.ends_at_budget:
        settings["trainer.max_actor_ckpt_to_keep"] = "null"  # which step is the last is known afterwards
    ablation = [f"+r1ci_ablation@_global_={arm.ablation}"] if arm.ablation else []
    return [
        *ablation,
        override("r1ci.manifest", manifest),
        *(f"{key}={value}" for key, value in settings.items()),
        *training.overrides,
        *arm.overrides,
    ]
