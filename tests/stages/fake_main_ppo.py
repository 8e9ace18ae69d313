"""Stands for verl's main_ppo: resumes as verl does and writes the files verl and the recipe write, without training.

python fake_main_ppo.py WORLD +recipe=r1ci_stageN [overrides]

A policy is one number, every step adds one. `WORLD/orders_N.json` says what goes wrong, once: {"die": POINT} kills the
process with SIGKILL at a point (config, start, metrics1, checkpoint2, ...), {"wait": POINT} waits there for the file
`WORLD/go`, {"say": ...} overrides keys of the start line, {"stop_after": N} ends well after step N, {"fail": TEXT} ends
with an error, {"lose_metrics": [N]} logs nothing at a step, {"save_hf": false} saves shards alone.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from safetensors.numpy import load_file, save_file

from r1ci_plugin.curriculum.manifest import load_manifest
from r1ci_plugin.curriculum.starts import Start, append_start

WORLD = Path(sys.argv[1])
FACTS = json.loads((WORLD / "world.json").read_text())
VALUES = dict(argument.lstrip("+").split("=", 1) for argument in sys.argv[2:])
SETTINGS = {key: value.strip("'") for key, value in VALUES.items()}
STAGE = int(SETTINGS["recipe"].removeprefix("r1ci_stage"))
RUN = Path(os.environ["R1CI_RUNS"]) / f"r1ci_stage{STAGE}"
STEPS = int(SETTINGS.get("trainer.total_training_steps", FACTS["steps"]))
ORDERS_FILE = WORLD / f"orders_{STAGE}.json"
ORDERS: dict[str, Any] = json.loads(ORDERS_FILE.read_text()) if ORDERS_FILE.exists() else {}


def reach(point: str) -> None:
    if ORDERS.get("die") == point:
        os.kill(os.getpid(), signal.SIGKILL)
    while ORDERS.get("wait") == point and not (WORLD / "go").exists():
        time.sleep(0.02)


def write_config(time_of_start: str) -> tuple[str, str]:
    manifest = SETTINGS.get("r1ci.manifest", f"{FACTS['data']}/manifest.parquet")
    before = RUN.with_name(f"r1ci_stage{STAGE - 1}")
    policy = SETTINGS.get("actor_rollout_ref.model.path", f"{before}/global_step_{STEPS}/actor/huggingface")
    config = {
        "r1ci": {"stage": STAGE, "manifest": manifest},
        "trainer": {"total_training_steps": STEPS, "default_local_dir": str(RUN)},
        "data": {"train_files": f"{FACTS['data']}/train.parquet", "max_response_length": 77},
        "actor_rollout_ref": {"model": {"path": policy}},
    }
    folder = RUN / "hydra" / time_of_start / ".hydra"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / "overrides.yaml").write_text(json.dumps(sys.argv[2:]))
    return manifest, policy


def resume(policy: str) -> tuple[int, int]:
    """Step and value, as verl finds them: the newest checkpoint, whoever put it there, else the policy."""
    tracker = RUN / "latest_checkpointed_iteration.txt"
    if tracker.exists():
        step = int(tracker.read_text())
        file = RUN / f"global_step_{step}" / "actor" / "model_world_size_1_rank_0.pt"
        if SETTINGS.get("actor_rollout_ref.actor.checkpoint.load_contents") != "[model]":
            file.with_name("optim_world_size_1_rank_0.pt").read_text()  # verl fails where it is missing
        return step, int(json.loads(file.read_text()))
    return 0, int(load_file(Path(policy) / "model.safetensors")["w"][0, 0])


def say_start(step: int, value: int, manifest: str) -> None:
    groups: dict[int, int] = {}
    for group in parquet.read_table(manifest)["group"].to_pylist():
        if 0 < group <= STAGE:
            groups[group] = groups.get(group, 0) + 1
    start = {"step": step, "stage": STAGE, "manifest": load_manifest(manifest).digest, "groups": groups}
    append_start(RUN, Start(**{**start, "weights": FACTS["digests"][value], **ORDERS.get("say", {})}))


def save(step: int, value: int) -> None:
    actor = RUN / f"global_step_{step}" / "actor"
    shutil.rmtree(actor, ignore_errors=True)
    (actor / "huggingface").mkdir(parents=True)
    (actor / "model_world_size_1_rank_0.pt").write_text(str(value))
    (actor / "optim_world_size_1_rank_0.pt").write_text("")
    if ORDERS.get("save_hf", True):
        weights = {"w": np.full((2, 2), value, dtype=np.float32)}
        save_file(weights, actor / "huggingface" / "model.safetensors")
    reach(f"torn_checkpoint{step}")
    (RUN / "latest_checkpointed_iteration.txt").write_text(str(step))


def main() -> None:
    with (WORLD / "jobs.txt").open("a") as file:
        file.write(f"{STAGE}\n")
    ORDERS_FILE.unlink(missing_ok=True)
    time_of_start = f"{time.time_ns()}"
    manifest, policy = write_config(time_of_start)
    reach("config")
    if text := ORDERS.get("fail"):
        sys.exit(text)
    step, value = resume(policy)
    (RUN / "metrics").mkdir(exist_ok=True)
    with (RUN / "metrics" / f"{time_of_start}.jsonl").open("w", buffering=1) as log:
        log.write(json.dumps({"step": step, "data": {"val-core/x/acc/mean@1": 0.5}}) + "\n")
        began = step
        while step < min(STEPS, ORDERS.get("stop_after", STEPS)):
            step, value = step + 1, value + 1
            if step == began + 1:
                say_start(step - 1, value - 1, manifest)
                reach("start")
            if step % FACTS["save_every"] == 0 or step == STEPS:
                save(step, value)
                reach(f"checkpoint{step}")
            if step not in ORDERS.get("lose_metrics", []):
                log.write(json.dumps({"step": step, "data": {"actor/grad_norm": 1.0, "r1ci/reward/acc": 0.5}}) + "\n")
            reach(f"metrics{step}")
    reach("end")


if __name__ == "__main__":
    main()
