"""`r1ci eval show`, `compare` and `verify`, as a person and as a program call them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from r1ci_plugin.cli.eval import app
from r1ci_plugin.cli.main import build
from r1ci_plugin.evaluation.sheet import Column, Sheet
from r1ci_plugin.record import Record
from r1ci_plugin.tasks import Verdict, get_task

Make = Callable[..., Record]
Write = Callable[..., Path]


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def two_agents(record: Make) -> Iterable[Record]:
    for agent, right in (("all_text", 2), ("code_agent", 8)):
        for task in ("bbh/navigate", "symbench/letters"):
            yield from (record(task, i, i < right, agent=agent) for i in range(10))


def judged_records() -> Iterable[tuple[str, str]]:
    """Task and answer: right ones, a wrong one, one that cannot be read."""
    for name in ("symbench/number_multiply", "reasoning_gym/count_bits"):
        task = get_task(name)
        yield from ((name, task.solve(task.make(seed))) for seed in range(3))
    yield from (("reasoning_gym/count_bits", "-1"), ("symbench/number_multiply", "not a number"))


@pytest.fixture
def judged(record: Make) -> list[Record]:
    records = []
    for number, (name, answer) in enumerate(judged_records()):
        task = get_task(name)
        question = task.make(number % 3)
        one = record(question=question, answer=answer, sample=number)
        records.append(replace(one, verdict=task.verify(question, answer)))
    return records


def test_show_as_table_markdown_csv_and_json(record: Make, run_folder: Write) -> None:
    folder = run_folder(two_agents(record))
    code, text = call("show", folder)
    assert code == 0 and "bbh/navigate" in text and "overall" in text and "80.0%" in text
    assert "chance" in text
    _, markdown = call("show", folder, "--format", "markdown")
    assert "### all_text" in markdown and "| overall | 20 | 20.0% |" in markdown
    _, lines = call("show", folder, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(lines)))
    assert {row["contender"] for row in rows} == {"all_text", "code_agent"}
    _, data = call("show", folder, "--json")
    found = json.loads(data)["contenders"]["code_agent"][-1]
    assert (found["name"], found["accuracy"]) == ("overall", 0.8)
    [overall] = [row for row in rows if row["name"] == "overall" and row["contender"] == "code_agent"]
    assert float(overall["low"]) == found["low"]


def test_show_reads_a_run_that_is_still_written_and_a_training_run(record: Make, run_folder: Write) -> None:
    folder = run_folder([record(number=i) for i in range(3)])
    file = folder / "trajectories.jsonl"
    file.write_bytes(file.read_bytes() + b'{"key": "torn')
    assert json.loads(call("show", folder, "--json")[1])["contenders"]["code_agent"][0]["answers"] == 3
    (folder / "trajectories").mkdir()
    file.rename(folder / "trajectories" / "0.jsonl")
    assert call("show", folder)[0] == 0


def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, record: Make, run_folder: Write) -> None:
    (tmp_path / "other.jsonl").write_text('{"key": "a", "text": "no record"}\n')
    (tmp_path / "damaged.jsonl").write_text('nonsense\n{"key": "a"}\n')
    shown = [("show", tmp_path / name) for name in ("", "other.jsonl", "damaged.jsonl")]
    for arguments in (*shown, ("compare", tmp_path / "a", tmp_path)):
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        assert done.exit_code == 2 and len(done.stderr.strip().splitlines()) == 1
    folder = run_folder(two_agents(record))
    done = CliRunner().invoke(app, ["compare", str(folder), f"{folder}:all_text"])
    assert done.exit_code == 2 and "run:code_agent" in done.stderr


def test_a_run_that_lost_everything_is_shown_as_such(record: Make, run_folder: Write) -> None:
    folder = run_folder([record(number=i, right=None) for i in range(3)])
    code, text = call("show", folder)
    assert code == 0 and "every trajectory was lost" in text
    assert json.loads(call("show", folder, "--json")[1]) == {"contenders": {"code_agent": []}, "behaviour": {}}
    assert call("compare", folder, folder)[0] == 2


def test_compare_two_agents_of_a_run(record: Make, run_folder: Write) -> None:
    folder = run_folder(two_agents(record))
    code, data = call("compare", f"{folder}:all_text", f"{folder}:code_agent", "--json")
    overall = json.loads(data)["differences"][-1]
    assert code == 0 and overall["difference"] == pytest.approx(0.6) and overall["p"] < 0.01
    assert "+60.0%" in call("compare", f"{folder}:all_text", f"{folder}:code_agent")[1]
    _, lines = call("compare", f"{folder}:all_text", f"{folder}:code_agent", "--format", "csv")
    assert [row["kind"] for row in csv.DictReader(io.StringIO(lines))][-1] == "overall"


def test_verify_finds_all_verdicts_as_they_were(judged: list[Record], run_folder: Write) -> None:
    code, data = call("verify", run_folder(judged), "--json")
    assert (code, json.loads(data)) == (0, {"judged": len(judged), "changes": []})


def test_verify_lists_a_changed_verdict_and_ends_with_1(judged: list[Record], run_folder: Write, record: Make) -> None:
    tampered = replace(judged[0], verdict=Verdict.wrong("an older verifier"))
    lost, silent = record(right=None, sample=90), record(right=False, answer=None, sample=91)
    folder = run_folder([tampered, *judged[1:], lost, silent])
    code, data = call("verify", folder, "--json")
    [change] = json.loads(data)["changes"]
    assert code == 1 and json.loads(data)["judged"] == len(judged)
    assert (change["key"], change["stored"]["outcome"], change["today"]["outcome"]) == (
        judged[0].key,
        "wrong",
        "correct",
    )
    assert "wrong -> correct" in call("verify", folder)[1]


def test_verify_writes_a_new_file_whose_numbers_are_otherwise_the_same(
    judged: list[Record], run_folder: Write, tmp_path: Path
) -> None:
    folder = run_folder([replace(judged[0], verdict=Verdict.wrong("an older verifier")), *judged[1:]])
    before = (folder / "trajectories.jsonl").read_bytes()
    assert call("verify", folder, "--write", tmp_path / "today.jsonl")[0] == 1
    assert (folder / "trajectories.jsonl").read_bytes() == before
    expected = run_folder(judged, "expected")
    assert call("show", tmp_path / "today.jsonl", "--json") == call("show", expected, "--json")
    assert call("verify", tmp_path / "today.jsonl")[0] == 0
    assert call("verify", folder, "--write", tmp_path / "today.jsonl")[0] == 2, "an existing file is not overwritten"


def test_markdown_cells_stay_in_their_cell() -> None:
    sheet = Sheet("a run", [Column(""), Column("n", "d")], [("a|b\n<img src=x> `c`", 3)])
    assert r"| a\|b \<img src=x> \`c\` | 3 |" in sheet.markdown()


@pytest.mark.parametrize(
    "command",
    [
        ("eval", "verify", "RUN", "--write", "OUT"),
        ("eval", "export", "RUN", "--out", "OUT"),
        ("report", "RUN", "--out", "OUT"),
        ("view", "RUN", "--out", "OUT"),
        ("potential", "show", "RUN", "--png", "OUT"),
        ("sft", "check", "RUN", "--out", "OUT", "--no-well-formed", "--min-words", "0"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(
    command: tuple[str, ...], record: Make, run_folder: Write, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    places = {"RUN": run_folder([record(number=0)]), "OUT": tmp_path / "file" / "out"}
    arguments = [str(places.get(word, word)) for word in command]
    if command[0] == "sft":
        arguments += ["--multi-turn", "0", "--switching", "0", "--repairing", "0"]
    done = CliRunner().invoke(build(arguments), arguments)
    assert done.exit_code in (1, 2) and isinstance(done.exception, SystemExit), done.output
    assert "file" in done.stderr.replace("\n", "")
