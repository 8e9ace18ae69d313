"""Runs as logs of inspect_ai: right by its schema, read by the package where it is installed, back without loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from r1ci_plugin.cli.eval import app
from r1ci_plugin.evaluation.inspect_log import NotOurs, from_log, to_log
from r1ci_plugin.record import Record
from r1ci_plugin.trajectory import Turn

SCHEMA = Path(__file__).parent / "inspect_log.schema.json"
CREATED = "2026-01-02T03:04:05+00:00"

Make = Callable[..., Record]


@pytest.fixture
def records(record: Make, turn: Callable[..., Turn]) -> list[Record]:
    turns = [turn("I compute.", "print(6 * 7)", "42\n"), turn("So <<<42>>>")]
    return [
        record(number=0, turns=turns, answer="42"),
        record(number=0, right=False, sample=1),
        record("bbh/navigate", 1, right=None),
        record("bbh/navigate", 2, right=False, answer=None),
    ]


def test_a_log_fits_the_schema_of_inspect_ai(records: list[Record]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="comes with the extra dev")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    log = json.loads(json.dumps(to_log("run", records, CREATED)))
    validator.validate(log)
    log["samples"][0]["output"]["choices"][0]["stop_reason"] = "answered"
    assert not validator.is_valid(log), "the schema refuses what inspect_ai would"


def test_a_sample_is_the_conversation_with_our_verdict(records: list[Record]) -> None:
    log = to_log("run", records, CREATED)
    first, second, lost, _ = log["samples"]
    assert [message["role"] for message in first["messages"]] == ["user", "assistant", "user", "assistant"]
    assert first["messages"][2]["content"].startswith("Code Execution Results:\n42")
    assert (first["scores"]["r1ci"]["value"], second["scores"]["r1ci"]["value"]) == ("C", "I")
    assert (first["id"], first["epoch"], second["id"], second["epoch"]) == (first["id"], 1, first["id"], 2)
    assert "scores" not in lost and lost["error"]["message"]
    assert log["results"]["completed_samples"] == 3
    assert log["results"]["scores"][0]["metrics"]["accuracy_macro"]["value"] == 0.25


def test_records_come_back_without_loss(records: list[Record]) -> None:
    log = json.loads(json.dumps(to_log("run", records, CREATED)))
    assert [one.to_dict() for one in from_log(log)] == [one.to_dict() for one in records]


@pytest.mark.parametrize("log", [[], {}, {"samples": [{"id": 1}]}, {"samples": [{"metadata": {"r1ci_record": {}}}]}])
def test_a_log_of_others_is_refused_with_a_reason(log: Any) -> None:
    with pytest.raises(NotOurs, match=r"it holds no samples|only logs of"):
        list(from_log(log))


def test_export_and_import_by_command(records: list[Record], run_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder, file, back = run_folder(records), tmp_path / "log.json", tmp_path / "back"

    def call(*arguments: object) -> Any:
        return CliRunner().invoke(app, [str(one) for one in arguments])

    assert call("export", folder, "--format", "inspect", "--out", file).exit_code == 0
    assert call("export", folder, "--out", file).exit_code == 2, "an existing file is not overwritten"
    assert call("import", file, "--out", back).exit_code == 0
    assert (back / "trajectories.jsonl").read_bytes() == (folder / "trajectories.jsonl").read_bytes()
    assert call("import", folder / "trajectories.jsonl", "--out", tmp_path / "other").exit_code == 2
    assert call("import", file, "--out", back).exit_code == 0, "the same log again adds nothing"
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": 3}))
    refused = call("import", file, "--out", back)
    assert refused.exit_code == 2 and "sha256" in refused.stderr, "another log is another run"


def test_inspect_ai_reads_the_log_and_its_copy_still_holds_the_records(records: list[Record], tmp_path: Path) -> None:
    log_module = pytest.importorskip("inspect_ai.log", reason="pip install inspect_ai, in an environment of its own")
    file, binary, again = tmp_path / "log.json", tmp_path / "log.eval", tmp_path / "again.json"
    file.write_text(json.dumps(to_log("run", records, CREATED)))
    log = log_module.read_eval_log(str(file))
    assert (log.status, len(log.samples)) == ("success", 4)
    assert log.samples[0].output.completion == "So <<<42>>>"
    assert log.samples[0].scores["r1ci"].as_str() == "C"
    log_module.write_eval_log(log, str(binary))
    log_module.write_eval_log(log_module.read_eval_log(str(binary)), str(again))
    back = {one.key: one.to_dict() for one in from_log(json.loads(again.read_text()))}
    assert back == {one.key: one.to_dict() for one in records}, "its order is its own"
