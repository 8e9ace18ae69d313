"""The card's pass rates are of questions that the policy was not trained on, each counted once."""

from __future__ import annotations

import json

import pytest

from r1ci_plugin.seed_policy import seed_policy_path
from r1ci_plugin.seed_policy.card import card
from r1ci_plugin.seed_policy.measure import TRIES, fresh

SEEN = frozenset(json.loads((seed_policy_path() / "questions_seen.json").read_text()))


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("task", ["bbh/boolean_expressions", "symbench/game24", "symbench/string_insertion"])
def test_questions_are_different_ones_that_the_policy_has_not_seen(task: str, level: int) -> None:
    ids = [question.question_id for question in fresh(task, level, 25, SEEN)]
    assert len(ids) == len(set(ids)) == 25 and not SEEN & set(ids)


def test_a_level_without_enough_unseen_questions_gives_what_it_has() -> None:
    task = "reasoning_gym/spell_backward"
    made = fresh(task, 1, 10 * TRIES, frozenset())
    trained_on = {question.question_id for question in made[3:]}
    assert fresh(task, 1, 10, trained_on) == made[:3]


@pytest.mark.parametrize("count, said", [(50, False), (49, True)])
def test_the_card_says_where_there_were_fewer(count: int, said: bool) -> None:
    row = {"task": "symbench/game24", "level": 1, "pass_rate": 0.5, "code_rate": 0.5, "n": count}
    text = card([row], parameters=2_000_000, seen=10, questions=50, temperature=1.0)
    assert "50 of a task and level" in text and ("fewer" in text) == said and f"| {count} |" in text
