"""The table of one contender: what is counted, what is pooled, what is left out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from r1ci_plugin.evaluation.comparison import NothingInCommon, compare
from r1ci_plugin.evaluation.scores import Scores, TaskScores, contenders, scores_of
from r1ci_plugin.evaluation.statistics import wilson
from r1ci_plugin.evaluation.tables import Row, powers, rows_of
from r1ci_plugin.record import Record, Usage
from r1ci_plugin.tasks import get_task

Make = Callable[..., Record]


def row(rows: list[Row], name: str) -> Row:
    [found] = [one for one in rows if one.name == name]
    return found


def test_rates_are_macro_over_tasks_not_over_questions(record: Make) -> None:
    records = [record("symbench/letters", i, True) for i in range(9)]
    records += [record("bbh/navigate", i, False) for i in range(3)]
    rows = rows_of(scores_of(records))
    assert row(rows, "overall").accuracy == 0.5
    assert row(rows, "symbench").accuracy == 1.0
    assert row(rows, "overall").questions == 12
    letters = row(rows, "symbench/letters")
    assert (letters.low, letters.high) == wilson(9, 9)


def test_lost_trajectories_are_in_no_rate(record: Make) -> None:
    records = [record(number=0, right=True), record(number=1, right=None), record(number=2, right=False)]
    [only] = rows_of(scores_of(records))
    assert (only.accuracy, only.answers, only.lost) == (0.5, 2, 1)


def test_questions_weigh_the_same_however_many_answers_survived(record: Make) -> None:
    records = [record(number=0, right=True, sample=i) for i in range(4)]
    records += [record(number=1, right=False), record(number=1, right=None, sample=1)]
    [only] = rows_of(scores_of(records))
    assert only.accuracy == 0.5
    assert only.pass_at == {2: 1.0, 4: 1.0}, "only the first question has two answers"


def test_pass_at_k_of_a_group_needs_k_answers_in_every_task(record: Make) -> None:
    records = [record("bbh/navigate", 0, sample=i) for i in range(4)]
    records += [record("symbench/letters", 0, sample=i) for i in range(2)]
    rows = rows_of(scores_of(records))
    assert set(row(rows, "bbh/navigate").pass_at) == {2, 4}
    assert set(row(rows, "symbench/letters").pass_at) == set(row(rows, "overall").pass_at) == {2}


def test_capabilities_and_chance_come_from_the_registry(record: Make) -> None:
    info = get_task("bbh/navigate").info
    assert info.chance > 0
    rows = rows_of(scores_of([record("bbh/navigate", 0), record("symbench/letters", 0)]))
    assert row(rows, "bbh/navigate").chance == info.chance
    assert row(rows, "symbench/letters").chance == 0
    for capability in info.capabilities:
        assert any(one.kind == "capability" and one.name == capability for one in rows)


def test_a_task_of_somebody_else_is_counted_without_capability(record: Make) -> None:
    rows = rows_of(scores_of([record("external/gpqa", 0), record("bbh/navigate", 0)]))
    assert row(rows, "external").questions == 1
    assert row(rows, "overall").tasks == 2


def test_effort_is_the_mean_of_an_answer_and_cost_is_also_summed(record: Make) -> None:
    records = [record(number=0, usage=Usage(2, 100, 30, 0.25)), record(number=1, usage=Usage(1, 10, 10, 0.5))]
    [only] = rows_of(scores_of(records))
    assert only.effort["sampled_tokens"] == 20 and only.effort["prompt_tokens"] == 55
    assert only.effort["wall_s"] == 2.0 and only.effort["turns"] == 1.0
    assert only.total_cost == pytest.approx(0.75)


def test_tokens_are_counted_from_ids_only_where_ids_are_tokens(record: Make) -> None:
    """A chat endpoint's ids are characters."""
    chat = record(usage=Usage())
    tokens = replace(chat, trajectory=replace(chat.trajectory, transport="tokens"))
    assert rows_of(scores_of([chat]))[0].effort["sampled_tokens"] == 0
    assert rows_of(scores_of([tokens]))[0].effort["sampled_tokens"] == len("<<<7>>>")


def test_numbers_do_not_depend_on_the_order_of_the_records(record: Make) -> None:
    rng = random.Random(3)
    records = [
        record(task, number, rng.random() < 0.6, sample, wall_s=rng.random())
        for task in ("bbh/navigate", "symbench/letters", "reasoning_gym/count_bits")
        for number in range(6)
        for sample in range(3)
    ]
    first = rows_of(scores_of(records))
    rng.shuffle(records)
    assert rows_of(scores_of(records)) == first


