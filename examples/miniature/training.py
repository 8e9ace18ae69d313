"""Training and evaluating one piece, from wherever it stopped, to its result.

A piece goes on where verl's checkpoints let it: a finished stage is not trained again (`r1ci stages run`). Left out:
what is trained with which settings (`pieces.py`), what all pieces share (`shared.py`).
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import result as results
from analysis import BASE
from commands import R1CI, run
from pieces import Piece, overrides, settings_digest, trained_tasks
from protocol import Protocol, digest
from shared import Shared, evaluate

from r1ci_plugin.curriculum.history import FILE, read_history
from r1ci_plugin.curriculum.manifest import load_manifest
from r1ci_plugin.stages.run_folder import RunFolder
from r1ci_plugin.weights import folder_digest

OTHER = "other settings than the protocol's: move it away"


def is_done(protocol: Protocol, piece: Piece, folder: Path) -> bool:
    """Whether the result of a piece is there. Raises ResultError for one of other settings."""
    return _is_done(folder / f"{piece.name}.json", settings_digest(protocol, piece))


def current(protocol: Protocol, folder: Path) -> list[results.Result]:
    """All results of a folder. Raises ResultError for one of other settings than the protocol's."""
    found = results.read_all(folder)
    for one in found:
        if one.settings != settings_of(protocol, one):
            raise results.ResultError(f"the result {one.arm}-{one.seed} in {folder} was made with {OTHER}")
    return found


def settings_of(protocol: Protocol, one: results.Result) -> str | None:
    """The digest of the settings that a result of its name has now; None for an arm the protocol does not have."""
    if one.arm in BASE.values():
        return baseline_digest(protocol, one.arm)
    piece = Piece(one.arm, one.seed, one.learning_rate, one.is_tuning)
    return settings_digest(protocol, piece) if one.arm in protocol.arms else None


def train(shared: Shared, piece: Piece, work: Path, folder: Path, say: Callable[[str], None]) -> results.Result:
    """Bring a piece to its result. Raises CommandFailed; the same call then goes on."""
    protocol, arm = shared.protocol, shared.protocol.arms[piece.arm]
    home = _home(work, piece.name, settings_digest(protocol, piece))
    log = home / "console.log"
    say(f"{piece.name}: training (log: {log})")
    seconds = {"training": _timed(home, lambda: _run_stages(shared, piece, home, log))}
    last = _run_folder(shared, piece, home, arm.runs) / f"global_step_{_last_step(shared, piece, home)}"
    policy = last / "actor" / "huggingface"
    say(f"{piece.name}: evaluating")
    seed = protocol.tuning.questions_seed if piece.is_tuning else 0
    tasks = ",".join(protocol.tasks.train) if piece.is_tuning else None
    seconds["evaluation"] = evaluate(shared, policy, home / "eval", protocol.evaluation.answers, log, seed, tasks)
    answers, behaviour = results.answers_of(home / "eval")
    run_folders = {stage: _run_folder(shared, piece, home, stage) for stage in range(1, arm.runs + 1)}
    steps = [step for stage, run_folder in run_folders.items() for step in results.steps_of(run_folder, stage)]
    if arm.ends_at_budget:
        steps = steps[: _last_step(shared, piece, home)]
    result = results.Result(
        arm=piece.arm,
        seed=piece.seed,
        learning_rate=piece.learning_rate,
        is_tuning=piece.is_tuning,
        settings=settings_digest(protocol, piece),
        start=folder_digest(shared.start_of(piece.arm)),
        tasks=trained_tasks(protocol, arm, piece.seed),
        answers=answers,
        behaviour=behaviour,
        steps=tuple(steps),
        groups=load_manifest(shared.manifest).sizes,
        seconds={name: round(value, 1) for name, value in seconds.items()},
    )
    results.write(result, folder / f"{piece.name}.json")
    for run_folder in run_folders.values():
        for checkpoint in run_folder.glob("global_step_*"):
            shutil.rmtree(checkpoint)
    return result


def baseline_digest(protocol: Protocol, name: str) -> str:
    """Names everything a baseline depends on, but the code."""
    return digest([protocol.made_once(), protocol.evaluation, name])


