"""Remeasuring calls commands that exist, with options they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
import typer
from omegaconf import OmegaConf

from r1ci_plugin.cli.main import build
from r1ci_plugin.stages import remeasure as module
from r1ci_plugin.stages.run_folder import Settings


def command(*words: str) -> click.Command:
    found: Any = typer.main.get_command(build(words))
    for word in words:
        found = found.commands[word]
    return found


def test_the_commands_take_the_options_the_driver_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(module, "_call", lambda r1ci, *words: calls.append([str(word) for word in words]))
    config = {
        "data": {"train_files": str(tmp_path / "train.parquet"), "max_response_length": 160},
        "r1ci": {"manifest": None, "interaction": {"result_max_tokens": 128, "code_timeout_s": 10.0}},
    }
    (tmp_path / "manifest.parquet").touch()
    module.remeasure(tmp_path / "policy", Settings(OmegaConf.create(config), ()), tmp_path)
    for words in calls:
        context = command(*words[:2]).make_context("r1ci", words[2:])
        assert context.params["data"] == tmp_path
    assert [words[:2] for words in calls] == [["potential", "measure"], ["stages", "build"]]
    assert calls[0][-6:] == ["--response-tokens", "160", "--result-tokens", "128", "--code-timeout", "10.0"]
