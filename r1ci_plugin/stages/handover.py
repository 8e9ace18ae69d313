"""From a finished run to the next stage: its policy as a Hugging Face folder, or its weights under an old reference.

verl copies its reference policy from `actor_rollout_ref.model.path`. To keep the reference at the SFT policy, a stage
keeps that path there and finds the weights of the stage before as its own checkpoint `global_step_0`: verl takes the
step from the folder's name, and without `data.pt` the questions begin anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from r1ci_plugin.checkpoints import TRACKER
from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.run_folder import RunFolder

MERGER = (sys.executable, "-m", "verl.model_merger", "merge", "--backend", "fsdp")


def exported_policy(run: RunFolder, merger: Sequence[str] = MERGER) -> Path:
    """The policy of the newest checkpoint as a Hugging Face folder, merged by verl if the run did not save it so.

    Raises StageFailed.
    """
    checkpoint = run.checkpoint()
    folder = checkpoint / "huggingface"
    if not run.last_step():
        raise StageFailed(f"{run.path} has no checkpoint yet", "train it to the first trainer.save_freq, or to its end")
    if has_weights(folder):
        return folder
    if not any(checkpoint.glob("model_world_size_*.pt")):
        raise StageFailed(
            f"{checkpoint} holds neither a Hugging Face folder nor shards to merge",
            "put model or hf_model in actor_rollout_ref.actor.checkpoint.save_contents",
        )
    merged = checkpoint / "huggingface.merging"
    shutil.rmtree(merged, ignore_errors=True)
    outcome = subprocess.run(
        [*merger, "--local_dir", str(checkpoint), "--target_dir", str(merged)], capture_output=True, text=True
    )
    if outcome.returncode or not has_weights(merged):
        last = (outcome.stderr.strip() or outcome.stdout.strip() or "it said nothing").splitlines()[-1]
        raise StageFailed(
            f"verl could not merge {checkpoint}: {last}",
            f"{' '.join(MERGER)} --local_dir {checkpoint} --target_dir OUT",
        )
    folder.mkdir(exist_ok=True)
    # the index comes last: with it, or with a single file, the weights are whole
    for file in sorted(merged.iterdir(), key=lambda file: file.name.endswith(".index.json")):
        file.replace(folder / file.name)
    merged.rmdir()
    return folder


def has_weights(folder: Path) -> bool:
    """Whether a folder holds a whole set of safetensors."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        files = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return all((folder / file).is_file() for file in files)
    return (folder / "model.safetensors").is_file()


def seed_checkpoint(run: RunFolder, before: RunFolder) -> None:
    """Give a run that has no checkpoint yet the weights of another run as its step 0, without optimizer and data.

    Files are linked where the file system can, else copied. Raises StageFailed.
    """
    tracker = run.path / TRACKER
    if tracker.exists():
        return
    shards = sorted(before.checkpoint().glob("model_world_size_*.pt"))
    if not shards:
        raise StageFailed(
            f"{before.checkpoint()} has no shards of the model, which --reference sft needs",
            "put model in actor_rollout_ref.actor.checkpoint.save_contents, or use --reference start",
        )
    if before.checkpoint().with_name("critic").is_dir():
        raise StageFailed(
            f"{before.path} has a critic, whose weights --reference sft would lose", "use --reference start"
        )
    target = run.path / "global_step_0" / "actor"
    target.mkdir(parents=True, exist_ok=True)
    for shard in shards:
        (target / shard.name).unlink(missing_ok=True)
        try:
            os.link(shard, target / shard.name)
        except OSError:
            shutil.copyfile(shard, target / shard.name)
    partial = tracker.with_suffix(".partial")
    partial.write_text("0")
    partial.replace(tracker)
