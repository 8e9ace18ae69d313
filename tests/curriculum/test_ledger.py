"""The ledger counts judged answers by question, follows the policy, and survives a checkpoint; its file has each step
once.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.curriculum.history import History, read_history
from r1ci_plugin.curriculum.ledger import Ledger


def test_counts_add_up_by_question() -> None:
    ledger = Ledger()
    ledger.record([("a", 1.0), ("a", 0.0), ("b", 1.0)])
    ledger.record([("a", 1.0)])
    assert (ledger.counts("a"), ledger.counts("b"), ledger.counts("c"), len(ledger)) == ((3, 2), (1, 1), (0, 0), 2)


STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 1.0])), max_size=6), min_size=1, max_size=6
)


@given(STEPS, st.integers(0, 6), st.sampled_from([0.0, 0.5, 1.0]))
def test_a_checkpoint_keeps_everything(steps: list[list[tuple[str, float]]], cut: int, decay: float) -> None:
    measured = {"a": (20, 5)}
    undisturbed, first, second = (Ledger(measured, decay) for _ in range(3))
    for step in steps:
        undisturbed.record(step)
    for step in steps[:cut]:
        first.record(step)
    second.load_state_dict(first.state_dict())
    for step in steps[cut:]:
        second.record(step)
    assert second.state_dict() == undisturbed.state_dict()


def test_the_current_rate_starts_at_the_measurement_and_fades_towards_what_training_sees() -> None:
    ledger = Ledger({"a": (20, 10)}, decay=0.5)
    assert (ledger.measured_rate("a"), ledger.current_rate("a"), ledger.current_rate("b")) == (0.5, 0.5, None)
    ledger.record([("a", 1.0)] * 5)
    assert ledger.current("a") == (15, 10)  # half of 20 and 10, and five right ones
    for _ in range(20):
        ledger.record([("a", 1.0)] * 5)
    assert ledger.current_rate("a") == pytest.approx(1.0, abs=1e-4)
    assert ledger.measured_rate("a") == 0.5


@given(STEPS)
def test_without_fading_the_current_rate_is_that_of_all_answers(steps: list[list[tuple[str, float]]]) -> None:
    ledger = Ledger({"a": (4, 1)}, decay=1.0)
    for step in steps:
        ledger.record(step)
    answers = [acc for step in steps for name, acc in step if name == "a"]
    assert ledger.current("a") == (4 + len(answers), 1 + sum(answers))


def test_a_decay_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="decay"):
        Ledger(decay=1.5)


def test_steps_done_again_after_a_restart_are_in_the_file_once(tmp_path: Path) -> None:
    first = History(tmp_path)
    for step in (1, 2, 3):
        first.append(step, [{"question_id": f"q{step}", "run": 1}])
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write('{"step": 4, "question_')  # killed while writing
    second = History(tmp_path)  # from the checkpoint of step 1
    second.append(2, [{"question_id": "q2", "run": 2}])
    second.append(3, [])
    assert [(line["step"], line["run"]) for line in read_history(tmp_path / "ledger.jsonl")] == [(1, 1), (2, 2)]


def test_a_run_without_a_ledger_file_has_no_history(tmp_path: Path) -> None:
    assert list(read_history(tmp_path / "ledger.jsonl")) == []
