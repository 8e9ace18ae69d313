"""The hostile list, once at every level, inside its outer shield. The repeats are run by command; see
docs/interpreter.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parent / "hostile" / "run_hostile.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(RUNNER), *arguments], capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize(("level", "more"), [("ns", []), ("landlock", ["--docker"]), ("seccomp", ["--old-kernel"])])
def test_no_hostile_case_escapes_survives_or_harms_the_next_call(level: str, more: list[str]) -> None:
    ended = run("--level", level, *more)
    if "no shield" in ended.stderr or "does not work here" in ended.stdout + ended.stderr:
        pytest.skip(f"this machine allows no shield or not this level: {ended.stderr[-300:]}")
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]


def test_the_list_refuses_to_run_outside_the_shield() -> None:
    ended = run("--level", "ns", "--inside")
    assert ended.returncode != 0
    assert "refusing to run the hostile list" in ended.stderr
