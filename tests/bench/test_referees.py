"""The benchmark's second opinions agree with the verifiers they watch, on right answers and on damaged ones."""

from __future__ import annotations

import pytest

from r1ci_plugin.bench.referees import REFEREES, really_right
from r1ci_plugin.tasks import get_task


@pytest.mark.parametrize("name", REFEREES)
def test_a_referee_and_the_verifier_say_the_same_of_every_questions_answer_to_every_question(name: str) -> None:
    task = get_task(name)
    for level in range(1, task.info.levels + 1):
        solved = [(question := task.make(seed, level), task.solve(question)) for seed in range(3)]
        for question, own in solved:
            assert really_right(name, question.prompt, own)
            for _, answer in solved:
                said = task.verify(question, answer).score
                assert bool(said) == _says(name, question.prompt, answer), (question.seed, level, answer)


def _says(name: str, prompt: str, answer: str) -> bool:
    try:
        return really_right(name, prompt, answer)
    except (ValueError, KeyError, IndexError):  # a referee reads well-formed answers to questions of this size alone
        return False


def test_tasks_with_one_right_answer_have_no_excuse() -> None:
    assert not really_right("symbench/letters", "How many?", "3")
