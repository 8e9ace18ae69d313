"""The scripted teacher computes from the prompt, and its forms are trajectories the protocol accepts."""

import asyncio
from random import Random

import pytest

from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.record import Record
from r1ci_plugin.seed_policy.corpus import SHARE_IN_WORDS
from r1ci_plugin.sft.filters import is_multi_turn, is_repairing, is_switching
from r1ci_plugin.sft.scripts import SCRIPTS
from r1ci_plugin.sft.teacher import Form, ScriptedTeacher, forms_of
from r1ci_plugin.sft.words import WORDS
from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.tasks.splits import get_split


def bare(question: Question) -> Question:
    """The question without what only its verifier knows."""
    return Question(question.task, question.seed, question.difficulty, question.prompt, payload={})


async def test_a_script_alone_finds_the_right_answer_on_harder_levels_too() -> None:
    async def wrong(name: str, level: int, executor: LocalExecutor) -> str | None:
        question = get_task(name).make(50 + level, level)
        result = await executor.run(SCRIPTS[name](question.prompt), timeout=30.0)
        verdict = get_task(name).verify(question, result.stdout.strip())
        return None if verdict.score else f"{name} level {level}: {verdict.reason} {result.status} {result.stderr}"

    async with LocalExecutor(slots=2) as executor:
        found = await asyncio.gather(*(wrong(name, 3, executor) for name in sorted(SCRIPTS)))
    assert [what for what in found if what] == []


def test_every_trajectory_is_right_and_keeps_the_format(synthesized: list[Record]) -> None:
    wrong = [record.key for record in synthesized if not record.acc or not record.trajectory.is_well_formed()]
    assert wrong == []
    assert {record.question.task for record in synthesized} == set(SCRIPTS)


def test_a_form_is_what_its_name_says(synthesized: list[Record]) -> None:
    by_form = {form: [record for record in synthesized if record.form == form] for form in ("text", "code", "repair")}
    assert by_form["text"] and not any(map(is_multi_turn, by_form["text"]))
    assert by_form["code"] and all(len(record.trajectory.turns) == 2 for record in by_form["code"])
    checks = [record for record in synthesized if record.form == "check"]
    assert checks and all(len(record.trajectory.calls) == 1 for record in checks)
    # where many answers are right, the script may find another one than the words proposed
    assert sum(map(is_switching, checks)) >= 0.8 * len(checks)
    repaired = [record for record in by_form["repair"] if is_repairing(record)]
    assert len(repaired) >= 0.95 * len(by_form["repair"]), "a slip that does not make the script fail repairs nothing"


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_script_and_words_read_the_prompt_and_not_the_payload(name: str) -> None:
    question = get_task(name).make(51, 1)
    assert SCRIPTS[name](question.prompt) in ScriptedTeacher(bare(question), "code", Random(0)).speak()
    if name in WORDS:
        answer = ScriptedTeacher(bare(question), "text", Random(0)).speak().rpartition("<<<")[2].removesuffix(">>>")
        assert get_task(name).verify(question, answer).score == 1.0


@pytest.mark.parametrize("name", sorted(WORDS))
def test_words_work_out_the_right_answer_on_every_level(name: str) -> None:
    for level in range(1, get_task(name).info.levels + 1):
        for seed in range(60, 66):
            question = get_task(name).make(seed, level)
            steps, answer = WORDS[name](question.prompt)
            assert get_task(name).verify(question, answer).score == 1.0, (steps, answer)


def test_a_reworded_prompt_is_noticed() -> None:
    with pytest.raises(ValueError, match="does not match"):
        SCRIPTS["bbh/word_sorting"]("Put the words in order: b a")


@pytest.mark.parametrize(("task", "form"), [("bbh/snarks", "code"), ("symbench/game24", "text")])
def test_a_task_or_form_the_teacher_does_not_have_is_refused(task: str, form: Form) -> None:
    assert form not in forms_of(task)
    question = Question(task, 0, 1, "?", {})
    with pytest.raises(ValueError, match="the scripted teacher has no"):
        ScriptedTeacher(question, form, Random(0))


def test_the_seed_policy_learns_tasks_that_the_teacher_can_do() -> None:
    assert set(SHARE_IN_WORDS) <= set(SCRIPTS)


def test_no_task_of_the_test_side_has_a_script() -> None:
    assert set(SCRIPTS) <= set(get_split("default").train)
