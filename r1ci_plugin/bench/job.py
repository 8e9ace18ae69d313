"""What the plugin costs the main job: our job against verl's own single-turn job on the same CPU back end.

Both train the seed policy for a few steps on the same questions, as processes of their own, in turns. verl's job has
its own agent loop, data set, order, reward manager and replay buffer, and none of our checks before the start. Start-up
is the time to the end of the first step, less the median of the later steps: what is made on first use counts as well.
Left out: figures of a GPU.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from r1ci_plugin.bench.figures import Figure
from r1ci_plugin.data.build import build
from r1ci_plugin.data.plan import Plan
from r1ci_plugin.metrics import read_steps
from r1ci_plugin.tasks.splits import get_split

TASKS = ("bbh/boolean_expressions", "reasoning_gym/chain_sum", "reasoning_gym/count_bits", "symbench/letters")
STARTUP, OVERHEAD = "job_startup_beyond_single_turn_s", "job_loop_overhead_share"
BARS = {STARTUP: "<= 3", OVERHEAD: "<= 0.05"}
_STEPS = 6
_LIMIT_S = 600
_COMMON = {
    "trainer.total_training_steps": _STEPS,
    "trainer.val_before_train": "false",
    "trainer.test_freq": -1,
    "trainer.save_freq": -1,
    "r1ci.records.share": 0.05,
}
"""Settings of both jobs."""
_SINGLE_TURN = {
    "~hydra.callbacks.r1ci": None,
    "~data.r1ci": None,
    "data.custom_cls.path": "null",
    "data.custom_cls.name": "null",
    "actor_rollout_ref.rollout.agent.default_agent_loop": "single_turn_agent",
    "~reward.reward_manager.module": None,
    "reward.reward_manager.source": "register",
    "reward.reward_manager.name": "naive",
    "trainer.v1.sampler.custom_sampler.path": "null",
    "trainer.v1.sampler.custom_sampler.name": "null",
    "~trainer.v1.sampler.sampler_kwargs": None,
    "+trainer.v1.sampler.sampler_kwargs": "{}",
}
"""What takes our parts out of a recipe."""
_SCORE = (
    "def score(data_source, solution_str, ground_truth, extra_info, **_):\n    return float(len(solution_str) % 2)\n"
)


@dataclass(frozen=True, slots=True)
class Timing:
    """One job, in seconds."""

    startup: float
    step: float
    """The median of the steps after the first."""
    overhead: float
    """Median over these steps of `overhead_of`; NaN for verl's job."""


def measure(rounds: int) -> list[Figure]:
    """Both figures from so many rounds of the two jobs. Raises RuntimeError with a job's last words if it fails."""
    with tempfile.TemporaryDirectory(prefix="r1ci-bench-job-") as name:
        folder = Path(name)
        data = _questions(folder)
        ours: list[Timing] = []
        single: list[Timing] = []
        for turn in range(rounds):
            order: list[tuple[list[Timing], Mapping[str, Any]]] = [(ours, {}), (single, _single_turn(folder))]
            for taken, changes in order[:: 1 if turn % 2 == 0 else -1]:
                run = folder / f"run{len(ours)}{len(single)}{bool(changes):d}"
                taken.append(_run(run, data, {**_COMMON, **changes}))
    return figures(ours, single)


def figures(ours: Sequence[Timing], single: Sequence[Timing]) -> list[Figure]:
    """The jobs' timings, held against the bars."""
    middle = {
        f"{who}_{what}_s": statistics.median(getattr(timing, what) for timing in timings)
        for who, timings in (("r1ci", ours), ("single_turn", single))
        for what in ("startup", "step")
    }
    beyond = middle["r1ci_startup_s"] - middle["single_turn_startup_s"]
    overhead = statistics.median(timing.overhead for timing in ours)
    detail = {name: round(seconds, 2) for name, seconds in middle.items()}
    return [
        Figure.judged(STARTUP, round(beyond, 2), BARS[STARTUP], rounds=len(ours), **detail),
        Figure.judged(OVERHEAD, round(overhead, 4), BARS[OVERHEAD], steps=_STEPS - 1, rounds=len(ours)),
    ]


def not_measured() -> list[Figure]:
    """What stands in the place of the figures where there is no time for them."""
    return [Figure.judged(name, None, bar, reason="takes minutes: without --quick") for name, bar in BARS.items()]


def overhead_of(step: Mapping[str, Any]) -> float:
    """Share of a step that goes to dispatch, parsing, reward and hand-over: its time of rollouts, less what its slowest
    trajectory waited for tokens and code. NaN where the step's metrics do not say."""
    parts = [step.get(f"r1ci/time/slowest/{name}_s", float("nan")) for name in ("generate", "code")]
    return float((step["timing_s/gen"] - sum(parts)) / step["timing_s/step"])


def _questions(folder: Path) -> Path:
    build(
        Plan.of(get_split("default"), TASKS, questions_per_task=40, validation_per_task=2, levels=(1,)), folder / "data"
    )
    return folder / "data"


def _single_turn(folder: Path) -> dict[str, Any]:
    """Settings of verl's own job; its rows name no agent, and its reward is as cheap as can be."""
    import pyarrow.parquet as parquet

    score, rows = folder / "score.py", folder / "single.parquet"
    score.write_text(_SCORE)
    table = parquet.read_table(folder / "data" / "train.parquet")
    parquet.write_table(table.drop_columns(["agent_name"]), rows)
    return {
        **_SINGLE_TURN,
        "data.train_files": rows,
        "data.val_files": rows,
        "reward.custom_reward_function.path": score,
        "reward.custom_reward_function.name": "score",
    }


def _run(run: Path, data: Path, changes: Mapping[str, Any]) -> Timing:
    logger = "ray_kwargs.ray_init.runtime_env.env_vars.VERL_FILE_LOGGER_PATH"
    settings = {**changes, "trainer.default_local_dir": run, logger: run / "metrics" / "steps.jsonl"}
    overrides = [key if value is None else f"{key}={value}" for key, value in settings.items()]
    command = [sys.executable, "-m", "verl.trainer.main_ppo", "+recipe=r1ci_stage1", *overrides]
    environment = {**os.environ, "R1CI_DATA": str(data), "R1CI_BACKEND": "cpu"}
    (run / "metrics").mkdir(parents=True)
    with (run / "log").open("w") as log:
        started = time.time()
        job = subprocess.Popen(command, cwd=run, env=environment, stdout=log, stderr=log)
        try:
            first = _first_step(run, job, started)
            code = job.wait(timeout=_LIMIT_S)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            job.kill()
    if code != 0:
        raise RuntimeError(f"a job of the benchmark failed: {(run / 'log').read_text()[-2000:]}")
    steps = [step for number, step in read_steps(run).items() if number > 1]
    middle = statistics.median(step["timing_s/step"] for step in steps)
    return Timing(first - started - middle, middle, statistics.median(map(overhead_of, steps)))


def _first_step(run: Path, job: subprocess.Popen[bytes], started: float) -> float:
    """When the first line of metrics was written, on the clock of `time.time`."""
    while job.poll() is None and time.time() < started + _LIMIT_S:
        if any(file.stat().st_size for file in run.glob("metrics/*.jsonl")):
            return time.time()
        time.sleep(0.02)
    return float("nan")
