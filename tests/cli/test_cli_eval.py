"""`r1ci eval run` and `r1ci ask`: one clear line where something is wrong, exit codes that programs can trust."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import typer
from safetensors.torch import save_file
from typer.testing import CliRunner

from r1ci_plugin.cli.answering import Options
from r1ci_plugin.cli.main import build
from r1ci_plugin.tasks import Question, get_task

PROVIDER = Path(__file__).parents[1] / "evaluation" / "provider.py"
runner = CliRunner()
STEERING = "\x1b]0;a title of its own\x07\x1b[2J\x9b2J\u202e7"
"""Sets a terminal's title, clears its screen, turns the reading order about."""


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return [get_task("symbench/letters").make(seed, 1) for seed in range(3)]


@pytest.fixture(scope="module")
def address(questions: list[Question], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider that knows two of the three questions and errs on the third."""
    right = {question.prompt: get_task(question.task).solve(question) for question in questions}
    file = tmp_path_factory.mktemp("provider") / "answers.json"
    file.write_text(
        json.dumps({**right, questions[2].prompt: "Count: 99, Positions: []", "my own": "42", "steer": STEERING})
    )
    server = subprocess.Popen([sys.executable, PROVIDER, file], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.kill()
    server.wait()


def run(*arguments: str) -> tuple[int, str, str]:
    result = runner.invoke(build(arguments), arguments)
    assert "Traceback" not in result.output + result.stderr
    return result.exit_code, result.stdout, result.stderr


def test_answers_of_two_policies_at_one_place_are_two_runs(tmp_path: Path) -> None:
    settings = []
    for value in (0.0, 1.0):
        save_file({"w": torch.full((2,), value)}, tmp_path / "model.safetensors")
        settings.append(Options(policy=str(tmp_path)).settings())
    assert settings[0]["weights"] != settings[1]["weights"]
    assert settings[1] == Options(policy=str(tmp_path)).settings()


def test_a_budget_of_money_needs_prices() -> None:
    with pytest.raises(typer.Exit):
        Options(base_url="http://localhost:8000/v1", model="m", max_cost=1.0).setup(lambda: pytest.fail("not made"))
    Options(base_url="http://localhost:8000/v1", model="m", max_cost=1.0, prices="1,2").setup(lambda: pytest.fail(""))


def test_token_ids_and_messages_are_not_mixed_in_one_run() -> None:
    by_message = Options(base_url="http://localhost:8000/v1", model="m")
    assert replace(by_message, tokenizer="t").settings() != by_message.settings()


def test_a_run_is_judged_and_its_exit_code_follows_the_bar(
    tmp_path: Path, address: str, questions: list[Question]
) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(question.to_dict()) + "\n" for question in questions))
    command = ["eval", "run", "--base-url", address, "--model", "fake", "--questions", str(file), "--json"]
    command += ["--agents", "all_text,code_agent", "--out", str(tmp_path / "run")]
    code, out, _ = run(*command, "--fail-under", "0.6")
    assert code == 0
    assert json.loads(out)["accuracy"] == {"all_text": pytest.approx(2 / 3), "code_agent": pytest.approx(2 / 3)}
    assert run(*command, "--fail-under", "0.7")[0] == 1
    code, _, err = run(*command, "--samples", "2")
    assert code == 2 and "samples" in err and "--out" in err


def test_a_dry_run_asks_nothing(tmp_path: Path) -> None:
    command = ["eval", "run", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--out", str(tmp_path / "run")]
    code, out, _ = run(*command, "--tasks", "letters", "--per-task", "3", "--samples", "2", "--dry-run")
    assert code == 0 and out.startswith("6 answers to 3 questions of 1 tasks")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--policy FOLDER"),
        (["--policy", "/nonexistent"], "no policy at /nonexistent"),
        (["--base-url", "http://127.0.0.1:1/v1"], "--model"),
        (["--policy", "seed", "--tasks", "lettrs"], "lettrs"),
        (["--policy", "seed", "--agents", "nobody"], "code_agent"),
        (["--policy", "seed", "--questions", "/nonexistent.jsonl"], "/nonexistent.jsonl"),
        (["--policy", "seed", "--split", "nonsense"], "default"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    code, _, err = run("eval", "run", *arguments)
    assert code == 2 and says in err and len(err.strip().splitlines()) == 1


def test_a_question_of_ones_own_is_answered_in_sight(address: str) -> None:
    code, out, _ = run("ask", "my own question", "--base-url", address, "--model", "fake")
    assert code == 0
    assert "print('42')" in out and "isolation" in out and out.rstrip().endswith("answer: 42")


def test_what_a_model_says_does_not_steer_the_terminal(address: str) -> None:
    code, out, err = run("ask", "steer my terminal", "--base-url", address, "--model", "fake")
    assert code == 0, err
    assert "a title of its own" in out.rpartition("answer:")[2]
    assert not set(out) & set("\x1b\x07\x9b\u202e")


def test_an_agent_named_twice_answers_once(tmp_path: Path, address: str, questions: list[Question]) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps(questions[0].to_dict()))
    command = ["eval", "run", "--base-url", address, "--model", "fake", "--questions", str(file), "--json"]
    code, out, _ = run(*command, "--agents", "all_text,all_text", "--out", str(tmp_path / "run"))
    assert code == 0 and json.loads(out)["answers"] == 1
    code, _, err = run(*command, "--agents", ",", "--out", str(tmp_path / "none"))
    assert code == 2 and "names no agent" in err
