"""`r1ci tasks`: what a person and a program see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from r1ci_plugin.cli.tasks import app
from r1ci_plugin.tasks import task_names
from r1ci_plugin.tasks.base import Definitions
from r1ci_plugin.tasks.gallery import write_gallery
from r1ci_plugin.tasks.registry import SUITES
from r1ci_plugin.tasks.symbench.game24 import Game24

runner = CliRunner()


def test_list_names_every_task_of_a_suite() -> None:
    listed = json.loads(runner.invoke(app, ["list", "--suite", "symbench", "--json"]).stdout)["tasks"]
    assert [info["name"] for info in listed] == task_names("symbench/*")
    assert "33 of" in runner.invoke(app, ["list", "--suite", "symbench"]).stdout


def test_list_says_where_a_task_comes_from_and_what_it_is_twin_of() -> None:
    listed = {info["name"]: info for info in json.loads(runner.invoke(app, ["list", "--json"]).stdout)["tasks"]}
    assert len(listed) == 144
    game24 = listed["symbench/game24"]
    assert (game24["suite"], game24["twins"]) == ("symbench", ["reasoning_gym/countdown"])
    assert game24["licence"] and game24["source"] and not game24["human_label"] and listed["bbh/snarks"]["human_label"]
    stated = [name for name, info in listed.items() if info["membership"] == "stated"]
    assert [sum(name.startswith(f"{suite}/") for name in stated) for suite in SUITES] == [18, 27, 2]


def test_list_fits_into_80_columns_with_every_name_whole() -> None:
    shown = runner.invoke(app, ["list"]).stdout
    assert all(name in shown for name in task_names()) and "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "list of 144 tasks is not public" in shown


def test_show_prints_prompt_drawing_answer_and_verdict() -> None:
    shown = runner.invoke(app, ["show", "symbench/reversi", "--seed", "3"]).stdout
    for part in ("In a game of Reversi", "X black, O white", "oracle", "verdict correct"):
        assert part in shown


def test_show_as_json_is_one_object_with_the_question() -> None:
    shown = json.loads(
        runner.invoke(app, ["show", "symbench/game24", "--seed", "7", "--difficulty", "1", "--json"]).stdout
    )
    assert shown["question"]["seed"] == 7
    assert shown["question"]["difficulty"] == 1
    assert shown["verdict"] == "correct"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["show", "symbench/game42"], "symbench/game24"),
        (["show", "symbench/game24", "--difficulty", "9"], "1..5"),
        (["list", "--suite", "symbank"], "symbench"),
        (["check", "--tasks", "nothing*"], "no task"),
        (["check", "--tasks", "letters,lettrs"], "lettrs"),
    ],
)
def test_wrong_input_is_a_usage_error_that_says_what_would_work(arguments: list[str], hint: str) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert hint in result.output


def test_check_reports_every_check_and_ends_with_zero() -> None:
    result = runner.invoke(app, ["check", "--tasks", "game24,letters", "--json"])
    report = json.loads(result.stdout)["tasks"]
    assert result.exit_code == 0
    assert [task["name"] for task in report] == ["symbench/game24", "symbench/letters"]
    assert all(task["ok"] and all(finding is True for finding in task["checks"].values()) for task in report)


def test_check_ends_with_one_and_says_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    info = Definitions.by_name["symbench/game24"].info
    broken = Game24(info)
    monkeypatch.setattr(broken, "oracle", lambda payload: "24")
    monkeypatch.setitem(Definitions.by_name, "symbench/game24", broken)
    result = runner.invoke(app, ["check", "--tasks", "game24"])
    assert result.exit_code == 1
    assert "oracle_is_right" in result.stdout


def test_check_leaves_out_a_task_whose_questions_must_be_fetched_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R1CI_BBH_DIR", "/nowhere")
    result = runner.invoke(app, ["check", "--tasks", "snarks,game24"])
    assert result.exit_code == 0
    assert "1 of 1 tasks" in result.stdout
    assert "R1CI_BBH_DIR" in result.stdout.replace("\n", "")


def test_gallery_shows_a_question_of_every_task(tmp_path: Path) -> None:
    pages = write_gallery(tmp_path)
    text = "".join(page.read_text("utf-8") for page in pages)
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading in task_names()] == task_names()
