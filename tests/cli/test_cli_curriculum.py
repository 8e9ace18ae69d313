"""`r1ci potential` and `r1ci stages`: from counts to a manifest, and one clear line where something is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from r1ci_plugin.cli import potential, stages
from r1ci_plugin.curriculum.counts import Count, write_counts
from r1ci_plugin.curriculum.manifest import load_manifest
from r1ci_plugin.tasks.splits import default_split

runner = CliRunner()
HELD_OUT = default_split().test[0]


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """21 questions, right 0 to 20 times; the last one is of a held-out task."""
    measured = [
        Count(f"q{right:02}", HELD_OUT if right == 20 else "bbh/navigate", 1, agent, 0.7, 10, (right + half) // 2)
        for right in range(21)
        for half, agent in enumerate(("all_text", "all_code"))
    ]
    write_counts(tmp_path / "counts.parquet", measured)
    return tmp_path / "counts.parquet"


def invoke(app: Any, *arguments: object) -> Any:
    return runner.invoke(app, [str(argument) for argument in arguments])


def test_show_tells_each_task_and_suite_and_draws_a_picture(counts: Path, tmp_path: Path) -> None:
    shown = invoke(potential.app, "show", counts, "--json")
    told = json.loads(shown.stdout)
    by_name = {one["name"]: one for one in told["summaries"]}
    assert {"bbh/navigate", HELD_OUT, "all"} <= set(by_name)
    assert by_name["all"]["questions"] == 21 and by_name["all"]["answers"] == 420
    assert by_name["bbh/navigate"]["groups"] == {"1": 13, "2": 2, "3": 2, "4": 3}
    assert sum(size for _, _, size in told["histogram"]) == 21
    plain = invoke(potential.app, "show", counts, "--png", tmp_path / "p.png")
    assert plain.exit_code == 0 and "bbh/navigate" in plain.stdout and "###" in plain.stdout
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_only_the_agents_asked_for_are_shown(counts: Path) -> None:
    told = json.loads(invoke(potential.app, "show", counts, "--agents", "all_text", "--json").stdout)
    assert told["summaries"][-1]["answers"] == 210


def test_a_manifest_is_built_shown_and_compared(counts: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    (tmp_path / "seen.json").write_text('["q10"]')
    built = invoke(
        stages.app, "build", "--counts", counts, "--out", first, "--exclude", tmp_path / "seen.json", "--json"
    )
    assert built.exit_code == 0, built.output
    assert json.loads(built.stdout)["sizes"] == {"0": 2, "1": 12, "2": 2, "3": 2, "4": 3}
    manifest = load_manifest(first)
    assert manifest.by_id["q10"].left_out == "seen in fine-tuning"
    assert manifest.by_id["q20"].left_out == "task held out for the test"
    assert first.with_suffix(".tsv").read_text().startswith(f"# r1ci manifest {manifest.digest}")
    parts = invoke(stages.app, "build", "--counts", counts, "--out", second, "--quantiles", "4")
    assert parts.exit_code == 0 and "wrote" in parts.stdout
    assert load_manifest(second).sizes == {0: 1, 1: 5, 2: 5, 3: 5, 4: 5}
    shown = invoke(stages.app, "show", first)
    assert manifest.digest in shown.stdout and "seen in fine-tuning" in " ".join(shown.stdout.split())
    told = json.loads(invoke(stages.app, "show", first, second, "--json").stdout)
    assert told["old"] == manifest.digest and sum(pair["questions"] for pair in told["flow"]) == 21
    assert "from 1" in invoke(stages.app, "show", first, second).stdout


def test_tasks_are_held_out_by_the_plan_of_the_data_unless_another_split_is_named(counts: Path, tmp_path: Path) -> None:
    rows = [{"extra_info": {"question_id": name}} for name in ("q03", "q20")]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")
    arguments = ("build", "--counts", counts, "--data", tmp_path)
    for plan, split, groups in (
        (None, (), {"q03": 2, "q20": 0}),
        ({"test": []}, (), {"q03": 2, "q20": 4}),
        ({"test": ["bbh/navigate"]}, (), {"q03": 0, "q20": 4}),
        ({"test": []}, ("--split", "default"), {"q03": 2, "q20": 0}),
    ):
        if plan is not None:
            (tmp_path / "build.json").write_text(json.dumps({"plan": plan}))
        built = invoke(stages.app, *arguments, *split)
        assert built.exit_code == 0, built.output
        manifest = load_manifest(tmp_path / "manifest.parquet")
        assert {entry.question_id: entry.group for entry in manifest.entries} == groups
    (tmp_path / "build.json").write_text("{}")
    failed = invoke(stages.app, *arguments)
    assert failed.exit_code == 2 and "holds no plan" in failed.stderr


def test_only_the_questions_of_the_data_are_kept_and_all_of_them_must_be_measured(counts: Path, tmp_path: Path) -> None:
    def data(*names: str) -> None:
        rows = [{"extra_info": {"question_id": name}} for name in names]
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "train.parquet")

    arguments = ("build", "--counts", counts, "--data", tmp_path)
    data("q03", "q04")
    assert invoke(stages.app, *arguments).exit_code == 0
    assert load_manifest(tmp_path / "manifest.parquet").groups == {"q03": 2, "q04": 1}
    data("q03", "q99")
    failed = invoke(stages.app, *arguments)
    assert failed.exit_code == 2 and "q99" in failed.stderr and "r1ci potential measure" in failed.stderr


@pytest.mark.parametrize(
    ("app", "arguments", "says"),
    [
        (potential.app, ["show", "/nonexistent"], "r1ci potential measure"),
        (potential.app, ["show", "COUNTS", "--potential", "nonsense"], "paper"),
        (potential.app, ["show", "COUNTS", "--agents", "nobody"], "no judged answer"),
        (stages.app, ["show", "/nonexistent"], "r1ci stages build"),
        (stages.app, ["build", "--counts", "COUNTS", "--thresholds", "a,b"], "0.64,0.48,0.32"),
        (stages.app, ["build", "--counts", "COUNTS", "--thresholds", "0.3,0.6"], "fall"),
        (stages.app, ["build", "--counts", "COUNTS", "--split", "nonsense"], "default"),
        (stages.app, ["build", "--counts", "COUNTS", "--by", "difficulty"], "how many"),
        (stages.app, ["build", "--counts", "COUNTS", "--quantiles", "99"], "cannot be cut"),
        (stages.app, ["build", "--counts", "COUNTS", "--exclude", "/nonexistent"], "/nonexistent"),
    ],
)
def test_a_mistake_is_one_line(app: Any, arguments: list[str], says: str, counts: Path) -> None:
    failed = invoke(app, *(str(counts) if word == "COUNTS" else word for word in arguments))
    assert failed.exit_code == 2
    assert says in " ".join(failed.stderr.split())
