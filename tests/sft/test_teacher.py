"""The scripted teacher computes from the prompt, and its forms are trajectories the protocol accepts."""

from random import Random

import pytest

from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.seed_policy.corpus import SHARE_IN_WORDS, speak
from r1ci_plugin.sft.scripts import SCRIPTS
from r1ci_plugin.sft.teacher import FORMS, Form, ScriptedTeacher
from r1ci_plugin.tasks import Question, get_task


@pytest.mark.parametrize("name", sorted(SCRIPTS))
async def test_the_script_alone_finds_the_right_answer(name: str) -> None:
    async with LocalExecutor(slots=2) as executor:
        for level in (1, 2, 3):
            question = get_task(name).make(50 + level, level)
            result = await executor.run(SCRIPTS[name](question.prompt), timeout=30.0)
            verdict = get_task(name).verify(question, result.stdout.strip())
            assert verdict.score == 1.0, (question.prompt, result, verdict)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_the_script_reads_the_prompt_and_not_the_payload(name: str) -> None:
    question = get_task(name).make(51, 1)
    bare = Question(question.task, question.seed, question.difficulty, question.prompt, payload={})
    teacher = ScriptedTeacher(bare, "code", Random(0))
    assert SCRIPTS[name](question.prompt) in teacher.speak()


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_ends_in_the_right_answer(form: Form) -> None:
    question = get_task("reasoning_gym/count_bits").make(52, 2)
    async with LocalExecutor(slots=1) as executor:
        spoken = await speak(question, form, executor)
    assert len(spoken.turns) == {"text": 1, "code": 2, "check": 2, "repair": 3}[form]
    assert [result.status for result in spoken.results] == (
        ["error", "ok"] if form == "repair" else ["ok"] * len(spoken.results)
    )
    answer = spoken.turns[-1].rpartition("<<<")[2].removesuffix(">>>")
    assert get_task(question.task).verify(question, answer).score == 1.0


def test_a_reworded_prompt_is_noticed() -> None:
    with pytest.raises(ValueError, match="does not match"):
        SCRIPTS["bbh/word_sorting"]("Put the words in order: b a")


def test_the_seed_policy_learns_tasks_that_the_teacher_can_do() -> None:
    assert set(SHARE_IN_WORDS) <= set(SCRIPTS)