def test_contenders_are_named_by_what_tells_them_apart(record: Make) -> None:
    one_policy = [record(agent="all_text"), record(agent="all_code")]
    assert list(contenders(one_policy)) == ["all_text", "all_code"]
    two = [record(policy="p1"), record(policy="p2"), record(policy="p2", temperature=0.0)]
    assert list(contenders(two)) == ["code_agent p1 t=0.6", "code_agent p2 t=0.6", "code_agent p2 t=0"]


def test_the_k_of_pass_at_k() -> None:
    assert [powers(most) for most in (1, 2, 5, 8)] == [[], [2], [2, 4, 5], [2, 4, 8]]


def test_a_comparison_pairs_questions_and_says_what_it_left_out(record: Make) -> None:
    a = [record("bbh/navigate", i, i < 2) for i in range(6)]
    b = [record("bbh/navigate", i, True) for i in range(2, 9)]
    compared = compare(scores_of(a), scores_of(b))
    assert (compared.only_a, compared.only_b) == (2, 3)
    line = compared.differences[0]
    assert (line.questions, line.a, line.b, line.difference) == (4, 0.0, 1.0, 1.0)
    assert line.p == pytest.approx(2 / 2**4), "four differences of one sign: two of the sixteen patterns"
    assert compared.overall.kind == "overall"


def test_a_comparison_sets_each_question_against_itself(record: Make) -> None:
    """Both are right on the same questions; one of them has answered others too."""
    a = scores_of([record("bbh/navigate", i, i % 3 == 0) for i in range(12)])
    b = scores_of([record("bbh/navigate", i, i % 3 == 0) for i in range(5, 20)])
    line = compare(a, b).differences[0]
    assert (line.questions, line.difference, line.low, line.p) == (7, 0.0, None, 1.0)
    assert line.a == line.b == 2 / 7


def test_a_comparison_with_itself_finds_nothing(record: Make) -> None:
    scores = scores_of([record("bbh/navigate", i, i % 3 > 0, s) for i in range(20) for s in range(2)])
    for line in compare(scores, scores).differences:
        assert (line.difference, line.low, line.high, line.p) == (0.0, None, None, 1.0)


def test_pairing_needs_fewer_questions_than_two_intervals(record: Make) -> None:
    """Hard and easy questions spread both runs alike; the difference on each question is what counts."""
    a = [record("bbh/navigate", i, i < 15) for i in range(40)]
    b = [record("bbh/navigate", i, i < 22) for i in range(40)]
    line = compare(scores_of(a), scores_of(b)).overall
    assert line.p < 0.05 and line.low is not None and line.low > 0


def test_runs_without_a_common_question_are_refused(record: Make) -> None:
    with pytest.raises(NothingInCommon, match="same tasks"):
        compare(scores_of([record(number=0)]), scores_of([record(number=1)]))


def test_per_task_p_values_are_adjusted_for_their_number(record: Make) -> None:
    names = ["bbh/navigate", "symbench/letters", "reasoning_gym/count_bits"]
    a = scores_of([record(name, i, False) for name in names for i in range(8)])
    b = scores_of([record(name, i, True) for name in names for i in range(8)])
    for line in compare(a, b).differences[:3]:
        assert line.p == pytest.approx(2 / 2**8) and line.p_adjusted == pytest.approx(3 * 2 / 2**8)


def test_a_run_of_full_size_is_summarised_and_compared() -> None:
    """37 tasks, 200 questions, 4 samples: the arrays, at their real size."""
    rng = np.random.default_rng(0)

    def scores() -> Scores:
        ids = tuple(str(i) for i in range(200))
        effort = {"turns": 1.0, "calls": 1.0, "sampled_tokens": 1.0, "prompt_tokens": 1.0, "wall_s": 1.0, "cost": 0.0}
        right = [rng.binomial(4, 0.5, 200).astype(float) for _ in range(37)]
        return Scores({f"own/task{i}": TaskScores(ids, np.full(200, 4.0), one, effort) for i, one in enumerate(right)})

    a, b = scores(), scores()
    overall = rows_of(a)[-1]
    assert overall.high - overall.low < 0.03 and overall.low < 0.5 < overall.high
    assert compare(a, b).overall.p > 0.001
