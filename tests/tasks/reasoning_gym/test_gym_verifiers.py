"""The measured defects of the library's generators and scorers, one test each, and the readers of answers."""

import json
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.tasks import Unparseable, get_task
from r1ci_plugin.tasks.reasoning_gym import expressions, lexicon, polynomials
from r1ci_plugin.tasks.reasoning_gym.arithmetic import complex_number, reduced_fraction
from r1ci_plugin.tasks.reasoning_gym.calculus import formula, is_antiderivative
from r1ci_plugin.tasks.reasoning_gym.logic import follows, read_formula
from r1ci_plugin.tasks.reasoning_gym.zebra import unique


def outcome(name, answer, seed=1, level=None):
    task = get_task(f"reasoning_gym/{name}")
    question = task.make(seed, level)
    return task.verify(question, answer(task, question) if callable(answer) else answer).outcome


def solved(task, question):
    return task.solve(question)


def judged(task, question, answer):
    return task.verify(question, answer).outcome


EXECUTED = [
    "binary_matrix",
    "spiral_matrix",
    "countdown",
    "intermediate_integration",
    "simple_integration",
    "polynomial_multiplication",
]


@pytest.mark.parametrize("name", EXECUTED)
def test_answers_are_never_run_as_code(name, tmp_path):
    mark = tmp_path / "owned"
    code = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    for answer in (code, f"[{code}]", f"1 + {code}", f"({code}) or 1"):
        assert outcome(name, answer) in ("unparseable", "wrong")
    assert not mark.exists()


@pytest.mark.parametrize("name", EXECUTED)
@pytest.mark.parametrize(
    "tower", ["9**9**9**9", "((9**999)**999)**999", "x**9**9**9", "(x+1)**99999", "exp(exp(exp(exp(exp(x)))))"]
)
def test_power_towers_are_refused_at_once(name, tower):
    assert outcome(name, tower) in ("unparseable", "wrong")


@pytest.mark.parametrize(
    "name", ["ab", "binary_matrix", "complex_arithmetic", "emoji_mystery", "self_reference", "circuit_logic"]
)
def test_a_trailing_newline_costs_nothing(name):
    assert outcome(name, lambda task, question: task.solve(question) + "\n") == "correct"


@pytest.mark.parametrize("name", ["course_schedule", "isomorphic_strings", "ransom_note", "syllogism", "acre"])
def test_case_of_a_label_does_not_matter(name):
    assert outcome(name, lambda task, question: task.solve(question).upper()) == "correct"


@pytest.mark.parametrize(
    "name", ["chain_sum", "basic_arithmetic", "count_bits", "lcm", "leg_counting", "count_primes", "simple_equations"]
)
def test_integers_have_no_tolerance(name):
    assert outcome(name, lambda task, question: str(int(task.solve(question)) + 1)) == "wrong"


@pytest.mark.parametrize("name", ["chain_sum", "aiw", "gcd", "spell_backward", "dice"])
def test_the_right_value_among_other_words_earns_nothing(name):
    assert outcome(name, lambda task, question: f"The answer may be {task.solve(question)} or not") in (
        "wrong",
        "unparseable",
    )


def test_number_sorting_has_no_tolerance_of_one():
    def shifted(task, question):
        return str(
            [str(Fraction(word.strip("'")) + Fraction(9, 10)) for word in task.solve(question).strip("[]").split(", ")]
        )

    assert outcome("number_sorting", shifted) == "wrong"


def test_game_of_life_pays_nothing_for_the_dead_board():
    def dead(task, question):
        return str([[0] * len(row) for row in question.payload["board"]])

    assert all(outcome("game_of_life", dead, seed) == "wrong" for seed in range(5))


def test_prime_factorization_survives_words_and_wants_every_factor():
    assert outcome("prime_factorization", "two times three") == "unparseable"
    assert outcome("prime_factorization", lambda task, question: str(question.payload["number"])) == "wrong"
    assert outcome("prime_factorization", lambda task, question: task.solve(question).replace("×", "*")) == "correct"


def test_propositional_logic_wants_more_than_a_copied_premise_or_a_tautology():
    assert outcome("propositional_logic", lambda task, question: question.payload["premises"][0]) in (
        "wrong",
        "unparseable",
    )

    def tautology(task, question):
        return "{0} ∨ ¬{0}".format(*question.payload["variables"])

    assert outcome("propositional_logic", tautology) == "wrong"
    assert outcome("propositional_logic", "¬" * 3000 + "P") == "unparseable"


