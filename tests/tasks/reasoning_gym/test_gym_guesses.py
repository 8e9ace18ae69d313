"""Blind guesses and guesses from a look at the question earn the stated chance, and no more."""

import json

import pytest

from r1ci_plugin.tasks import get_task
from r1ci_plugin.tasks.reasoning_gym.logic import read_formula, size


def questions(name, level, seeds):
    task = get_task(f"reasoning_gym/{name}")
    return [task.make(seed, level) for seed in seeds]


def share(name, guess, level=None, seeds=range(120)):
    """The share of questions that `guess`, a function of the question, answers."""
    task = get_task(f"reasoning_gym/{name}")
    made = [task.make(seed, level) for seed in seeds]
    return sum(task.verify(question, guess(question)).score for question in made) / len(made)


def filled(question, ticked):
    """The grid with a tick in the hole of this number and crosses in all others; -1 for no tick."""
    first, *others = "\n".join(question.payload["rows"]).split("❔")
    return first + "".join(("✅" if number == ticked else "❌") + rest for number, rest in enumerate(others))


@pytest.mark.parametrize("level", [1, 2, 3])
def test_modulo_grids_are_not_completed_by_one_mark(level):
    assert share("modulo_grid", lambda question: filled(question, -1), level, range(30)) == 0
    assert share("modulo_grid", lambda question: "\n".join(question.payload["rows"]).replace("❔", "✅"), level) == 0


GUESSES = {
    "modulo_grid": lambda question: filled(question, 1),
    "prime_factorization": lambda question: str(question.payload["number"]),
    "color_cube_rotation": lambda question: question.payload["initial_state"][question.payload["target_side"]],
    "graph_color": lambda question: json.dumps({str(v): 1 + i % 3 for i, v in enumerate(question.payload["vertices"])}),
    "propositional_logic": lambda question: " ↔ ".join(sorted(question.payload["variables"])[:3:2]),
    "shortest_path": lambda question: "infeasible",
    "knight_swap": lambda question: "No",
    "maze": lambda question: "4",
}


@pytest.mark.parametrize("name", GUESSES)
def test_guesses_at_the_default_level_earn_the_stated_chance(name):
    chance = get_task(f"reasoning_gym/{name}").info.chance
    earned = share(name, GUESSES[name], seeds=range(250))
    assert earned <= chance * 4 / 3 + 0.05
    assert earned >= chance / 2 - 0.02


def test_large_grids_are_seldom_without_a_way():
    assert share("shortest_path", lambda question: "infeasible", 4, range(200)) < 0.15


@pytest.mark.parametrize("level", [1, 2, 3])
def test_no_formula_is_a_conclusion_of_many_premises(level):
    for constant in ("P ↔ Q", "P ↔ R", "R"):
        assert share("propositional_logic", lambda question, constant=constant: constant, level) < 0.1


def test_premises_and_truth_use_the_same_letters():
    letters = set()
    for question in questions("propositional_logic", 2, range(30)):
        used = {sign for premise in question.payload["premises"] for sign in premise if sign.isalpha()}
        assert used <= set(question.payload["variables"])
        assert all(size(read_formula(premise)) for premise in question.payload["premises"])
        assert all(
            f"{number}. {premise}" in question.prompt for number, premise in enumerate(question.payload["premises"], 1)
        )
        letters |= used
    assert len(letters) > 12


def test_primes_are_seldom_asked_to_be_factored():
    assert share("prime_factorization", lambda question: str(question.payload["number"]), 1, range(300)) < 0.07
