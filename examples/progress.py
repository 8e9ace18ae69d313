"""Show how a run of a recipe gets on, from the files it writes: its console log and its metrics.

python examples/progress.py RUN_FOLDER --pid PID      follows a running job until it ends
python examples/progress.py RUN_FOLDER --summary      what came out: accuracy of the first and last ten steps
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

from r1ci_plugin.metrics import Metrics, read_steps, validation_acc

WINDOW = 10
"""Steps that are averaged at either end."""

STAGES = (
    ("Started a local Ray instance", "Ray is up"),
    ("train and validate dataloader initialized", "questions are loaded"),
    ("Creating file logger", "policy and engines are loaded; the first validation runs"),
)
"""What verl says on the way to the first step, and what it means."""


def describe(step: int, metrics: Metrics) -> str:
    parts = [f"step {step:3d}"]
    if "r1ci/reward/acc" in metrics:
        acc = metrics["r1ci/reward/acc"]
        parts.append(f"acc {acc:.3f} {'#' * round(40 * acc):40s} {metrics.get('timing_s/step', 0.0):5.1f} s")
    if (held_out := validation_acc(metrics)) is not None:
        parts.append(f"held-out questions: acc {held_out:.3f}")
    return "  ".join(parts)


def follow(run: Path, pid: int) -> None:
    """Print what is new until the process ends."""
    log, start = run / "console.log", time.time()
    offset = max(0, log.stat().st_size - 4096) if log.exists() and time.time() - log.stat().st_mtime > 5 else 0
    shown = set(read_steps(run))
    while True:
        ended = not _alive(pid)
        if log.exists():
            with log.open("rb") as file:
                file.seek(offset)
                text = file.read()
            complete = text[: text.rfind(b"\n") + 1]
            offset += len(complete)
            for line in complete.decode(errors="replace").splitlines():
                _show_line(line, time.time() - start)
        steps = read_steps(run)
        for step in sorted(set(steps) - shown):
            print(describe(step, steps[step]), flush=True)
            shown.add(step)
        if ended:
            return
        time.sleep(1)


def _show_line(line: str, seconds: float) -> None:
    if line.startswith("r1ci: "):
        print(line, flush=True)
    for words, meaning in STAGES:
        if words in line:
            print(f"[{seconds:4.0f} s] {meaning}", flush=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def summary(run: Path) -> str:
    steps = read_steps(run)
    accs = [steps[step]["r1ci/reward/acc"] for step in sorted(steps) if "r1ci/reward/acc" in steps[step]]
    lines = []
    if accs:
        first, last = accs[:WINDOW], accs[-WINDOW:]
        lines += [
            f"mean acc of the first {len(first)} steps: {statistics.mean(first):.3f}",
            f"mean acc of the last {len(last)} steps:  {statistics.mean(last):.3f}",
        ]
    held_out = [(step, acc) for step in sorted(steps) if (acc := validation_acc(steps[step])) is not None]
    lines += [f"held-out questions, step {step}: acc {acc:.3f}" for step, acc in held_out]
    lines += [
        f"figures of every step: {run}/metrics/",
        f"answers to the held-out questions: {run}/validation/",
        f"the trained policy, for transformers: {run}/global_step_{max(steps, default=0)}/actor/huggingface/",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--summary", action="store_true")
    arguments = parser.parse_args()
    if arguments.pid:
        follow(arguments.run, arguments.pid)
    if arguments.summary:
        print(summary(arguments.run))


if __name__ == "__main__":
    main()