def test_knights_knaves_does_not_pay_for_the_question_or_both_roles():
    def both(task, question):
        name, roles = question.payload["names"][0], question.payload["roles"]
        return f"{name} is a {roles[0]}, and {name} is a {roles[1]}"

    assert outcome("knights_knaves", lambda task, question: question.prompt) == "unparseable"
    assert outcome("knights_knaves", both) == "unparseable"


def test_sokoban_refuses_letters_that_are_no_moves_and_steps_into_walls():
    assert outcome("sokoban", lambda task, question: question.prompt) == "unparseable"
    assert outcome("sokoban", lambda task, question: "U" * 50 + task.solve(question)) == "wrong"


def test_rush_hour_refuses_slides_through_cars():
    assert outcome("rush_hour", "A+4") == "wrong"


def test_shortest_path_wants_the_shortest():
    def detour(task, question):
        way = task.solve(question).split()
        back = {"up": "down", "down": "up", "left": "right", "right": "left"}
        return " ".join([way[0], back[way[0]], *way])

    seeds = [seed for seed in range(30) if outcome("shortest_path", "infeasible", seed) == "wrong"]
    assert outcome("shortest_path", detour, seeds[0]) == "wrong"


def test_polynomial_product_must_be_expanded():
    assert outcome("polynomial_multiplication", lambda task, question: question.payload["expression"]) == "unparseable"


def test_polynomial_equations_want_four_rounded_decimals():
    task = get_task("reasoning_gym/polynomial_equations")
    question = task.make(1, 1)
    root = float(task.solve(question))
    assert task.verify(question, f"{root:.4f}").outcome == "correct"
    assert task.verify(question, f"{root + 0.0001:.4f}").outcome == "wrong"
    assert task.verify(question, f"{root + 0.001:.4f}").outcome == "wrong"
    assert task.verify(question, f"{root}, {root}").outcome == "wrong"


def test_simple_geometry_asks_only_for_angles_of_convex_polygons():
    task = get_task("reasoning_gym/simple_geometry")
    assert all(0 < float(task.solve(task.make(seed, level))) < 180 for seed in range(5) for level in range(1, 6))


def test_countdown_counts_the_numbers_that_are_used():
    def padded(task, question):
        return f"({task.solve(question)}) + 1 - 1"

    assert outcome("countdown", padded) == "wrong"
    assert outcome("countdown", lambda task, question: str(question.payload["target"])) == "wrong"


