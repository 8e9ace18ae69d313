"""`r1ci stages run`: what cannot be done is said in one line, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from r1ci_plugin.cli.main import build


def invoke(*arguments: str) -> Result:
    given = ["stages", "run", *arguments]
    return CliRunner().invoke(build(given), given)


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("R1CI_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.mark.parametrize(
    "arguments, line",
    [
        (["--from", "3", "--to", "2"], "error: there are no stages 3 to 2. Mend: choose --from and --to within 1 to 4"),
        (["trainer.resume_mode=disable"], "error: trainer.resume_mode is not free: the stages set it. Mend: leave it"),
        (["--reference", "other"], "error: unknown reference 'other'. Mend: --reference start or sft"),
        (["--from", "2"], "r1ci stages run --from 1"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_what_mends_it(arguments: list[str], line: str, runs: Path) -> None:
    outcome = invoke(*arguments)
    assert outcome.exit_code == 1
    assert line in outcome.output and len(outcome.output.splitlines()) == 1
    assert not list(runs.glob("*/console.log"))


def test_the_number_of_a_stage_that_does_not_exist_is_a_usage_error() -> None:
    assert invoke("--to", "5").exit_code == 2
