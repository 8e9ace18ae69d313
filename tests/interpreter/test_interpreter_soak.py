"""A thousand mixed calls at each level, one in twenty hostile, inside the outer shield: nothing of the executor grows.

R1CI_SOAK_CALLS=20000 runs the long form.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parent / "hostile" / "run_soak.py"
CALLS = os.environ.get("R1CI_SOAK_CALLS", "1000")


@pytest.mark.parametrize("level", ["ns", "landlock", "seccomp"])
def test_nothing_grows_over_many_mixed_calls(level: str) -> None:
    command = [sys.executable, str(RUNNER), "--level", level, "--calls", CALLS]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300 + int(CALLS))
    if "no shield" in ended.stderr or "would not be isolated" in ended.stderr:
        pytest.skip(f"this machine allows no shield or not this level: {ended.stderr[-300:]}")
    assert ended.returncode == 0, ended.stdout + ended.stderr[-2000:]
    report = json.loads(ended.stdout)
    assert report["after"]["processes"] >= 16, "host, three templates, two slots of each and their waiting children"
    assert {"timeout", "memory", "error", "killed"} <= set(report["counts"]), "the hostile ones were there"
