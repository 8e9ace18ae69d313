"""The main job for real, on the CPU back end: it trains, dies, and goes on as if it had not died.

One undisturbed run and one that is killed with SIGKILL in the middle, from the same command. About three minutes on two
cores.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.curriculum.metrics import advantages
from r1ci_plugin.curriculum.records import is_kept
from r1ci_plugin.curriculum.starts import read_starts
from r1ci_plugin.journal import read_lines
from r1ci_plugin.leftovers import MARK
from r1ci_plugin.record import Record
from r1ci_plugin.tasks import Question

STEPS, SAVE_EVERY = 4, 2
SHARE = 0.5
"""Of the questions, whose trajectories are kept."""
SETTINGS = {"trainer.total_training_steps": STEPS, "trainer.save_freq": SAVE_EVERY, "r1ci.records.share": SHARE}


def questions_of_step(folder: Path, step: int) -> list[str]:
    lines = (folder / "rollouts" / f"{step}.jsonl").read_text().splitlines()
    return sorted({json.loads(line)["gts"] for line in lines})


def processes_of(folder: Path) -> list[int]:
    """Processes whose environment carries the mark of the run folder."""
    mark = f"{MARK}={folder / 'run'}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            found += [int(entry.name)] if mark in environment else []
    return found


@pytest.fixture(scope="module")
def undisturbed(make_job: Any) -> Any:
    job = make_job("undisturbed", SETTINGS)
    job.finish()
    return job


@pytest.fixture(scope="module")
def killed(make_job: Any) -> Any:
    """A run that is killed behind its first checkpoint and then started again."""
    job = make_job("killed", SETTINGS)
    job.kill_after(SAVE_EVERY + 1)
    job.finish()
    return job


@pytest.mark.slow
def test_the_run_leaves_metrics_of_every_step(undisturbed: Any) -> None:
    steps = {line["step"]: line["data"] for line in undisturbed.metrics()}
    assert set(steps) >= set(range(1, STEPS + 1))
    for numbers in steps.values():
        assert 0.0 <= numbers["r1ci/reward/acc"] <= 1.0
        assert numbers["r1ci/agent/lost"] == 0.0
        assert numbers["r1ci/staleness/max"] == numbers["r1ci/staleness/spanning_share"] == 0.0
    assert steps[STEPS]["r1ci/curriculum/seen"] == 4 * STEPS


@pytest.mark.slow
def test_the_trainers_probabilities_are_those_of_the_rollout(undisturbed: Any) -> None:
    """Up to float32 rounding, which the seed policy's sharp first attention head enlarges to a few 1e-5 for single
    tokens.
    """
    for line in undisturbed.metrics():
        assert line["data"].get("training/rollout_probs_diff_max", 0.0) < 1e-4
        assert line["data"].get("training/rollout_probs_diff_mean", 0.0) < 5e-6


@pytest.mark.slow
def test_the_checkpoint_holds_a_policy_that_loads(undisturbed: Any) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = undisturbed.run / f"global_step_{STEPS}" / "actor" / "huggingface"
    assert AutoModelForCausalLM.from_pretrained(folder).num_parameters() > 0
    assert AutoTokenizer.from_pretrained(folder).chat_template


@pytest.mark.slow
def test_the_trajectories_of_the_kept_questions_can_be_read_back_whole(undisturbed: Any) -> None:
    files = sorted((undisturbed.run / "trajectories").glob("train-*.jsonl"))
    records = [Record.from_dict(line) for file in files for line in read_lines(file)]
    drawn = [json.loads(text) for step in range(1, STEPS + 1) for text in questions_of_step(undisturbed.folder, step)]
    kept = [question for question in map(Question.from_dict, drawn) if is_kept(question.question_id, SHARE)]
    assert kept and len(records) == 4 * len(kept)
    groups: dict[str, list[Record]] = {}
    for record in records:
        assert record.training is not None and record.verdict is not None and record.verdict.reason
        assert record.training.parts["acc"] == record.acc
        groups.setdefault(record.training.group, []).append(record)
    for group in groups.values():
        facts = [record.training for record in group if record.training]
        assert sorted(record.sample for record in group) == [0, 1, 2, 3]
        assert [fact.advantage for fact in facts] == pytest.approx(
            advantages([fact.reward for fact in facts]), abs=1e-4
        )


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_questions_of_the_undisturbed_one(undisturbed: Any, killed: Any) -> None:
    for step in range(1, STEPS + 1):
        assert questions_of_step(killed.folder, step) == questions_of_step(undisturbed.folder, step)
    assert [start.step for start in read_starts(killed.run)] == [0, SAVE_EVERY]


@pytest.mark.slow
def test_nothing_of_the_runs_is_left_alive(undisturbed: Any, killed: Any) -> None:
    deadline = time.monotonic() + 60
    while (left := processes_of(undisturbed.folder) + processes_of(killed.folder)) and time.monotonic() < deadline:
        time.sleep(1)
    assert not left
