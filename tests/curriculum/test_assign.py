"""What a run trains on follows from settings, data and manifest alone, the same for preflight and data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.assign import Assignment, Known, assign
from r1ci_plugin.curriculum.groups import Grouping
from r1ci_plugin.curriculum.ledger import Ledger
from r1ci_plugin.curriculum.manifest import Entry, make_manifest, write_manifest
from r1ci_plugin.curriculum.recut import regrouped

TASKS = ("bbh/navigate", "symbench/letters", "symbench/game24")
ROWS = [Known(f"q{number:02}", TASKS[number % 3], 1 + number % 4) for number in range(24)]


def assigned(rows: list[Known] = ROWS, manifest: Path | None = None, stage: int = 1, **curriculum: Any) -> Assignment:
    section = {"stage": stage, "manifest": str(manifest) if manifest else None, "curriculum": curriculum}
    return assign(settings_from({"r1ci": section}), rows)


def drawn(assignment: Assignment, rows: list[Known] = ROWS) -> set[str]:
    return {rows[row].question_id for row in assignment.sampler}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    entries = [Entry(row.question_id, number % 5, row.task, row.difficulty, 20, 10) for number, row in enumerate(ROWS)]
    return write_manifest(make_manifest(entries), tmp_path / "manifest.parquet")[0]


@settings(max_examples=25)
@given(st.integers(1, 4), st.lists(st.integers(0, 23), min_size=12, max_size=40))
def test_each_stage_holds_the_one_before_and_nothing_that_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, stage: int, numbers: list[int]
) -> None:
    entries = [Entry(row.question_id, number % 5, row.task) for number, row in enumerate(ROWS)]
    path = write_manifest(make_manifest(entries), tmp_path_factory.mktemp("m") / "manifest.parquet")[0]
    rows = [ROWS[number] for number in [*range(5), *numbers]]  # questions may be in the data twice
    found = [assigned(rows, path, stage=number) for number in (max(1, stage - 1), stage)]
    earlier, later = (drawn(one, rows) for one in found)
    groups = {entry.question_id: entry.group for entry in entries}
    assert earlier <= later == {row.question_id for row in rows if 1 <= groups[row.question_id] <= stage}
    assert len(found[1].sampler) == len(later)  # every question once an epoch


def test_without_a_manifest_all_questions_are_in_group_1() -> None:
    assert drawn(assigned()) == {row.question_id for row in ROWS}


def test_a_suite_that_is_left_out_is_never_drawn(manifest: Path) -> None:
    assignment = assigned(manifest=manifest, stage=4, leave_out=["bbh/*"])
    assert {ROWS[row].task for row in assignment.sampler} == {"symbench/letters", "symbench/game24"}
    with pytest.raises(ValueError, match="leave"):
        assigned(leave_out=["*"])


def test_by_difficulty_stage_1_holds_the_easiest_quarter_and_needs_no_manifest() -> None:
    assignment = assigned(group_by="difficulty")
    assert len(assignment.sampler) == len(ROWS) // 4
    levels = {"bbh/navigate": 5, "symbench/letters": 5, "symbench/game24": 5}
    assert max(ROWS[row].difficulty / levels[ROWS[row].task] for row in assignment.sampler) <= 2 / 5


def test_any_number_of_equal_groups_is_cut_from_the_manifest(manifest: Path) -> None:
    sizes = assigned(manifest=manifest, number_of_stages=3).sampler.sizes
    assert len(sizes) == 3 and max(sizes) - min(sizes) <= 1


def test_the_digest_changes_with_whatever_changes_the_order_and_not_with_the_number_of_steps(manifest: Path) -> None:
    same = assigned(manifest=manifest).digest
    assert same == assigned(manifest=manifest, steps=7).digest
    others = [
        assigned().digest,
        assigned(manifest=manifest, stage=2).digest,
        assigned(manifest=manifest, seed=1).digest,
        assigned(manifest=manifest, schedule="all").digest,
        assigned(manifest=manifest, balance_tasks=True).digest,
        assigned(ROWS[:-1], manifest=manifest).digest,
    ]
    assert len({same, *others}) == 7


def test_questions_go_where_their_current_pass_rate_puts_them() -> None:
    ledger = Ledger({"a": (20, 10), "b": (20, 0), "c": (20, 10), "d": (20, 10)}, decay=0.0)
    ledger.record([("a", 1.0)] * 5 + [("b", 1.0), ("b", 0.0)])
    import numpy as np

    groups = np.asarray([1, 4, 1, 0, 2], dtype=np.int8)
    rows = [(name, "bbh/navigate") for name in "abcde"]
    found = regrouped(groups, rows, ledger, Grouping(), lambda task: 0.0)
    assert found.tolist() == [4, 1, 1, 0, 2]  # solved, learnable, as measured, left out, unknown
    assert groups.tolist() == [1, 4, 1, 0, 2]
    corrected = regrouped(groups, rows, ledger, Grouping(form="chance_corrected"), lambda task: 0.5)
    assert corrected.tolist() == [4, 4, 4, 0, 2]