def measure_baseline(shared: Shared, name: str, work: Path, folder: Path, say: Callable[[str], None]) -> None:
    """The accuracy that gains are measured from, of this very policy: one that was made anew has a baseline anew."""
    protocol = shared.protocol
    settings = baseline_digest(protocol, name)
    policy = shared.cold if name == "cold_start" else shared.policy
    start = folder_digest(policy)
    file = folder / f"{name}-{start[:8]}.json"
    if _is_done(file, settings):
        return
    say(f"{name}: evaluating")
    home = _home(work, file.stem, settings)
    answered = protocol.evaluation.baseline_answers
    seconds = evaluate(shared, policy, home / "eval", answered, home / "console.log")
    answers, behaviour = results.answers_of(home / "eval")
    result = results.Result(
        arm=name,
        seed=0,
        learning_rate=0.0,
        is_tuning=False,
        settings=settings,
        start=start,
        tasks=(),
        answers=answers,
        behaviour=behaviour,
        groups=load_manifest(shared.manifest).sizes,
        seconds={"evaluation": round(seconds, 1)},
    )
    results.write(result, file)


def _home(work: Path, name: str, settings: str) -> Path:
    """Run folders and answers, to look at closely (`r1ci report`, `r1ci eval compare`); the result needs neither."""
    return work / f"{name}-{settings[:8]}"


def _is_done(file: Path, settings: str) -> bool:
    if not file.exists():
        return False
    if results.read(file).settings != settings:
        raise results.ResultError(f"{file} was made with {OTHER}")
    return True


def _run_stages(shared: Shared, piece: Piece, home: Path, log: Path) -> None:
    arm, manifest = shared.protocol.arms[piece.arm], shared.manifest_of(piece.arm)
    command = [*R1CI, "stages", "run", "--from", 1, "--to", arm.runs, "--policy", shared.start_of(piece.arm).absolute()]
    command += overrides(shared.protocol, piece, str(manifest.absolute()))
    first = _run_folder(shared, piece, home, 1)

    def spent() -> bool:
        return arm.ends_at_budget and _sampled(first) > shared.protocol.budget

    if not spent():
        folders = {"R1CI_DATA": shared.data.absolute(), "R1CI_RUNS": first.parent.absolute()}
        run(command, log, folders, ended=spent)


def _timed(home: Path, work: Callable[[], None]) -> float:
    """Seconds of the work, those of earlier sittings that ended before its end included."""
    file, started = home / "seconds", time.monotonic()
    before = float(file.read_text()) if file.exists() else 0.0
    home.mkdir(parents=True, exist_ok=True)
    try:
        work()
    finally:
        file.write_text(str(before + time.monotonic() - started))
    return float(file.read_text())


def _run_folder(shared: Shared, piece: Piece, home: Path, stage: int) -> Path:
    """Where a stage of the piece runs. An ablation is refused in a folder that does not name it."""
    return home / (shared.protocol.arms[piece.arm].ablation or "method") / f"r1ci_stage{stage}"


def _last_step(shared: Shared, piece: Piece, home: Path) -> int:
    """Step of the last run whose policy is the piece's: the newest, or the newest within the budget."""
    arm = shared.protocol.arms[piece.arm]
    run_folder = RunFolder(_run_folder(shared, piece, home, arm.runs))
    step = run_folder.last_step()
    return min(step, _steps_within(run_folder.path, shared.protocol.budget)) if arm.ends_at_budget else step


def _sampled(run_folder: Path) -> int:
    """Trajectories up to the newest step."""
    return sum(line["n"] for line in read_history(run_folder / FILE))


def _steps_within(run_folder: Path, budget: int) -> int:
    """The last step at which no more than the budget was sampled."""
    by_step: Counter[int] = Counter()
    for line in read_history(run_folder / FILE):
        by_step[line["step"]] += line["n"]
    spent, last = 0, 0
    for step, sampled in sorted(by_step.items()):
        spent += sampled
        if spent > budget:
            break
        last = step
    return last