def test_tower_of_hanoi_refuses_a_larger_disk_on_a_smaller_one():
    task = get_task("reasoning_gym/tower_of_hanoi")
    question = task.make(1, 2)
    lines = task.solve(question).splitlines()
    assert task.verify(question, "\n".join(lines[1:])).outcome == "wrong"
    assert task.verify(question, "\n".join(lines).upper()).outcome == "correct"
    assert task.verify(question, json.dumps(lines)).outcome == "correct"
    assert task.verify(question, "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1))).outcome == "correct"


def test_jugs_hold_the_amount_at_the_end_and_not_on_the_way():
    task, rng = get_task("reasoning_gym/jugs"), Random(0)
    moves = [move for a, b in ("AB", "BA") for move in (f"fill {a}", f"fill {a}", f"empty {a}", f"pour {a}->{b}")]
    through_all = json.dumps([rng.choice(moves) for _ in range(1_350)])
    questions = [task.make(seed, 1) for seed in range(40)]
    assert sum(task.verify(question, through_all).score for question in questions) <= 0.3 * len(questions)
    longer = json.dumps([*json.loads(task.solve(questions[0])), "empty A", "empty B"])
    assert task.verify(questions[0], longer).reason == "at the end the jugs hold 0, 0"


def test_a_constant_is_no_antiderivative_of_a_tiny_integrand():
    task = get_task("reasoning_gym/intermediate_integration")
    question = next(q for q in (task.make(seed, 2) for seed in range(169, 400)) if "exp(" in q.prompt)
    assert judged(task, question, "1") == "wrong"
    assert judged(task, question, task.solve(question) + " + 7") == "correct"


def test_decimals_that_need_no_rounding_are_met_to_the_last_asked_digit():
    task = get_task("reasoning_gym/decimal_arithmetic")
    question = next(q for q in (task.make(seed, 1) for seed in range(400)) if "/" not in q.payload["expression"])
    right = Fraction(task.solve(question))
    near = [f"{float(right + shift):.9f}" for shift in (Fraction(1, 10**5), Fraction(-1, 10**6))]
    assert [judged(task, question, answer) for answer in near] == ["wrong", "wrong"]


def test_milliseconds_have_three_digits():
    task = get_task("reasoning_gym/time_intervals")
    question = next(q for q in (task.make(seed, 3) for seed in range(400)) if q.payload.get("form", "").endswith("mmm"))
    right = task.solve(question)
    assert judged(task, question, right) == "correct"
    assert judged(task, question, right[:-1]) == "unparseable"


def test_sentences_are_whole():
    found = lexicon.sentences()
    assert len(found) > 200
    assert all(any(map(str.isalnum, word)) for one in found for word in one.split())
    assert not [one for one in found if one.count('"') % 2 or one.endswith(("Dr.", "Mr.", "Mrs."))]


def test_graph_color_refuses_repeated_vertices_and_foreign_colours():
    assert outcome("graph_color", '{"0": 1, "0": 2}') == "unparseable"
    assert outcome("graph_color", lambda task, question: task.solve(question).replace(": 1", ": 9")) == "wrong"


def test_word_ladder_accepts_any_ladder_of_words_but_no_invented_ones():
    task = get_task("reasoning_gym/word_ladder")
    question = task.make(1, 2)
    path = task.solve(question).split(",")
    assert task.verify(question, ", ".join([*path[:2], path[0], *path[1:]]).lower()).outcome == "correct"
    assert task.verify(question, ",".join([path[0], path[-1]])).outcome == "wrong"


def test_sentence_reordering_keeps_repeated_words_where_they_stand():
    task = get_task("reasoning_gym/sentence_reordering")
    questions = [task.make(seed, 4) for seed in range(20)]
    repeated = [q for q in questions if len(set(q.payload["mixed"])) < len(q.payload["mixed"])]
    assert repeated and all(task.verify(q, task.solve(q)).outcome == "correct" for q in repeated)


@pytest.mark.parametrize("relation", ["niece", "nephew", "son-in-law", "daughter-in-law"])
def test_family_relations_point_the_right_way(relation):
    task = get_task("reasoning_gym/family_relationships")
    question = next(q for q in (task.make(seed, 3) for seed in range(400)) if q.payload["answer"] == relation)
    female = question.payload["sexes"][question.payload["first"]]
    assert female == (relation in ("niece", "daughter-in-law"))


def test_expression_signs_bind_as_in_algebra():
    assert expressions.value(expressions.parse("-2**2 + 3 - 4 - 5")) == -10
    assert expressions.value(expressions.parse("2**-1 * 8 / 2 / 2")) == 1
    assert expressions.value(expressions.parse("(0xff << 2) >> 1")) == 510


@given(st.text(alphabet="0123456789+-*/^().x e", max_size=40))
def test_any_text_is_read_or_unparseable(text):
    try:
        node = expressions.parse(text, {"x"})
        polynomials.polynomial(node)
    except Unparseable:
        pass


coefficients = st.lists(st.integers(-9, 9), min_size=1, max_size=5)


@given(coefficients, coefficients)
def test_rendered_products_are_read_back(first, second):
    def build(row):
        return {((("x", power),) if power else ()): Fraction(c) for power, c in enumerate(row) if c}

    a, b = build(first), build(second)
    text = f"({polynomials.render(a)}) * ({polynomials.render(b)})"
    product = polynomials.polynomial(expressions.parse(text, {"x"}))
    assert product == polynomials.multiply(a, b)
    assert polynomials.polynomial(expressions.parse(polynomials.render(product), {"x"}), expanded=True) == product


@pytest.mark.parametrize(
    ("candidate", "integrand", "right"),
    [
        ("x**2/2 + C", "x", True),
        ("log(x)", "1/x", True),
        ("x*asin(2*x) + sqrt(1 - 4*x**2)/2", "asin(2*x)", True),
        ("exp(x)*(sin(x) - cos(x))/2", "exp(x)*sin(x)", True),
        ("E**(3*x)/3", "exp(3*x)", True),
        ("-2*(5 - 3*x)**(3/2)/9", "sqrt(5 - 3*x)", True),
        ("x**2/2 + x/10000", "x", False),
        ("sin(x)**2", "sin(x)", False),
    ],
)
def test_antiderivatives_are_told_by_differentiation(candidate, integrand, right):
    assert is_antiderivative(formula(candidate, "x"), formula(integrand, "x"), "x", seed=integrand) is right


def taylor(terms):
    """The beginning of the series of an antiderivative of -27*x*sin(12*x)."""
    written, factorial = [], 1
    for n in range(terms):
        factorial *= max(1, 2 * n * (2 * n + 1))
        written.append(f"{(-1) ** n * -27}*12**{2 * n + 1}*x**{2 * n + 3}/{(2 * n + 3) * factorial}")
    return "+".join(written)


@pytest.mark.parametrize(
    ("candidate", "integrand", "right"),
    [
        (taylor(35), "-27*x*sin(12*x)", False),
        ("27*(12*x*cos(12*x) - sin(12*x))/144", "-27*x*sin(12*x)", True),
        ("x**2/2 + C*x", "x", False),
        ("4*exp(13*x + 40)/13 + C*x", "4*exp(13*x + 40)", False),
        ("4*exp(13*x + 40)/13 + C", "4*exp(13*x + 40)", True),
        ("(x**2 + C)/2", "x", True),
        ("log(C*x)", "1/x", True),
        ("exp(x)*(x - 1 + C*exp(-x))", "x*exp(x)", True),
        ("(-182*x - 13 - 413*exp(14*x)*cos(2*x))*exp(-14*x)/28", "91*x*exp(-14*x) + 59*sin(2*x)/2", True),
    ],
)
def test_neither_a_series_nor_a_multiple_of_the_constant_is_an_antiderivative(candidate, integrand, right):
    assert is_antiderivative(formula(candidate, "x"), formula(integrand, "x"), "x", seed=integrand) is right


def test_powers_are_rounded_to_three_figures():
    task = get_task("reasoning_gym/power_function")
    question = task.make(7, 2)
    assert "(-91.9861)^-2" in question.prompt
    judged = {answer: task.verify(question, answer).outcome for answer in ("1.18e-04", "1.1849e-04", "1.19e-04")}
    assert judged == {"1.18e-04": "correct", "1.1849e-04": "wrong", "1.19e-04": "wrong"}


def test_readers_of_fractions_and_complex_numbers():
    assert reduced_fraction("$\\dfrac{3}{7}$") == reduced_fraction("3 / 7") == (3, 7)
    assert complex_number("3 - i") == (3, -1)
    assert complex_number("-27.00i") == (0, -27)
    assert complex_number("(4.5+0i)") == (Fraction(9, 2), 0)
    for text in ("3 + + i", "i i", "3i + 4i", "three"):
        with pytest.raises(Unparseable):
            complex_number(text)


def test_formulae_take_ascii_signs_and_nest_as_usual():
    assert read_formula("~P & Q -> R | S <-> T") == read_formula("(((¬P ∧ Q) → (R ∨ S)) ↔ T)")
    assert read_formula("P -> Q -> R") == read_formula("P → (Q → R)")


def _holds_in(sentence, world):
    quantifier, subject, predicate = sentence
    inside = [bool(region >> predicate & 1) for region in world if region >> subject & 1]
    return {"all": all(inside), "no": not any(inside), "some": any(inside), "some not": not all(inside)}[quantifier]


sentences = st.tuples(st.sampled_from(["all", "no", "some", "some not"]), st.integers(0, 2), st.integers(0, 2))


@given(st.lists(sentences, min_size=1, max_size=3), sentences)
def test_syllogisms_are_decided_as_by_going_through_all_worlds(premises, conclusion):
    worlds = [[region for region in range(8) if inhabited >> region & 1] for inhabited in range(1, 256)]
    full = [world for world in worlds if all(any(region >> c & 1 for region in world) for c in range(3))]
    models = [world for world in full if all(_holds_in(premise, world) for premise in premises)]
    assert follows(premises, conclusion, 3) == all(_holds_in(conclusion, world) for world in models)


def test_the_library_does_not_change_the_decimal_precision_of_the_process():
    from decimal import getcontext

    before = getcontext().prec
    get_task("reasoning_gym/decimal_arithmetic").make(1, 1)
    assert getcontext().prec == before


def test_decimal_arithmetic_has_no_tolerance_of_a_thousandth():
    def rounded(task, question):
        return f"{float(task.solve(question)):.3g}"

    assert outcome("decimal_arithmetic", rounded, 3, 3) == "wrong"


def test_zebra_clues_are_all_needed_and_leave_one_solution():
    question = get_task("reasoning_gym/zebra_puzzles").make(2, 2)
    rows, clues = question.payload["rows"], [tuple(clue) for clue in question.payload["clues"]]
    assert unique(rows, clues)
    assert not any(unique(rows, [other for other in clues if other != clue]) for clue in clues)
