"""What the plugin adds to `import verl`, which every process of a job pays, and to a whole job (`job.py`).

Both contenders of the import start a fresh interpreter that imports verl, one with the plugin, one with
VERL_USE_EXTERNAL_PLUGINS=none; the first pair warms the file cache and is thrown away. The interpreter itself times
the import.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points

from r1ci_plugin.bench import job
from r1ci_plugin.bench.figures import Figure, interleaved, medians

BAR = "<= 1.05"
ROUNDS_OF_JOBS = 2
_PROBE = "import time; start = time.process_time(); import verl; print(time.process_time() - start)"


def measure(quick: bool) -> list[Figure]:
    """CPU seconds of `import verl` with the plugin, over those without; and the job's figures, which take five minutes:
    not measured if `quick`."""
    if not any(entry.name == "r1ci" for entry in entry_points(group="verl.plugins")):
        return [Figure.judged("import_verl_ratio", None, BAR, reason="the plugin is not installed: pip install -e .")]
    contenders = {"with_plugin": lambda: import_seconds("r1ci"), "without_plugin": lambda: import_seconds("none")}
    interleaved(contenders, 1)
    taken = interleaved(contenders, 3 if quick else 9)
    middle = medians(taken)
    ratio = middle["with_plugin"] / middle["without_plugin"]
    detail = {f"{name}_cpu_s": round(seconds, 3) for name, seconds in middle.items()}
    figure = Figure.judged("import_verl_ratio", round(ratio, 4), BAR, **detail, rounds=len(taken["with_plugin"]))
    return [figure, *(job.not_measured() if quick else job.measure(ROUNDS_OF_JOBS))]


def import_seconds(plugins: str) -> float:
    """CPU seconds (of the process, all threads) that a fresh interpreter takes to import verl with these plugins."""
    environment = {**os.environ, "VERL_USE_EXTERNAL_PLUGINS": plugins, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return float(done.stdout.split()[-1])
