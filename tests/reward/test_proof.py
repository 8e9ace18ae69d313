"""A run with a verifier that is broken, or with data it cannot judge, is refused before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from omegaconf import OmegaConf

from r1ci_plugin.checks.data import check_verifiers
from r1ci_plugin.config import VerifierSettings
from r1ci_plugin.data.row import SCHEMA, make_row
from r1ci_plugin.reward.proof import fault, one_of_each_task
from r1ci_plugin.tasks import Question, get_task

TASKS = ("symbench/letters", "bbh/web_of_lies", "reasoning_gym/lcm")
SETTINGS = VerifierSettings()


def questions(count: int = 5) -> list[Question]:
    return [get_task(name).make(seed) for name in TASKS for seed in range(count)]


def write(file: Path, asked: Sequence[Question], rows_a_group: int = 4) -> Path:
    rows = [make_row(question, "train", index) for index, question in enumerate(asked)]
    parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), file, row_group_size=rows_a_group)
    return file


def test_the_first_question_of_every_task_is_found_wherever_it_lies(tmp_path: Path) -> None:
    file = write(tmp_path / "train.parquet", questions())
    assert list(one_of_each_task(file)) == questions()[::5]


def test_sound_verifiers_have_no_fault(tmp_path: Path) -> None:
    assert fault([write(tmp_path / "train.parquet", questions())], SETTINGS) == ""


def test_a_verifier_that_finds_its_own_solution_wrong_is_one_line_that_names_the_task(tmp_path: Path) -> None:
    asked = questions()
    answer = asked[10].payload["answer"]
    asked[10] = replace(asked[10], payload={**asked[10].payload, "answer": f"{answer}1"})
    problem = fault([write(tmp_path / "train.parquet", asked)], SETTINGS)
    assert "1 of 3 tasks do not find their own solution correct: reasoning_gym/lcm (wrong: " in problem
    assert "\n" not in problem


def test_a_verifier_that_fails_on_the_payload_is_named(tmp_path: Path) -> None:
    broken = [replace(question, payload={}) for question in questions(1)]
    problem = fault([write(tmp_path / "train.parquet", broken)], SETTINGS)
    assert "3 of 3 tasks" in problem and "symbench/letters (error: " in problem


@pytest.mark.parametrize("sound", [True, False])
def test_the_check_before_a_run_covers_the_validation_file(tmp_path: Path, sound: bool) -> None:
    train = write(tmp_path / "train.parquet", questions())
    held_out = [question if sound else replace(question, payload={}) for question in questions()[:1]]
    validation = write(tmp_path / "validation.parquet", held_out)
    config = OmegaConf.create({"data": {"train_files": str(train), "val_files": [str(validation)]}})
    [finding] = check_verifiers(config)
    assert finding.ok == sound
    assert sound or finding.mend == f"r1ci data check {tmp_path}"
