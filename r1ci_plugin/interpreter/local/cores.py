"""How many cores this process may really use: its affinity, and what its control group allows."""

from __future__ import annotations

import math
import os
from pathlib import Path


def available_cores(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Whole cores, at least 1. quota_file: "QUOTA PERIOD" or "max PERIOD", in microseconds; it may be missing."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text().split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass
    return max(1, cores)
