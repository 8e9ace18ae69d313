"""`r1ci view`: the file it writes, and one clear line where there is nothing to view."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import r1ci_plugin
from r1ci_plugin.cli.view import command
from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.journal import Journal
from r1ci_plugin.record import Record
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import Trajectory, Turn

POLICY = Path(r1ci_plugin.__file__).parent / "assets" / "seed_policy"

app = typer.Typer()
app.command()(command)
runner = CliRunner()


def _run(folder: Path, count: int, ids: list[int], text: str) -> Path:
    with Journal(folder / "trajectories.jsonl") as journal:
        for number in range(count):
            trajectory = Trajectory([], [Turn(ids=ids, text=text)], "no_answer")
            question = Question("symbench/letters", number, 1, f"question {number}", {})
            journal.append(Record(str(number), question, "all_text", trajectory, Verdict.wrong("none")).to_dict())
    return folder


def test_a_run_becomes_one_file_in_its_folder(tmp_path: Path) -> None:
    run = _run(tmp_path / "my-run", 3, [1], "x")
    told = runner.invoke(app, [str(run)])
    assert told.exit_code == 0, told.output
    page = (run / "view.html").read_text(encoding="utf-8")
    assert "<title>my-run" in page and "3 trajectories" in " ".join(told.stdout.split())
    assert sorted(file.name for file in run.iterdir()) == ["trajectories.jsonl", "view.html"]


def test_a_limit_and_another_file_are_honoured_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    file = _run(tmp_path, 3, [1], "x") / "trajectories.jsonl"
    out = tmp_path / "deep" / "page.html"
    told = runner.invoke(app, [str(file), "--out", str(out), "--limit", "2", "--json"])
    facts = {"file": str(out), "trajectories": 2, "left_out": 1, "bytes": out.stat().st_size}
    assert json.loads(told.stdout) == facts
    assert "--limit 0" in runner.invoke(app, [str(file), "--limit", "2"]).stdout


def test_a_policy_gives_token_boundaries(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="a policy's tokenizer needs transformers")
    ids = TokenizerCodec(transformers.AutoTokenizer.from_pretrained(POLICY)).encode("four words of text \U0001f40d")
    run = _run(tmp_path, 40, ids, "four words of text \U0001f40d")
    sizes = []
    for options in ([], ["--policy", "seed"]):
        told = runner.invoke(app, [str(run), "--json", *options])
        assert told.exit_code == 0, told.output
        sizes.append(json.loads(told.stdout)["bytes"])
    assert sizes[1] > sizes[0]


@pytest.mark.parametrize(
    ("content", "says"), [(None, "there is no"), ("", "no trajectory yet"), ('{"key": "a"}\n', "is no record of")]
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "run.jsonl"
    if content is not None:
        file.write_text(content)
    told = runner.invoke(app, [str(file)])
    assert told.exit_code == 2
    assert says in " ".join(told.stderr.split())
    assert "Traceback" not in told.output + told.stderr
    assert not file.with_suffix(".html").exists()


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    told = runner.invoke(app, [str(_run(tmp_path, 1, [1], "x")), "--policy", str(tmp_path)])
    assert told.exit_code == 2 and "there is no tokenizer" in " ".join(told.stderr.split())
