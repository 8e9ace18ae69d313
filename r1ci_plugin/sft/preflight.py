"""The watch over a fine-tuning run: a Hydra callback that the recipe sets.

Before the start it says in one line what runs where, and stops with one line for each thing that is missing. After the
end it counts: verl ends with exit code 0 when it resumes at the end of an epoch and skips the next one
(github.com/volcengine/verl/issues/7401), so the steps done are compared with the steps there were to do. Then it leaves
the ids of all questions seen in the policy's folder, so that no stage trains on them. Left out: the checks it shares
with the stages (`checks/`).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from r1ci_plugin import backend
from r1ci_plugin.checkpoints import newest_step
from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.checks.policy import check_model
from r1ci_plugin.checks.process import check_run_folder, check_section, check_verl, other_back_end
from r1ci_plugin.data.files import data_files
from r1ci_plugin.preflight import prepare_run_folder, running_module, say, stop_on
from r1ci_plugin.sft.training_set import SEEN_FILE, seen_questions


class SFTPreflight(Callback):  # type: ignore[misc]  # hydra's classes count as Any
    """Checks the job before it starts, and the steps it took after it ends; exit code 1 and plain lines for a fault."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Called by Hydra with the composed configuration, in every process that torchrun started."""
        folder = Path(config.trainer.default_local_dir).absolute()
        if _is_first():
            say(announcement(config))
            stop_on(check_all(config))
            prepare_run_folder(config)
            begin_epoch_afresh(folder, steps_per_epoch(config), expected_steps(config))
        os.environ["VERL_FILE_LOGGER_PATH"] = str(folder / "metrics" / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}.jsonl")

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Called by Hydra when the trainer has returned or raised."""
        if job_return.status is not JobStatus.COMPLETED or not _is_first():
            return
        stop_on(check_done(config))
        policy = policy_folder(config)
        hand_on_questions(config, policy)
        say(f"fine-tuned in {expected_steps(config)} steps: {policy}")
        say(f"train it by: python -m verl.trainer.main_ppo +recipe=r1ci_stage1 actor_rollout_ref.model.path={policy}")


def announcement(config: Any) -> str:
    """The one line at start."""
    choice = backend.choose()
    other = "cpu" if choice.backend == "gpu" else "gpu"
    return (
        f"FINE-TUNING, BACK END {choice.backend.upper()} ({choice.reason}; other choice: {backend.SFT_GROUP}={other}) "
        f"| policy {config.model.path} | set {config.data.train_files} | run folder {config.trainer.default_local_dir}"
    )


def check_all(config: Any) -> Iterator[Finding]:
    """All findings on a composed configuration, the cheapest and most telling first."""
    yield from check_verl(config)
    yield from check_section(config)
    yield from check_start(config)
    yield from check_run_folder(config)
    yield from check_model(config.model, "model")
    yield from check_set(config)


def check_start(config: Any) -> Iterator[Finding]:
    """The recipe's back end is that of this process, and torchrun has started it where it must."""
    from verl.utils.device import get_device_name

    device = get_device_name()
    if (config.trainer.device == "cpu") != (device == "cpu"):
        yield other_back_end("cpu" if config.trainer.device == "cpu" else "gpu", device)
    elif running_module() == "verl.trainer.main_ppo":
        command = f"torchrun --standalone --nproc_per_node={config.trainer.n_gpus_per_node} -m verl.trainer.sft_trainer"
        yield broken("this recipe is for verl's SFT trainer, not for main_ppo", f"{command} {' '.join(sys.argv[1:])}")
    elif running_module() == "verl.trainer.sft_trainer" and "RANK" not in os.environ:
        command = f"torchrun --standalone --nproc_per_node={config.trainer.n_gpus_per_node} -m {running_module()}"
        yield broken("the trainer has to be started by torchrun", f"{command} {' '.join(sys.argv[1:])}")
    elif running_module() == "verl.trainer.sft_trainer_ray" and device == "cpu":
        yield broken("verl's Ray form of fine-tuning needs GPUs", "start verl.trainer.sft_trainer by torchrun")
    else:
        yield ok(f"the trainer runs on {device}")


def check_set(config: Any) -> Iterator[Finding]:
    """The set is there and fills a batch."""
    import pyarrow.parquet as parquet

    for file in _files(config):
        make = f"r1ci sft synthesize && r1ci sft check --out {file.parent}"
        if not file.is_file():
            yield broken(f"there is no fine-tuning set at {file}", make)
            return
        if "trajectory" not in parquet.read_schema(file).names:
            yield broken(f"{file} is no fine-tuning set: it has no column trajectory", make)
            return
    rows, batch = count_rows(config), config.data.train_batch_size
    if rows < batch:
        yield broken(
            f"the set has {rows} trajectories, fewer than one batch of {batch}", f"data.train_batch_size={rows}"
        )
    else:
        yield ok(f"the set has {rows} trajectories")


def check_done(config: Any) -> Iterator[Finding]:
    """Every step that was to do was done, and the policy is there."""
    folder = Path(config.trainer.default_local_dir)
    done, expected = newest_step(folder) or 0, expected_steps(config)
    if done != expected:
        yield broken(
            f"{done} of {expected} steps were done, though the trainer ended without an error",
            "start the same command again: it goes on from the last checkpoint",
        )
    elif not (policy_folder(config) / "config.json").is_file():
        yield broken(f"there is no policy at {policy_folder(config)}", "checkpoint.save_contents must name hf_model")
    else:
        yield ok(f"{done} steps were done")


def steps_per_epoch(config: Any) -> int:
    """Whole batches in the set; verl leaves out the rest (drop_last)."""
    return int(count_rows(config) // config.data.train_batch_size)


def expected_steps(config: Any) -> int:
    """Optimizer steps of the whole run, as verl counts them."""
    total = config.trainer.total_training_steps
    return int(total) if total is not None else steps_per_epoch(config) * int(config.trainer.total_epochs)


def count_rows(config: Any) -> int:
    """Trajectories in the set."""
    import pyarrow.parquet as parquet

    rows = sum(int(parquet.ParquetFile(file).metadata.num_rows) for file in _files(config))
    most = int(config.data.get("train_max_samples", -1))
    return min(rows, most) if most > 0 else rows


def begin_epoch_afresh(folder: Path, steps_per_epoch: int, expected: int) -> None:
    """Where the newest checkpoint was taken at the very end of an epoch, set its data loader's state aside.

    With that state verl would go on after the end of the epoch, and so skip the whole next one; without it, it starts
    the next.
    """
    done = newest_step(folder) or 0
    if done in (0, expected) or done % steps_per_epoch:
        return
    for state in (folder / f"global_step_{done}").glob("data_*.pt"):
        state.rename(state.with_suffix(".end_of_epoch"))


def policy_folder(config: Any) -> Path:
    """The exported policy of the last step, as a Hugging Face folder."""
    folder = Path(config.trainer.default_local_dir).absolute()
    return folder / f"global_step_{newest_step(folder) or 0}" / "huggingface"


def hand_on_questions(config: Any, policy: Path) -> None:
    """Write the ids of the questions that the set and the policy it started from have used into the policy's folder."""
    seen = seen_questions(Path(os.path.expanduser(config.model.path)))
    for file in _files(config):
        seen |= seen_questions(file.parent)
    (policy / SEEN_FILE).write_text(json.dumps(sorted(seen), separators=(",", ":")), encoding="utf-8")


def _files(config: Any) -> list[Path]:
    return list(data_files(config, ["train_files"]))


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"
