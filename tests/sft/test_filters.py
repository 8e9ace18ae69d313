"""Every filter drops what it names and nothing else; caps, target and shares hold; equal records give equal sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.record import Record
from r1ci_plugin.sft.filters import (
    FilterSettings,
    choose,
    estimated_tokens,
    is_hard_coded,
    is_multi_turn,
    is_repairing,
    is_switching,
    why_dropped,
)
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn

ALL = FilterSettings(multi_turn=0, switching=0, repairing=0)
COMPUTED = ("I compute it.", "print(6 * 7)", ExecResult("ok", stdout="42\n"))
FAILED = ("I compute it.", "prnit(6 * 7)", ExecResult("error", stderr="NameError"))
WORDS = "Six times seven is six times five and six times two, thirty and twelve, so it is what I write down."


def record(
    *calls: tuple[str, str, ExecResult],
    final: str = "So it is.\n<<<42>>>",
    key: str = "k",
    task: str = "symbench/number_multiply",
    form: str = "code",
    right: bool = True,
    outcome: str = "answered",
    prompt: str = "What is 6 * 7?",
) -> Record:
    """A record with these (words, code, result) and a final turn."""
    turns = [
        Turn(text=f"{words}\n```python\n{code}\n```\n", call=CodeCall(f"{code}\n", result))
        for words, code, result in calls
    ]
    trajectory = Trajectory([], [*turns, Turn(text=final)], outcome, "42", transport="messages")  # type: ignore[arg-type]
    verdict = Verdict.correct() if right else Verdict.wrong("no")
    return Record(key, Question(task, 0, 1, prompt, {}), "teacher", trajectory, verdict, form=form)


@pytest.mark.parametrize(
    ("bad", "reason", "switch"),
    [
        (record(COMPUTED, right=False), "the answer is not correct", {"correct": False}),
        (record(COMPUTED, final="<<<1>>> or <<<42>>>"), "the format is not kept", {"well_formed": False}),
        (record(final="It is <<<42>>>"), "an answer without reasoning", {"min_words": 0}),
        (
            record(("I know it.", "print(42)", ExecResult("ok", stdout="42\n"))),
            "code that holds the answer",
            {"max_literal_share": None},
        ),
        (record(COMPUTED, final=f"{'word ' * 9000}<<<42>>>"), "too long", {"max_tokens": 0}),
    ],
)
def test_each_rule_drops_its_kind_and_can_be_switched_off(bad: Record, reason: str, switch: dict[str, object]) -> None:
    assert why_dropped(bad, ALL) == reason
    assert why_dropped(bad, replace(ALL, **switch)) is None


@pytest.mark.parametrize("good", [record(COMPUTED), record(final=f"{WORDS} <<<42>>>"), record(FAILED, COMPUTED)])
def test_what_is_right_is_kept(good: Record) -> None:
    assert why_dropped(good, ALL) is None


@pytest.mark.parametrize("outcome", ["lost", "length"])
def test_what_has_no_end_is_dropped_whatever_the_switches(outcome: str) -> None:
    off = FilterSettings(False, False, 0, 0, None, False, 0, 0, 0, 0, 0)
    assert "no end" in str(why_dropped(record(COMPUTED, outcome=outcome), off))


def test_a_value_that_was_computed_may_be_checked_by_its_value_later() -> None:
    again = ("I check it.", "print(42 == 6 * 7, 42)", ExecResult("ok", stdout="True 42\n"))
    assert not is_hard_coded(record(COMPUTED, again), 0.8)
    assert (
        is_hard_coded(record(("I know.", "print('is', 42)", ExecResult("ok", stdout="is 42\n")), COMPUTED), 0.8)
        is False
    )
    assert is_hard_coded(record(("I know.", "print('is', 42)", ExecResult("ok", stdout="is 42\n"))), 0.8)


def test_the_scripted_teachers_honest_work_passes_every_filter(synthesized: list[Record]) -> None:
    chosen = choose(synthesized, ALL)
    assert len(chosen.kept) >= 0.99 * len(synthesized), chosen.reasons
    assert len({record.question.task for record in chosen.kept}) == len({r.question.task for r in synthesized})


def test_planted_answers_in_the_teachers_own_trajectories_are_all_dropped(synthesized: list[Record]) -> None:
    kept = []
    for honest in synthesized:
        answer = honest.trajectory.answer or ""
        planted = ExecResult("ok", stdout=f"{answer}\n")
        turn = Turn(text="I know it.\n```python\n...```\n", call=CodeCall(f"print({answer!r})\n", planted))
        trajectory = replace(honest.trajectory, turns=[turn, honest.trajectory.turns[-1]])
        if is_hard_coded(replace(honest, trajectory=trajectory), 0.8) is False:
            kept.append(honest.question.task)
    assert kept == []


def test_kinds_are_told_by_what_was_said_and_run() -> None:
    assert not is_multi_turn(record(final=WORDS)) and is_multi_turn(record(COMPUTED))
    assert is_repairing(record(FAILED, COMPUTED)) and not is_repairing(record(COMPUTED, FAILED))
    assert is_switching(record(("I think it is 42. I check it.", *COMPUTED[1:])))
    assert is_switching(record(COMPUTED, final=f"{WORDS} {WORDS} <<<42>>>"))
    assert not is_switching(record(COMPUTED)) and not is_switching(record(final=WORDS))


def many(count: int, *kinds: Record) -> list[Record]:
    """Distinct records of these kinds, in turn."""
    return [
        replace(kind, key=f"{number:04}", question=replace(kind.question, prompt=f"What is {number}?"))
        for number, kind in zip(range(count), kinds * count, strict=False)
    ]


def test_the_same_words_about_the_same_question_count_once() -> None:
    twice = [record(COMPUTED, key="a"), record(COMPUTED, key="b"), record(FAILED, COMPUTED, key="c")]
    chosen = choose(twice, ALL)
    assert [one.key for one in chosen.kept] == ["a", "c"] and chosen.dropped == {"b": "said before"}
    assert len(choose(twice, replace(ALL, duplicates=False)).kept) == 3


def test_a_task_is_capped_and_its_forms_share_the_room() -> None:
    code, check = record(COMPUTED, form="code"), record(COMPUTED, form="check")
    chosen = choose(many(200, code, code, code, check), ALL)
    assert Counter(one.form for one in chosen.kept) == {"code": 35, "check": 35}
    assert chosen.reasons == {"over the cap of its task": 130}


def test_the_least_share_is_kept_by_leaving_out_others_and_the_target_cuts_others_first() -> None:
    words, code = record(final=f"{WORDS} <<<42>>>", form="text"), record(COMPUTED)
    few = choose(many(60, words, words, words, words, words, code), replace(ALL, multi_turn=0.5))
    assert len(few.kept) == 20 and sum(map(is_multi_turn, few.kept)) == 10
    cut = choose(many(60, words, code), replace(ALL, multi_turn=0.9, target=20))
    assert len(cut.kept) == 20 and sum(map(is_multi_turn, cut.kept)) >= 18


KINDS = [
    record(final=f"{WORDS} <<<42>>>", form="text"),
    record(COMPUTED),
    record(FAILED, COMPUTED, form="repair"),
    record(("I think it is 42. I check it.", *COMPUTED[1:]), form="check"),
    record(COMPUTED, right=False),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(0, 4), max_size=120),
    st.builds(
        FilterSettings,
        per_task=st.integers(0, 50),
        target=st.integers(0, 60),
        multi_turn=st.floats(0, 1),
        switching=st.floats(0, 0.4),
        repairing=st.floats(0, 0.4),
    ),
    st.integers(0, 3),
)
def test_every_record_is_kept_or_has_a_reason_and_all_bounds_hold(
    drawn: list[int], wanted: FilterSettings, seed: int
) -> None:
    records = [
        replace(KINDS[kind], key=f"{number:04}", question=replace(KINDS[kind].question, prompt=f"What is {number}?"))
        for number, kind in enumerate(drawn)
    ]
    chosen = choose(records, wanted, seed=seed)
    assert sorted([one.key for one in chosen.kept] + list(chosen.dropped)) == [one.key for one in records]
    assert chosen == choose(records[::-1], wanted, seed=seed)
    assert len(chosen.kept) <= min(wanted.per_task or 999, wanted.target or 999)
    for is_kind, share in ((is_multi_turn, wanted.multi_turn), (is_switching, wanted.switching)):
        assert sum(map(is_kind, chosen.kept)) >= share * len(chosen.kept) - 1


def test_a_length_without_tokenizer_is_estimated_high() -> None:
    assert estimated_tokens(record(COMPUTED)) >= len("What is 6 * 7?I compute it.print(6 * 7)") // 4
