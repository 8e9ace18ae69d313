"""`r1ci data`: what people type, and one clear line where they mistype."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import typer
from typer.testing import CliRunner

from r1ci_plugin.cli.data import app, parse_levels
from r1ci_plugin.data.row import SCHEMA, make_row
from r1ci_plugin.tasks import get_task, task_names

runner = CliRunner()
SMALL = ["--questions-per-task", "2", "--validation-per-task", "1", "--workers", "1"]


def test_build_show_and_check_fit_together(tmp_path: Path) -> None:
    build = ["build", "--out", str(tmp_path), "--tasks", "letters, bbh/word_sort*", *SMALL, "--difficulty", "1-2"]
    made = runner.invoke(app, [*build, "--json"])
    assert made.exit_code == 0, made.output
    assert set(json.loads(made.stdout)["tasks"]) == {"symbench/letters", "bbh/word_sorting"}
    shown = runner.invoke(app, ["show", str(tmp_path), "--index", "1", "--json", "--part", _part(tmp_path)])
    assert json.loads(shown.stdout)["extra_info"]["index"] == 1
    checked = runner.invoke(app, ["check", str(tmp_path), "--solve-per-task", "1", "--json"])
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["findings"] == []
    again = runner.invoke(app, build)
    assert again.exit_code == 2 and "--force" in again.stderr
    (tmp_path / "train.parquet").unlink()
    assert runner.invoke(app, ["check", str(tmp_path), "--solve-per-task", "0"]).exit_code == 1


def test_a_damaged_data_set_is_a_finding_and_no_traceback(tmp_path: Path) -> None:
    assert runner.invoke(app, ["build", "--out", str(tmp_path), "--tasks", "letters", *SMALL]).exit_code == 0
    part = tmp_path / f"{_part(tmp_path)}.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    (tmp_path / "build.json").write_text("{}")
    checked = runner.invoke(app, ["check", str(tmp_path), "--solve-per-task", "0", "--json"])
    findings = " ".join(json.loads(checked.stdout)["findings"])
    assert checked.exit_code == 1 and "build.json cannot be read" in findings and f"{part.name} cannot be" in findings
    shown = runner.invoke(app, ["show", str(tmp_path), "--part", part.stem])
    assert shown.exit_code == 2 and "cannot be read" in shown.stderr


def test_a_build_without_a_single_question_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R1CI_BBH_DIR", str(tmp_path / "nothing"))
    made = runner.invoke(app, ["build", "--out", str(tmp_path / "data"), "--tasks", "bbh/snarks", *SMALL])
    assert made.exit_code == 2 and "r1ci data fetch bbh" in made.stderr
    assert not (tmp_path / "data" / "build.json").exists()


def test_what_a_stranger_wrote_does_not_steer_the_terminal(tmp_path: Path) -> None:
    row = make_row(get_task("symbench/letters").make(1, 1), "train", 0)
    row["prompt"][0]["content"] = "\x1b]0;mine\x07 s[:x:2]"
    parquet.write_table(pa.Table.from_pylist([row], SCHEMA), tmp_path / "train.parquet")
    shown = runner.invoke(app, ["show", str(tmp_path)]).stdout
    assert "\x1b" not in shown and "s[:x:2]" in shown


def test_the_table_of_a_build_is_whole_in_80_columns(tmp_path: Path) -> None:
    name = "bbh/tracking_shuffled_objects_seven_objects"
    shown = runner.invoke(app, ["build", "--out", str(tmp_path), "--tasks", name, *SMALL]).stdout
    table = shown.partition("wrote")[0]
    assert name in table and "…" not in table and max(map(len, table.splitlines())) <= 80
    assert re.search(rf"{name} +1-2 +2 +1 +[0-9]{{3,}} +[0-9]{{3,}}", table)


def test_prompts_are_held_against_a_recipe(tmp_path: Path) -> None:
    build = ["build", "--out", str(tmp_path), "--tasks", "letters", *SMALL]
    assert runner.invoke(app, build).exit_code == 0
    check = ["check", str(tmp_path), "--solve-per-task", "0", "--recipe", "r1ci_stage1"]
    fits = runner.invoke(app, check)
    assert fits.exit_code == 0 and "prompt tokens" in fits.stdout
    assert runner.invoke(app, [*check, "--max-prompt-tokens", "9"]).exit_code == 1


def _part(folder: Path) -> str:
    record = json.loads((folder / "build.json").read_text())
    return max(record["files"], key=lambda name: record["files"][name]["questions"]).removesuffix(".parquet")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build", "--tasks", "letrs"], "r1ci tasks list"),
        (["build", "--split", "nonsense"], "default"),
        (["build", "--difficulty", "3-1"], "3-1"),
        (["build", "--tasks", "letters", "--difficulty", "9"], "levels 1 to 5"),
        (["build", "--tasks", "letters", "--out", "/dev/null/below"], "--out"),
        (["build", "--exclude", "/nonexistent.json"], "/nonexistent.json"),
        (["check", "--recipe", "r1ci_stge1"], "r1ci_stge1"),
        (["show", "/nonexistent"], "r1ci data build"),
        (["check", "/nonexistent"], "r1ci data build"),
        (["check", "--max-prompt-tokens", "9"], "--tokenizer"),
        (["fetch", "everything"], "bbh"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(tmp_path: Path, arguments: list[str], says: str) -> None:
    if arguments[0] == "build" and "--out" not in arguments:
        arguments = [*arguments, "--out", str(tmp_path / "out")]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output + result.stderr


@pytest.mark.parametrize(
    ("text", "levels"), [("", ()), ("2", (2,)), ("1-3", (1, 2, 3)), ("4, 1-2", (1, 2, 4)), ("2,2", (2,))]
)
def test_levels_are_read(text: str, levels: tuple[int, ...]) -> None:
    assert parse_levels(text) == levels


@pytest.mark.parametrize("text", ["0", "a", "1-", "-1", "2-1", "1-1000000000", "²"])
def test_other_levels_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_levels(text)


def test_splits_are_shown_for_people_and_programs() -> None:
    shown = json.loads(runner.invoke(app, ["splits", "without_bbh", "--json"]).stdout)
    assert shown["test"] == task_names("bbh/*")
    assert "symbench/letters" in runner.invoke(app, ["splits", "without_bbh"]).stdout


def test_published_test_questions_are_trained_on_only_when_asked(tmp_path: Path) -> None:
    result = runner.invoke(
        app, ["build", "--split", "without_symbench", "--tasks", "snarks", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert "ask not to be trained on" in " ".join(result.stderr.split())


def test_a_tokenizer_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    for name in ("nowhere", str(tmp_path)):
        done = runner.invoke(app, ["check", str(tmp_path), "--tokenizer", name])
        assert done.exit_code == 2, done.output
        assert done.stderr.count("\n") == 1 and "or `seed`" in done.stderr
