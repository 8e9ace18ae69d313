"""A pipeline of your own that takes parts of this project by verl's own keys: no recipe of ours, another algorithm.

    python examples/custom_pipeline.py [--folder runs/custom] [--steps 3] [--dry-run] [overrides of verl's keys ...]

It makes question files of two tasks, then trains the seed policy with RLOO in verl's own trainer, on the CPU (61 s on
two busy cores). Ours are only three parts: the multi-turn rollout with code calls, the reward, and the CPU back end.
Data set, sampler, replay buffer and algorithm are verl's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from r1ci_plugin.data.row import SCHEMA, make_row
from r1ci_plugin.stages.plan import override
from r1ci_plugin.tasks import get_task

TASKS = ("reasoning_gym/count_bits", "reasoning_gym/chain_sum")
QUESTIONS = {"train": 24, "validation": 4}
"""Of each task."""
POLICY = Path(__file__).resolve().parents[1] / "r1ci_plugin" / "assets" / "seed_policy"


def write_questions(folder: Path) -> None:
    """train.parquet and validation.parquet; every question comes from its own seed, so none is in both."""
    folder.mkdir(parents=True, exist_ok=True)
    first = 0
    for split, count in QUESTIONS.items():
        questions = [get_task(name).make(seed, difficulty=1) for name in TASKS for seed in range(first, first + count)]
        rows = [make_row(question, split, index) for index, question in enumerate(questions)]
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / f"{split}.parquet")
        first += count


def command(folder: Path, steps: int, overrides: list[str]) -> list[str]:
    """verl's trainer with a configuration of one's own."""
    return [
        *(sys.executable, "-m", "verl.trainer.main_ppo"),
        # --- three parts of ours ---
        "+r1ci_backend@_global_=cpu",
        "actor_rollout_ref.model.external_lib=r1ci_plugin.rollout",
        "reward.reward_manager.source=importlib",
        "reward.reward_manager.name=R1CIRewardManager",
        "reward.reward_manager.module.path=pkg://r1ci_plugin.reward.manager",
        "+r1ci.reward={format: 0.0, long_turns: 0.0}",  # only correctness counts here
        # --- all else is a user's own choice among verl's settings ---
        "algorithm.adv_estimator=rloo",
        override("data.train_files", folder / "train.parquet"),
        override("data.val_files", folder / "validation.parquet"),
        *("data.return_raw_chat=true", "data.dataloader_num_workers=0"),
        *("data.train_batch_size=6", "actor_rollout_ref.actor.ppo_mini_batch_size=6"),
        override("actor_rollout_ref.model.path", POLICY),
        *("actor_rollout_ref.rollout.n=4", "actor_rollout_ref.rollout.calculate_log_probs=true"),
        *("trainer.v1.trainer_mode=sync", "trainer.val_before_train=false"),
        *("trainer.save_freq=-1", "trainer.test_freq=-1"),
        *(f"trainer.total_training_steps={steps}", "trainer.total_epochs=1000"),
        *("trainer.project_name=own", "trainer.experiment_name=custom_pipeline"),
        *(override("trainer.default_local_dir", folder / "run"), "trainer.logger=[console,file]"),
        override("hydra.run.dir", folder / "hydra"),
        *overrides,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/custom"))
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--dry-run", action="store_true", help="compose and print verl's configuration, train nothing")
    arguments, overrides = parser.parse_known_args()
    folder = arguments.folder.absolute()
    write_questions(folder)
    run = command(folder, arguments.steps, [*overrides, *(["--cfg", "job"] if arguments.dry_run else [])])
    metrics = folder / "metrics.jsonl"
    # the CPU platform has to be chosen before verl is imported
    environment = {**os.environ, "R1CI_BACKEND": "cpu", "VERL_FILE_LOGGER_PATH": str(metrics)}
    code = subprocess.run(run, env=environment, check=False).returncode
    if code or arguments.dry_run:
        raise SystemExit(code)
    for line in metrics.read_text(encoding="utf-8").splitlines():
        step = json.loads(line)
        print(f"step {step['step']}: mean reward {step['data']['critic/rewards/mean']:.3f}")


if __name__ == "__main__":
    main()
