"""Counts come out of every source alike, and lost answers are in none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.config import RewardWeights
from r1ci_plugin.curriculum.answers import counts_at, is_right
from r1ci_plugin.curriculum.counts import Answer, Count, CountsError, pool, read_counts, tally, write_counts
from r1ci_plugin.data.row import encode
from r1ci_plugin.record import Record
from r1ci_plugin.reward.shaping import shape
from r1ci_plugin.tasks import Verdict, get_task
from r1ci_plugin.trajectory import Trajectory

QUESTIONS = [get_task("symbench/letters").make(seed, 1) for seed in range(2)]
COUNTS = [Count("b", "bbh/navigate", 2, "all_text", 0.7, 5, 3), Count("a", "bbh/navigate", 1, "all_code", None, 5, 0)]


def record(number: int, sample: int, verdict: Verdict | None, outcome: str = "answered") -> dict[str, Any]:
    question = QUESTIONS[number]
    trajectory = Trajectory([], outcome=outcome)  # type: ignore[arg-type]
    key = f"{question.question_id}|all_text|{sample}"
    return Record(key, question, "all_text", trajectory, verdict, sample, temperature=0.7).to_dict()


def write_records(file: Path) -> None:
    lines = [
        record(0, 0, Verdict.correct()),
        record(0, 1, Verdict.wrong("no")),
        record(0, 2, None, "lost"),
        record(1, 0, Verdict("timeout", "slow")),
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def rights(counts: list[Count]) -> dict[str, tuple[int, int]]:
    return {count.question_id: (count.n, count.right) for count in counts}


EXPECTED = {QUESTIONS[0].question_id: (2, 1), QUESTIONS[1].question_id: (1, 0)}


@pytest.mark.parametrize("name", ["trajectories.jsonl", "trajectories/train-1.jsonl"])
def test_records_of_a_run_are_counted_without_the_lost_ones(tmp_path: Path, name: str) -> None:
    write_records(tmp_path / name)
    counts = counts_at(tmp_path)
    assert rights(counts) == EXPECTED
    assert {(count.agent, count.temperature, count.task) for count in counts} == {("all_text", 0.7, "symbench/letters")}
    assert counts == counts_at(tmp_path / name)


def test_verls_rollout_dumps_are_counted_by_correctness_not_by_reward(tmp_path: Path) -> None:
    facts = {"well_formed": 0.0, "turns": 8.0}
    for step, (number, score) in enumerate([(0, 1.0), (0, 0.0), (1, 0.0)], 1):
        reward = shape(score, facts, RewardWeights()).total
        line = {"input": "", "output": "", "gts": encode(QUESTIONS[number]), "score": reward, "step": step, "uid": "u"}
        (tmp_path / f"{step}.jsonl").write_text(json.dumps(line) + "\n")
    assert rights(counts_at(tmp_path)) == EXPECTED


def test_rows_that_verl_adds_to_fill_a_batch_are_no_answers(tmp_path: Path) -> None:
    lines = [{"gts": encode(QUESTIONS[0]), "score": 1.1, "uid": "5f0c_0_0"}]
    lines.append({**lines[0], "score": 0.0, "uid": "pad5f0c_0_0"})
    (tmp_path / "1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    [count] = counts_at(tmp_path)
    assert (count.n, count.right) == (1, 1)


def test_a_dump_with_acc_is_believed(tmp_path: Path) -> None:
    line = {"gts": encode(QUESTIONS[0]), "score": -0.1, "acc": 1.0, "output": "a\u2028b\x85c"}
    (tmp_path / "7.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n")  # as verl writes it
    assert rights(counts_at(tmp_path / "7.jsonl")) == {QUESTIONS[0].question_id: (1, 1)}


@pytest.mark.parametrize("format_weight", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("turns", [1.0, 8.0])
@pytest.mark.parametrize("well_formed", [0.0, 1.0])
@pytest.mark.parametrize("score", [0.0, 1.0])
def test_right_is_read_back_from_every_shaped_reward(
    format_weight: float, turns: float, well_formed: float, score: float
) -> None:
    weights = RewardWeights(format=format_weight)
    reward = shape(score, {"well_formed": well_formed, "turns": turns}, weights).total
    assert is_right(reward, weights) == (score == 1.0)


def test_a_reward_that_hides_correctness_is_refused() -> None:
    with pytest.raises(CountsError, match="right from wrong"):
        is_right(0.5, RewardWeights(format=0.6))


@pytest.mark.parametrize("name", ["counts.parquet", "counts.jsonl"])
def test_counts_are_read_back_as_written_sorted_and_the_same_bytes(tmp_path: Path, name: str) -> None:
    write_counts(tmp_path / name, COUNTS)
    first = (tmp_path / name).read_bytes()
    assert read_counts(tmp_path / name) == counts_at(tmp_path / name) == COUNTS[::-1]
    write_counts(tmp_path / name, COUNTS[::-1])
    assert (tmp_path / name).read_bytes() == first


def test_pooling_sums_over_agents_and_temperatures() -> None:
    answers = [
        Answer("q", "bbh/navigate", 1, agent, temperature, right)
        for agent in ("all_text", "all_code")
        for temperature in (0.5, 1.0)
        for right in (True, agent == "all_text")
    ]
    counts = tally(answers)
    assert [(count.n, count.right) for count in counts] == [(2, 1), (2, 1), (2, 2), (2, 2)]
    assert [(one.n, one.right) for one in pool(counts)] == [(8, 6)]


@pytest.mark.parametrize("text", ["", "no json\n", "[1]\n", '{"other": 1}\n', '{"trajectory": 1, "key": "k"}\n'])
def test_a_file_of_something_else_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    if not text:
        assert counts_at(tmp_path / "x.jsonl") == []
        return
    with pytest.raises(CountsError, match=r"x\.jsonl"):
        counts_at(tmp_path / "x.jsonl")


def test_nothing_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CountsError, match="r1ci potential measure"):
        counts_at(tmp_path / "missing")
    with pytest.raises(CountsError, match="no rollout dump"):
        counts_at(tmp_path)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="impossible"):
        Count("q", "bbh/navigate", 1, "a", None, 2, 3)
