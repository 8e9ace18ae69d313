"""The stage driver: from wherever it stopped, brings the stages of a plan to their checked end, one after another.

Every stage is verl's own job, `python -m verl.trainer.main_ppo +recipe=r1ci_stageN`, as a person would start it. What
is finished is in `stages.json`; everything else is read from the run folders, so the driver may be killed at any
moment, the job with it or not. Left out: printing (`cli/stages_run.py`).
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from r1ci_plugin.curriculum.starts import Start
from r1ci_plugin.stages.check import AGAIN, Expected, check_end, check_start
from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.handover import MERGER, exported_policy, seed_checkpoint
from r1ci_plugin.stages.plan import LOAD_CONTENTS, MANIFEST, POLICY, Plan, override
from r1ci_plugin.stages.process import Job
from r1ci_plugin.stages.remeasure import R1CI, remeasure
from r1ci_plugin.stages.run_folder import RunFolder
from r1ci_plugin.stages.state import Finished, State
from r1ci_plugin.weights import NoWeights, digest_of, folder_digest

MAIN_PPO = (sys.executable, "-m", "verl.trainer.main_ppo")


@dataclass(frozen=True, slots=True)
class Commands:
    """The programs the driver starts; tests put their own in place."""

    main_ppo: Sequence[str] = MAIN_PPO
    r1ci: Sequence[str] = R1CI
    merger: Sequence[str] = MERGER


class Driver:
    """Drives one plan in one runs folder.

    say: told each event in one line. on_step: told (stage, step, steps to take) while a stage trains.
    """

    def __init__(
        self,
        plan: Plan,
        runs: Path,
        *,
        say: Callable[[str], None] = print,
        on_step: Callable[[int, int, int], None] = lambda stage, step, total: None,
        commands: Commands = Commands(),  # immutable
        poll_s: float = 1.0,
    ) -> None:
        self._plan = plan
        self._runs = runs.absolute()
        self._say = say
        self._on_step = on_step
        self._commands = commands
        self._poll_s = poll_s

    def run(self) -> list[Finished]:
        """Bring every stage of the plan to its end. Raises StageFailed; the same call then goes on where it stopped."""
        self._runs.mkdir(parents=True, exist_ok=True)
        with _only_driver(self._runs):
            self._state = State(self._runs)
            before = self._stage_before(self._plan.first)
            done = []
            for stage in range(self._plan.first, self._plan.last + 1):
                before = self._finished(stage, before) or self._train(stage, before)
                done.append(before)
            return done

    def _run_folder(self, stage: int) -> RunFolder:
        return RunFolder(self._runs / f"r1ci_stage{stage}")

    def _stage_before(self, first: int) -> Finished | None:
        """The stage the first one starts from, also where it was trained by hand; None for stage 1."""
        if first == 1:
            return None
        stage = first - 1
        if finished := self._state.get(stage):
            return finished
        run = self._run_folder(stage)
        if not run.launches():
            raise StageFailed(
                f"stage {first} starts from the policy of stage {stage}, and {run.path} holds none",
                f"r1ci stages run --from {stage}",
            )
        self._say(f"stage {stage} was not trained by this command: checking {run.path}")
        return self._conclude(stage, Expected(stage), run.settings().overrides)

    def _finished(self, stage: int, before: Finished | None) -> Finished | None:
        """What is written down of a stage, if its policy is still there. Raises StageFailed if it began with another
        policy than the one it would begin with now."""
        finished = self._state.get(stage)
        if finished is None or not Path(finished.policy).is_dir():
            return None
        begin = before.weights if before is not None else self._plan.policy and digest_of(self._plan.policy)
        if begin is not None and finished.began_with != begin:
            raise StageFailed(
                f"stage {stage} is finished, but it began with another policy than it would begin with now",
                f"move {self._run_folder(stage).path} away, then {AGAIN}",
            )
        self._say(f"stage {stage} is finished ({finished.steps} steps, {finished.policy})")
        if finished.overrides != self._plan.overrides:
            self._say(f"  note: it was trained with other overrides: {' '.join(finished.overrides) or 'none'}")
        return finished

    def _train(self, stage: int, before: Finished | None) -> Finished:
        if before is not None:
            _refuse_changed_policy(before)
        run = self._run_folder(stage)
        expected, settings = self._start_of(stage, run, before)
        job = Job.find(run.path)
        if job is not None:
            self._say(f"stage {stage} is still running from an earlier command: following it")
            self._follow(job, run, expected)
        if job is None or not _has_ended(run):
            self._follow(self._launch(stage, run, settings), run, expected)
        return self._conclude(stage, expected, self._plan.overrides)

    def _start_of(self, stage: int, run: RunFolder, before: Finished | None) -> tuple[Expected, list[str]]:
        """What the stage must begin with, and the overrides that make it so."""
        plan = self._plan
        policy = before.policy if before is not None else plan.policy
        settings = []
        if before is not None and plan.remeasure:
            settings.append(override(MANIFEST, self._manifest_for(stage, run, before)))
        if before is not None and plan.reference == "sft":
            policy = plan.policy or self._run_folder(1).settings().policy
            seed_checkpoint(run, self._run_folder(stage - 1))
            if not run.last_step():  # the optimizer of the stage before stays behind; our own is taken up again
                settings.append(override(LOAD_CONTENTS, "[model]"))
        if policy is not None:
            settings.append(override(POLICY, policy))
        return Expected(stage, policy, before.weights if before is not None else None), settings

    def _manifest_for(self, stage: int, run: RunFolder, before: Finished) -> Path:
        out = self._runs / f"remeasured_before_stage{stage}_{before.weights[:8]}"  # a stage trained again is another
        if run.starts():
            return out / "manifest.parquet"  # it is being trained on
        self._say(f"measuring potential with the policy of stage {stage - 1}")
        last = self._run_folder(stage - 1).settings()
        return remeasure(Path(before.policy), last, out, self._commands.r1ci)

    def _launch(self, stage: int, run: RunFolder, settings: Sequence[str]) -> Job:
        command = [*self._commands.main_ppo, f"+recipe=r1ci_stage{stage}", *self._plan.overrides, *settings]
        step = run.last_step()
        self._say(f"stage {stage} {f'goes on at step {step}' if step else 'starts'} (log: {run.console})")
        return Job.start(command, run.path, run.console, {**os.environ, "R1CI_RUNS": str(self._runs)})

    def _follow(self, job: Job, run: RunFolder, expected: Expected) -> None:
        """Wait for the end of a job; stop it at once if it began wrong, or if this process is told to end."""
        seen, checked, reported = run.starts(), False, 0
        try:
            while job.is_alive():
                if not checked and (starts := run.starts()) != seen:
                    checked = True
                    check_start(run, expected)
                    self._say(f"stage {expected.stage} {_began(starts[-1])}")
                reported = self._report(run, expected.stage, reported)
                time.sleep(self._poll_s)
        except BaseException:
            job.stop()
            raise
        self._report(run, expected.stage, reported)
        if job.code:
            step = run.last_step()
            raise StageFailed(
                f"stage {expected.stage} ended with exit code {job.code}: {job.last_words()}",
                f"read {run.console}, then {AGAIN}" + (f": it goes on at step {step}" if step else ""),
            )

    def _report(self, run: RunFolder, stage: int, reported: int) -> int:
        """Report the newest step unless it was reported, and return it: reading settings takes time from the job."""
        step = max(run.updated_steps(), default=reported)
        if step > reported:
            self._on_step(stage, step, run.settings().total_steps or step)
        return step

    def _conclude(self, stage: int, expected: Expected, overrides: tuple[str, ...]) -> Finished:
        """Check a stage at its end and write it down."""
        run = self._run_folder(stage)
        starts = check_end(run, expected)
        settings = run.settings()
        policy = exported_policy(run, self._commands.merger)
        fresh = next(start for start in starts if start.step == 0)
        began_with = expected.weights or fresh.weights or digest_of(settings.policy)
        finished = Finished(
            stage=stage,
            steps=run.last_step(),
            policy=str(policy),
            weights=folder_digest(policy),
            began_with=began_with,
            seen_in_engine=fresh.weights is not None,
            manifest=starts[-1].manifest,
            groups=starts[-1].groups,
            recipe=settings.digest,
            overrides=overrides,
            ended=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        self._state.put(finished)
        self._say(f"stage {stage} is finished and checked: {finished.steps} steps, policy {policy}")
        if finished.weights == began_with:
            self._say("  note: its policy has the weights it began with: nothing was learned")
        return finished


@contextmanager
def _only_driver(runs: Path) -> Iterator[None]:
    """One driver a runs folder; the kernel drops the lock when it dies."""
    with (runs / ".stages.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StageFailed(
                f"another `r1ci stages run` works in {runs}", "wait for it, or set R1CI_RUNS=FOLDER for a second one"
            ) from None
        yield


def _refuse_changed_policy(before: Finished) -> None:
    try:
        found = folder_digest(Path(before.policy))
    except NoWeights as error:
        found = str(error)
    if found != before.weights:
        raise StageFailed(
            f"the policy of stage {before.stage} is not the one it ended with ({before.policy}: {found[:80]})",
            f"restore the folder, or move {Path(before.policy).parents[2]} away and train the stage again",
        )


def _has_ended(run: RunFolder) -> bool:
    return bool(run.launches()) and run.last_step() >= (run.settings().total_steps or 0)


def _began(start: Start) -> str:
    rows = ", ".join(f"{rows} of group {group}" for group, rows in start.groups.items())
    where = f"went on at step {start.step}" if start.step else "began at step 0"
    return f"{where} on {sum(start.groups.values())} questions ({rows})"
