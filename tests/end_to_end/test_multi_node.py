"""The example of many nodes, as a user runs it: two Ray nodes, two nodes of executors, and one of those dies in the
middle of a step. About a minute and a half on two cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.journal import read_lines
from r1ci_plugin.record import Record

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "multi_node" / "one_machine.py"


@pytest.mark.slow
def test_a_node_of_executors_dies_in_the_middle_of_a_step_and_costs_nothing(small_data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    few = ["trainer.total_training_steps=3", "actor_rollout_ref.rollout.n=4"]
    done = subprocess.run(
        [sys.executable, SCRIPT, small_data, run, *few],
        env={**os.environ, "R1CI_BACKEND": "cpu"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    console = (run / "console.log").read_text()
    assert done.returncode == 0, done.stdout + done.stderr + console[-4000:]
    assert "now it dies" in done.stdout and " 0 trajectories were lost" in done.stdout
    assert "fit for the job (2 nodes)" in console and "ip=127.0.0.3" in console  # work was done on either node

    records = [Record.from_dict(line) for file in (run / "trajectories").glob("train-*") for line in read_lines(file)]
    assert len(records) == 3 * 4 * 4
    calls: list[Any] = [call for record in records for call in record.trajectory.calls]
    assert {call.result.backend for call in calls} == {"remote"} and len({call.result.endpoint for call in calls}) == 2
    assert not [call for call in calls if call.result.status == "sandbox_error"]
    again = [call for call in calls if call.result.attempts > 1]
    assert again and len({call.result.endpoint for call in again}) == 1  # the one that lives answered
