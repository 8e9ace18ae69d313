"""Building the data set of all tasks against its bars: time, memory, the same bytes twice.

All builds run as the command a user types, in processes of their own, with different seeds of Python's hashing and
different numbers of processes; a first small one warms the file cache and is thrown away. Left out: whether the data is
sound (`r1ci data check`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep

from r1ci_plugin.bench.figures import Figure

QUESTIONS = 200
FEW, SOME = 2, 8
"""Questions a task of the two quick builds: their difference tells what one more question a task costs."""


def measure(quick: bool = False) -> list[Figure]:
    """All figures. Quick builds 2 and 8 questions a task and reckons the time for 200 from the two."""
    count = SOME if quick else QUESTIONS
    with tempfile.TemporaryDirectory() as folder:
        cold, first, second, third = (Path(folder, name) for name in ("cold", "first", "second", "third"))
        build(cold, FEW, workers=0, hash_seed=0)  # a cold start is no cost of a question: quick would multiply it
        seconds, megabytes = build(first, count, workers=0, hash_seed=0)
        build(second, count, workers=2, hash_seed=1)
        same = all((second / file.name).read_bytes() == file.read_bytes() for file in first.iterdir())
        detail = {"measured_s": round(seconds, 1), "questions_per_task": count}
        if quick:
            few, _ = build(third, FEW, workers=0, hash_seed=0)
            seconds = few + max(0.0, seconds - few) / (SOME - FEW) * (QUESTIONS - FEW)
    return [
        Figure.judged("build_s", seconds, "<= 300", **detail),
        Figure.judged("build_peak_mb", megabytes, "<= 1024", **detail),
        Figure.judged("builds_same_bytes", float(same), ">= 1", **detail),
    ]


def build(out: Path, questions: int, workers: int, hash_seed: int) -> tuple[float, float]:
    """Run the command; gives seconds and the peak megabytes of its processes together. Raises CalledProcessError."""
    command = [sys.executable, "-m", "r1ci_plugin", "data", "build", "--json", "--out", str(out)]
    command += ["--questions-per-task", str(questions), "--workers", str(workers)]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    start, peak = perf_counter(), 0.0
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, _resident_mb(process.pid))
            sleep(0.2)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return perf_counter() - start, peak


def _resident_mb(pid: int) -> float:
    """Resident megabytes of a process and its descendants, shared pages counted once (PSS)."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended
        return 0.0
    own = next((int(line.split()[1]) / 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0.0)
    return own + sum(_resident_mb(int(child)) for child in children)
