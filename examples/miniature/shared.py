"""What all pieces share and is made once: the fine-tuned policy, the questions, their potential, the baselines.

Every step is a command of the package, given again after an interruption; what is finished is not done twice. Left out:
the pieces (`training.py`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from commands import R1CI, run
from protocol import Protocol, digest

from r1ci_plugin.curriculum.manifest import Manifest, load_manifest, make_manifest, write_manifest
from r1ci_plugin.stages.plan import override

SLOTS = 4
"""Code calls at once, however few processors: scripts that never end would else hold up all others, each for the whole
time limit. As in recipes/r1ci_backend/cpu.yaml."""


@dataclass(frozen=True)
class Shared:
    """Where things lie."""

    folder: Path
    protocol: Protocol

    @property
    def cold(self) -> Path:
        """The policy before fine-tuning: the seed policy with words for all tasks."""
        return self.folder / "cold"

    @property
    def policy(self) -> Path:
        return self.folder / "policy"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def manifest(self) -> Path:
        return self.data / "manifest.parquet"

    @property
    def split(self) -> Path:
        return self.folder / "test_tasks.txt"

    def start_of(self, arm: str) -> Path:
        return self.cold if self.protocol.arms[arm].start == "cold" else self.policy

    def manifest_of(self, arm: str) -> Path:
        """The manifest an arm trains by."""
        group = self.protocol.arms[arm].group
        return self.manifest if group is None else self.folder / f"group_{group}.parquet"


def prepare(protocol: Protocol, work: Path, say: Callable[[str], None]) -> Shared:
    """Make what is missing. A change of the protocol begins a folder of its own."""
    shared = Shared(work / f"shared-{digest(protocol.made_once())}", protocol)
    steps: tuple[tuple[str, Callable[[Shared], None]], ...] = (
        ("fine-tuning set", _training_set),
        ("vocabulary", _widen),
        ("fine-tuning", _fine_tune),
        ("questions", _questions),
        ("potential", _potential),
        ("stages", _stages),
    )
    shared.folder.mkdir(parents=True, exist_ok=True)
    shared.split.write_text("".join(f"{task}\n" for task in protocol.tasks.test), encoding="utf-8")
    for name, make in steps:
        done = shared.folder / f".{name.replace(' ', '_')}"
        if not done.exists():
            say(f"{name} ...")
            make(shared)
            done.touch()
    return shared


def evaluate(
    shared: Shared, policy: Path, out: Path, answers: int, log: Path, seed: int = 0, tasks: str | None = None
) -> float:
    """Ask a policy the held-out questions of all tasks, the same ones each time; gives the seconds."""
    protocol = shared.protocol
    command = [*R1CI, "eval", "run", "--policy", policy, "--tasks", tasks or ",".join(protocol.tasks.all)]
    command += ["--split", shared.split, "--difficulty", protocol.levels, "--seed", seed]
    command += ["--per-task", protocol.questions.held_out, "--exclude", shared.policy / "questions_seen.json"]
    command += ["--samples", answers, "--temperature", protocol.evaluation.temperature]
    return run([*command, *_limits(protocol), "--out", out, "--json"], log)


def _limits(protocol: Protocol) -> list[object]:
    limits = protocol.limits
    return [
        *("--response-tokens", limits.response_tokens, "--result-tokens", limits.result_tokens),
        *("--context-tokens", limits.context_tokens, "--code-timeout", limits.code_timeout_s),
        *("--concurrency", 64, "--slots", SLOTS),
    ]


def _log(shared: Shared, name: str) -> Path:
    return shared.folder / "logs" / f"{name}.log"


def _training_set(shared: Shared) -> None:
    protocol, runs = shared.protocol, list[Path]()
    for number, band in enumerate(protocol.sft.bands):
        runs.append(shared.folder / "synthesis" / str(number))
        command: list[object] = [*R1CI, "sft", "synthesize", "--tasks", ",".join(band.tasks), "--forms", band.forms]
        command += ["--per-task", band.per_task, "--difficulty", protocol.levels, "--seed", protocol.sft.seed]
        command += ["--result-tokens", protocol.limits.result_tokens, "--code-timeout", protocol.limits.code_timeout_s]
        run([*command, "--data", shared.data, "--out", runs[-1], "--json"], _log(shared, "synthesis"))
    command = [*R1CI, "sft", "check", *runs, "--max-tokens", protocol.sft.longest, "--out", shared.folder / "sft"]
    # guesses are wanted, and no share of kinds: the bands set it
    command += ["--min-words", 0, "--per-task", 0, "--target", 0]
    command += ["--multi-turn", 0, "--switching", 0, "--repairing", 0, "--json"]
    run(command, _log(shared, "synthesis"))


def _widen(shared: Shared) -> None:
    command = [sys.executable, "-m", "r1ci_plugin.seed_policy.widen", "--set", shared.folder / "sft"]
    run([*command, "--words", shared.protocol.sft.words, "--out", shared.cold], _log(shared, "widen"))


def _fine_tune(shared: Shared) -> None:
    sft, runs = shared.protocol.sft, shared.folder / "runs"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1"]
    command += ["-m", "verl.trainer.sft_trainer", "+recipe=r1ci_sft", override("model.path", shared.cold)]
    command += [f"data.train_batch_size={sft.batch}", f"optim.lr={sft.learning_rate}", "data.truncation=right"]
    command += [f"trainer.total_epochs={sft.epochs}", f"trainer.seed={sft.seed}"]
    run(command, _log(shared, "fine_tuning"), {"R1CI_SFT": shared.folder / "sft", "R1CI_RUNS": runs})
    [step] = (runs / "r1ci_sft" / "latest_checkpointed_iteration.txt").read_text().split()
    shutil.copytree(runs / "r1ci_sft" / f"global_step_{step}" / "huggingface", shared.policy, dirs_exist_ok=True)
    shutil.rmtree(runs)


def _questions(shared: Shared) -> None:
    protocol = shared.protocol
    command = [*R1CI, "data", "build", "--tasks", ",".join(protocol.tasks.all), "--split", shared.split]
    command += ["--questions-per-task", protocol.questions.train, "--validation-per-task", protocol.questions.held_out]
    command += ["--difficulty", protocol.levels, "--exclude", shared.policy / "questions_seen.json"]
    run([*command, "--out", shared.data, "--force", "--json"], _log(shared, "questions"))


def _potential(shared: Shared) -> None:
    potential = shared.protocol.potential
    command = [*R1CI, "potential", "measure", "--policy", shared.policy, "--data", shared.data]
    command += ["--agents", "code_agent", "--samples", potential.answers, "--temperatures", potential.temperature]
    command += [*_limits(shared.protocol), "--out", shared.folder / "potential", "--json"]
    run(command, _log(shared, "potential"))


def _stages(shared: Shared) -> None:
    command = [*R1CI, "stages", "build", "--counts", shared.folder / "potential", "--data", shared.data]
    command += ["--split", shared.split, "--exclude", shared.policy / "questions_seen.json"]
    potential = shared.protocol.potential
    command += ["--answers", potential.answers, "--out", shared.manifest, "--json"]
    run(command + (["--quantiles", potential.equal_groups] if potential.equal_groups else []), _log(shared, "stages"))
    manifest = load_manifest(shared.manifest)
    groups = sorted(group for group in manifest.sizes if group)
    size = min(shared.protocol.training.probe_questions, *(manifest.sizes[group] for group in groups))
    for group in groups:
        write_manifest(_alone(manifest, group, size), shared.folder / f"group_{group}.parquet")


def _alone(manifest: Manifest, group: int, size: int) -> Manifest:
    """`size` questions of one group as the only ones that are trained on."""
    own = [entry.question_id for entry in manifest.entries if entry.group == group]
    chosen = set(Random(group).sample(own, size))
    return make_manifest(
        replace(entry, group=1) if entry.question_id in chosen else replace(entry, group=0, left_out="not chosen")
        for entry in manifest.entries
    )
