"""`r1ci doctor` tries every door, ends with 1 where one is shut, and gives one command for each finding."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin import doctor
from r1ci_plugin.checks import Finding

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HERE = {"PYTHONPATH": str(Path(__file__).parents[2])}


def report(done: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_shut_door_is_broken_and_says_why(run: Run, tmp_path: Path) -> None:
    environment = {"VERL_USE_EXTERNAL_PLUGINS": "none"}
    done = run([sys.executable, "-m", "r1ci_plugin", "doctor", "--json"], cwd=tmp_path, env=environment)
    assert done.returncode == 1, done.stderr
    found = report(done)
    assert found["ok"] is False
    broken = [finding for finding in found["findings"] if not finding["ok"]]
    assert broken[0] == {
        "what": "verl does not load the plugin, because VERL_USE_EXTERNAL_PLUGINS=none",
        "ok": False,
        "mend": "unset VERL_USE_EXTERNAL_PLUGINS",
    }


@pytest.mark.slow
def test_a_sound_installation_passes_every_check(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "r1ci_plugin", "doctor", "--json", "--diff"]
    done = run([*command, "r1ci_backend@_global_=cpu"], cwd=tmp_path)
    found = report(done)
    assert (done.returncode, [finding["what"] for finding in found["findings"] if not finding["ok"]]) == (0, [])
    told = " ".join(finding["what"] for finding in found["findings"])
    for words in ("`import verl` loads the plugin", "isolation level", "masks are right", "agent loop", "6 needed"):
        assert words in told
    assert "algorithm.adv_estimator: grpo (verl has gae)" in found["diff"]


@pytest.mark.slow
def test_the_recipe_of_fine_tuning_is_looked_at_as_its_own_trainer_would(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "r1ci_plugin", "doctor", "--json", "--recipe", "r1ci_sft"]
    done = run([*command, "r1ci_sft_backend@_global_=cpu"], cwd=tmp_path, env=HERE)
    found = report(done)
    assert (done.returncode, [finding["what"] for finding in found["findings"] if not finding["ok"]]) == (0, [])
    told = " ".join(finding["what"] for finding in found["findings"])
    assert "r1ci sft synthesize" in told and "masks are right" in told


@pytest.mark.slow
def test_an_unknown_back_end_is_named_and_nothing_behind_it_is_blamed(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "r1ci_plugin", "doctor", "--json"]
    done = run(command, cwd=tmp_path, env={"R1CI_BACKEND": "gpuu", **HERE})
    [finding] = [finding for finding in report(done)["findings"] if not finding["ok"]]
    assert "R1CI_BACKEND=gpuu" in finding["what"] and "R1CI_BACKEND" in finding["mend"]


def test_a_check_that_fails_unforeseen_is_a_finding() -> None:
    def check() -> Any:
        raise RuntimeError("no such thing")

    [finding] = doctor._guarded(check)
    assert not finding.ok
    assert "RuntimeError: no such thing" in finding.what
    assert finding.mend


def test_missing_data_is_a_hint_until_someone_names_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lacking = Finding("there is no data at data/r1ci/train.parquet", False, "r1ci data build --out data/r1ci")
    monkeypatch.setattr(doctor, "check_all", lambda config: [lacking])
    monkeypatch.delenv("R1CI_DATA", raising=False)
    assert [finding.ok for finding in doctor._configuration(None)] == [True]
    monkeypatch.setenv("R1CI_DATA", "data/r1ci")
    assert [finding.ok for finding in doctor._configuration(None)] == [False]
