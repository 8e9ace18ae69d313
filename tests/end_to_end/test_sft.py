"""Fine-tuning for real, on the CPU back end: from the scripted teacher to a policy that stage 1 can start from.

The run is also started again from a checkpoint at the very end of an epoch, where verl alone would skip the next one
and end without an error. About a minute on two cores.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from r1ci_plugin.checkpoints import TRACKER
from r1ci_plugin.checks.policy import check_model
from r1ci_plugin.sft.training_set import SEEN_FILE, seen_questions

BATCH, STEPS_PER_EPOCH, EPOCHS = 8, 2, 2
TASKS = "bbh/boolean_expressions,reasoning_gym/count_bits,reasoning_gym/chain_sum"


def r1ci(*words: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "r1ci_plugin", "sft", *words], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def fine_tune(folder: Path) -> str:
    """Run the recipe; gives what it said."""
    environment = {**os.environ, "R1CI_BACKEND": "cpu", "R1CI_SFT": str(folder / "set"), "R1CI_RUNS": str(folder)}
    overrides = [
        f"data.train_batch_size={BATCH}",
        f"trainer.total_epochs={EPOCHS}",
        f"trainer.save_freq={STEPS_PER_EPOCH}",
    ]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1"]
    done = subprocess.run(
        [*torchrun, "-m", "verl.trainer.sft_trainer", "+recipe=r1ci_sft", *overrides],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    return said


def steps_logged(run: Path) -> list[int]:
    """Steps in the metrics of the newest start."""
    newest = max((run / "metrics").glob("*.jsonl"), key=lambda file: file.stat().st_mtime)
    return [json.loads(line)["step"] for line in newest.read_text().splitlines()]


@pytest.mark.slow
def test_from_the_scripted_teacher_to_a_policy_and_again_from_the_end_of_an_epoch(tmp_path: Path) -> None:
    r1ci("synthesize", "--tasks", TASKS, "--per-task", "7", "--difficulty", "1", "--out", "synthesis", folder=tmp_path)
    r1ci("check", "synthesis", "--out", "set", "--tokenizer", "seed", "--max-tokens", "1024", folder=tmp_path)

    run = tmp_path / "r1ci_sft"
    assert f"fine-tuned in {STEPS_PER_EPOCH * EPOCHS} steps" in fine_tune(tmp_path)
    assert steps_logged(run) == [1, 2, 3, 4]

    class Model(dict):  # a section of verl's configuration
        path = run / "global_step_4" / "huggingface"

    assert all(finding.ok for finding in check_model(Model(), "model"))
    assert seen_questions(tmp_path / "set") <= seen_questions(Model.path)
    assert (Model.path / SEEN_FILE).is_file()

    shutil.rmtree(run / "global_step_4")
    (run / TRACKER).write_text(str(STEPS_PER_EPOCH))
    assert f"fine-tuned in {STEPS_PER_EPOCH * EPOCHS} steps" in fine_tune(tmp_path)
    assert steps_logged(run) == [3, 4]
