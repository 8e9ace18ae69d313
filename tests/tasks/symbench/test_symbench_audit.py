"""What the public verifiers of SymBench accept wrongly or refuse wrongly, one named test a defect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.tasks.symbench import new_operator, path_plan, reactions
from r1ci_plugin.tasks.symbench.constrained_linear_arrangement import result
from r1ci_plugin.tasks.symbench.mahjong_pattern import judge
from r1ci_plugin.tasks.symbench.standard_sudoku import UNITS


def outcome(name: str, payload: dict[str, Any], answer: str) -> str:
    return get_task(f"symbench/{name}").verify(Question(f"symbench/{name}", 0, 1, "", payload), answer).outcome


def test_game24_accepts_an_exact_fraction_that_floats_miss() -> None:
    assert outcome("game24", {"numbers": [8, 3, 8, 3], "target": 24}, "8 / (3 - 8/3)") == "correct"


@pytest.mark.parametrize("answer", ["1.5 * 16", "24", "6*4*1*1", "(6)4*1*1", "-(1-5)*6*1", "5*5-1**1", "5*5-1//1"])
def test_game24_refuses_other_numbers_and_other_operators(answer: str) -> None:
    assert outcome("game24", {"numbers": [1, 5, 5, 1], "target": 24}, answer) in ("wrong", "unparseable")


def test_game24_accepts_the_equation_and_refuses_a_false_right_side() -> None:
    payload = {"numbers": [1, 5, 5, 1], "target": 24}
    assert outcome("game24", payload, "5*5 - 1*1 = 24") == "correct"
    assert outcome("game24", payload, "5*5 - 1*1 = 25") == "wrong"
    assert outcome("game24", payload, "5 × 5 − 1 ÷ 1") == "correct"


def test_game24_calls_division_by_zero_wrong() -> None:
    assert outcome("game24", {"numbers": [1, 5, 5, 1], "target": 24}, "1/(5-5)*1") == "wrong"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("6 * 9 + 1", "wrong"),  # another order
        ("69 - 1", "wrong"),  # joined digits
        ("1 + 6 * 9", "correct"),
        ('["1", "+", "6", "*", "9"]', "correct"),
        ("1 + 6 ** 9", "unparseable"),
        ("1 // 6 + 9", "unparseable"),
    ],
)
def test_combinatorial_calculation_keeps_order_and_digits(answer: str, expected: str) -> None:
    assert outcome("combinatorial_calculation", {"digits": [1, 6, 9], "target": 55}, answer) == expected


def test_number_multiply_refuses_the_right_digits_inside_other_digits() -> None:
    payload = {"factors": [4, 31], "answer": 124}
    assert outcome("number_multiply", payload, "51240") == "wrong"
    assert outcome("number_multiply", payload, "4 * 31 = 124") == "unparseable"
    assert outcome("number_multiply", payload, "124.0") == "correct"


def test_number_multiply_has_no_tolerance() -> None:
    assert outcome("number_multiply", {"factors": [], "answer": 10**17}, str(10**17 + 1)) == "wrong"


def test_letters_accepts_no_positions_and_minds_the_order_of_positions() -> None:
    assert outcome("letters", {"answer": [0]}, "Count: 0, Positions: []") == "correct"
    assert outcome("letters", {"answer": [2, 1, 4]}, "Count: 2, Positions: [4, 1]") == "wrong"
    assert outcome("letters", {"answer": [2, 1, 4]}, "Count: 2, Positions: [1, 4, 4]") == "wrong"


def board(text: str) -> list[list[str]]:
    return [list(row) for row in text.split()]


SOLUTION = "0 0, 1 4, 2 7, 3 5, 4 2, 5 6, 6 1, 7 3"


def test_eight_queens_refuses_boards_that_ignore_given_queens() -> None:
    given = board("01000000 " + "00000000 " * 7)
    assert outcome("eight_queens", {"board": given}, SOLUTION) == "wrong"
    assert outcome("eight_queens", {"board": board("10000000 " + "00000000 " * 7)}, SOLUTION) == "correct"


def test_eight_queens_refuses_queens_off_the_board_and_on_blocked_cells() -> None:
    free = board("00000000 " * 8)
    assert outcome("eight_queens", {"board": free}, "0 0, 1 2, 2 4, 3 6, 4 8, 5 10, 6 12, 7 14") == "wrong"
    assert outcome("eight_queens", {"board": free}, "0 0, 1 4, 2 7, 3 5, 4 2, 5 6, 6 1, 7 -5") == "wrong"
    assert outcome("eight_queens", {"board": board("X0000000 " + "00000000 " * 7)}, SOLUTION) == "wrong"


def test_letter_logic_diagram_accepts_every_completion() -> None:
    """The lower right corner of this square can be filled in two ways."""
    payload = {"board": [["b", "c", "d", "a"], ["d", "b", "a", "c"], ["-", "a", "-", "-"], ["a", "-", "-", "-"]]}
    completions = ["b c d a\nd b a c\nc a b d\na d c b", "b c d a\nc d a b\nd a b c\na b c d"]
    assert outcome("letter_logic_diagram", payload, completions[0]) == "correct"
    assert outcome("letter_logic_diagram", payload, completions[1]) == "wrong"
    payload["board"][1] = ["-", "-", "a", "-"]
    assert outcome("letter_logic_diagram", payload, completions[0]) == "correct"
    assert outcome("letter_logic_diagram", payload, completions[1]) == "correct"


LOGIC = {"grid": [[1, -2, 3], [1, 2, -4], [4, 1, -1]], "count": 3, "rule": "sum"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("0 2, 0 1, 1 2", "correct"),
        ("7 7, 7 7, 7 7", "wrong"),  # one off-grid cell three times
        ("0 2, 0 2, 0 2", "wrong"),  # one cell three times
        ("0 1, 1 2, 2 2", "wrong"),  # without the forced cell
        ("0 2, 0 0, 1 0", "wrong"),  # one value twice
        ("0 2, 1 1, 2 0", "correct"),
        ("0 2, 2 0, 2 1", "wrong"),  # 4 + 1 is more than 4
    ],
)
def test_logic_puzzle_minds_range_difference_forced_cell_and_lines(answer: str, expected: str) -> None:
    assert outcome("logic_puzzle", LOGIC, answer) == expected


def test_logical_equation_refuses_repeated_values() -> None:
    payload = {"letters": "AB", "values": [2, 3], "constraints": [["greater", "A", "B", ""]]}
    assert outcome("logical_equation", payload, "3, 2") == "correct"
    assert outcome("logical_equation", payload, "3, 3") == "wrong"
    assert outcome("logical_equation", payload, "9, 1") == "wrong"


def test_logical_equation_factors_are_exact() -> None:
    payload = {"letters": "AB", "values": [50, 55], "constraints": [["factor", "A", "B", "1.1"]]}
    assert outcome("logical_equation", payload, "55, 50") == "correct"
    assert 50 * 1.1 != 55  # what floats make of it


def test_permutations_refuse_junk_in_place_of_a_book_without_rules() -> None:
    payload = {"books": "ABC", "rules": [["left of", "A", "B"]]}
    assert outcome("permutations_and_combinations", payload, "A, C, B") == "correct"
    assert outcome("permutations_and_combinations", payload, "A, X, B") == "wrong"
    assert outcome("permutations_and_combinations", payload, "A, A, B") == "wrong"


def test_constrained_elements_are_judged_both_ways() -> None:
    assert [result("elements", "A", other) for other in "ABCDE"] == ["draw", "loss", "win", "loss", "win"]
    assert [result("elements", other, "A") for other in "ABCDE"] == ["draw", "win", "loss", "win", "loss"]


def test_constrained_accepts_every_card_that_explains_the_result_and_single_use_only() -> None:
    payload = {"game": "elements", "limit": 1, "mine": ["A", "B"], "results": ["win", "draw"]}
    assert outcome("constrained_linear_arrangement", payload, "C, B") == "correct"
    assert outcome("constrained_linear_arrangement", payload, "E, B") == "correct"
    payload["results"] = ["win", "win"]  # B wins against A (which generates it) and D
    assert outcome("constrained_linear_arrangement", {**payload, "mine": ["A", "A"]}, "C, C") == "wrong"
    assert outcome("constrained_linear_arrangement", {**payload, "mine": ["A", "A"]}, "C, E") == "correct"


def test_pattern_recognition_has_one_largest_square_of_at_least_three() -> None:
    task = get_task("symbench/pattern_recognition")
    for seed in range(10):
        question = task.make(seed)
        row, column = question.payload["answer"]
        rows = question.payload["rows"]
        block = {rows[r][c] for r in range(row - 3, row) for c in range(column - 3, column)}
        assert len(block) == 1


def test_reversi_shows_the_board_before_the_moves() -> None:
    task = get_task("symbench/reversi")
    for seed in range(20):
        question = task.make(seed)
        assert task.verify(question, question.prompt.split("\n\n")[1]).outcome == "wrong"


def test_game_2048_and_lights_always_change() -> None:
    for name in ("game_2048", "light_puzzles"):
        task = get_task(f"symbench/{name}")
        for seed in range(30):
            question = task.make(seed, 1)
            assert task.verify(question, question.prompt.split("\n\n")[1]).outcome == "wrong"


def test_mahjong_finds_a_run_when_a_letter_of_the_hand_is_doubled() -> None:
    assert judge(list("AABCXYZKLMNOP"), "D") == "Chi"
    assert judge(list("BBDDXXZZKKMMP"), "C") == "Chi"
    assert judge(list("ACACXXZZKKMMP"), "A") == "Peng"
    assert judge(list("YYAAKKRRTTPPM"), "Z") == "Pass"  # the alphabet does not go round


def test_new_operator_evaluates_all_three_operators_from_left_to_right() -> None:
    definitions: dict[str, list[int | str]] = {"#": ["linear", 2, 3], "@": ["quotient", 1, 1]}
    assert new_operator.evaluate(definitions, [1, 2, 3, 4], ["#", "@", "#"]) == 18
    assert str(new_operator.evaluate(definitions, [1, 2, 4], ["#", "@"])) == "9/4"


def test_new_operator_reads_fractions_and_precise_decimals_and_no_near_integers() -> None:
    payload = {"definitions": {"@": ["quotient", 1, 1]}, "numbers": [6, 3], "operators": ["@"]}
    assert outcome("new_operator", payload, "7/3") == "correct"
    assert outcome("new_operator", payload, "2.3333333333333335") == "correct"
    assert outcome("new_operator", payload, "2.333") == "wrong"
    assert outcome("new_operator", {**payload, "numbers": [5, 3]}, "2.0000001") == "wrong"


@pytest.mark.parametrize(
    ("answer", "expected"), [("2.5", "correct"), ("2.50", "correct"), ("3", "wrong"), ("2", "wrong")]
)
def test_pooling_accepts_averages(answer: str, expected: str) -> None:
    assert outcome("pooling", {"matrix": [[1, 2], [3, 4]], "window": 2, "kind": "average"}, answer) == expected


def test_pooling_accepts_both_roundings_of_a_half_and_nothing_beyond() -> None:
    payload = {"matrix": [[0, 0, 0, 0]] * 3 + [[0, 0, 0, 2]], "window": 4, "kind": "average"}  # exactly 0.125
    assert [outcome("pooling", payload, text) for text in ("0.12", "0.13", "0.11", "0.14")] == [
        "correct",
        "correct",
        "wrong",
        "wrong",
    ]


def test_pooling_wants_averages_rounded_to_two_decimals() -> None:
    quarter = {"matrix": [[12, 12], [12, 13]], "window": 2, "kind": "average"}
    assert [outcome("pooling", quarter, text) for text in ("12.25", "12.250", "12.254", "12.2459")] == [
        "correct",
        "correct",
        "wrong",
        "wrong",
    ]
    third = {"matrix": [[1, 1, 1], [1, 1, 1], [1, 1, 4]], "window": 3, "kind": "average"}  # 4/3
    assert outcome("pooling", third, "1.33") == "correct"
    assert outcome("pooling", third, "1.3333") == "wrong"


def test_pooling_of_maxima_has_no_tolerance() -> None:
    payload = {"matrix": [[1, 2], [3, 4]], "window": 2, "kind": "max"}
    assert outcome("pooling", payload, "4") == "correct"
    assert outcome("pooling", payload, "4.001") == "wrong"


def test_counts_of_ten_and_more_are_read_as_numbers() -> None:
    payload = {"answer": [1, 12, 0, 0, 0, 0]}
    assert outcome("string_splitting", payload, "1, 12, 0, 0, 0, 0") == "correct"
    assert outcome("string_splitting", payload, "11, 2, 0, 0, 0, 0") == "wrong"
    assert outcome("string_splitting", payload, "1120000") == "wrong"


def test_string_synthesis_applies_a_method_once_a_turn() -> None:
    """Two turns of the first method in a row would leave no [C] for the others."""
    start = {"[A]": 3, "[B]": 3, "[C]": 2, "{A}": 0, "{B}": 0, "{C}": 0, "(A)": 0, "(B)": 0, "(C)": 0}
    final = reactions.react(start, reactions.SYNTHESIS)
    assert final == {"[A]": 1, "[B]": 0, "[C]": 0, "{A}": 0, "{B}": 1, "{C}": 0, "(A)": 1, "(B)": 1, "(C)": 0}


def segment(*points: tuple[int, int]) -> str:
    return ", ".join(map(str, points))


MAP = {
    "side": 10,
    "boxes": {"red": [4, 4, 6, 6], "blue": [0, 8, 1, 9], "green": [8, 0, 9, 1]},
    "visit": [],
    "avoid": ["red"],
    "walls": [[2, 2, 2, 8]],
    "ordered": True,
    "start": [3, 5],
    "end": [7, 5],
}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(3, 5), (7, 5)], "wrong"),  # straight through
        ([(3, 5), (3, 7), (7, 7), (7, 5)], "correct"),
        ([(3, 5), (3, 6), (7, 6), (7, 5)], "wrong"),  # along the border
        ([(3, 5), (4, 7), (7, 7), (7, 5)], "correct"),
        ([(3, 5), (5, 7), (7, 5)], "wrong"),  # through a corner only
        ([(3, 5), (2, 9), (7, 9), (7, 5)], "correct"),
        ([(3, 5), (2, 8), (7, 9), (7, 5)], "wrong"),  # touches the end of the wall
        ([(3, 5), (3, 11), (7, 11), (7, 5)], "wrong"),  # off the map
        ([(3, 5), (3, 7), (7, 7)], "wrong"),  # does not end at the end
    ],
)
def test_path_plan_judges_closed_boxes_exactly(points: list[tuple[int, int]], expected: str) -> None:
    assert outcome("path_plan", MAP, segment(*points)) == expected
    assert outcome("path_plan", MAP, json.dumps(points)) == expected  # lists are as good as tuples


def test_path_plan_finds_a_segment_wholly_inside_of_a_box() -> None:
    assert path_plan.touch([0, 0, 9, 9], *[(path_plan.Fraction(x), path_plan.Fraction(1)) for x in (2, 3)]) == (0, 1)


def test_path_plan_minds_the_order_of_visits_only_where_it_is_asked_for() -> None:
    there = [(3, 5), (3, 1), (8, 1), (8, 0), (1, 0), (1, 8), (3, 9), (7, 9), (7, 5)]
    both = {**MAP, "visit": ["blue", "green"]}
    assert outcome("path_plan", {**both, "ordered": False}, segment(*there)) == "correct"
    assert outcome("path_plan", both, segment(*there)) == "wrong"
    assert outcome("path_plan", {**both, "visit": ["green", "blue"]}, segment(*there)) == "correct"


BOXNET = {"rows": 2, "columns": 2, "boxes": {"red": [0, 0]}, "targets": {"red": [1, 1]}}


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ([["robot[0, 0]", "square[0, 1]"], ["robot[0, 1]", "square[1, 1]"], ["robot[1, 1]", "target_red"]], "correct"),
        ([["robot[1, 1]", "square[0, 1]"], ["robot[0, 0]", "square[0, 1]"], ["robot[0, 1]", "square[1, 1]"]], "wrong"),
        ([["robot[0, 0]", "square[1, 1]"], ["robot[1, 1]", "target_red"]], "wrong"),  # hops over a corner
        ([["robot[0, 0]", "target_red"]], "wrong"),
        ([["robot[0, 0]", "square[0, 2]"]], "wrong"),  # off the grid
        ([["robot[0, 0]", "square[0, 1]"], ["robot[0, 1]", "square[1, 1]"]], "wrong"),  # not put onto the target
    ],
)
def test_boxnet_refuses_plans_with_illegal_moves(plan: list[list[str]], expected: str) -> None:
    steps = [{robot: f"move(box_red, {to})"} for robot, to in plan]
    assert outcome("boxnet", BOXNET, json.dumps(steps)) == expected


def test_boxnet_refuses_two_cells_in_one_step_and_repeated_keys() -> None:
    hop = '[{"robot[0, 0]": "move(box_red, square[0, 1])", "robot[0, 1]": "move(box_red, square[1, 1])"}]'
    twice = '[{"robot[0, 0]": "move(box_red, square[0, 1])", "robot[0, 0]": "move(box_red, square[1, 0])"}]'
    assert outcome("boxnet", BOXNET, hop) == "wrong"
    assert outcome("boxnet", BOXNET, twice) == "unparseable"
    assert outcome("boxnet", BOXNET, twice.replace("robot[0, 0]", "robot[0,0]", 1)) == "wrong"


LIFT = {"weights": [50, 30], "capacities": [30, 25], "limit": 2}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Step 1: [(50, [0, 1])]\nStep 2: [(30, [0])]", "correct"),
        ("[(30, [0])]\n[(50, [1, 0])]", "correct"),
        ("Step 1: [(50, [0, 1]), (30, [0])]", "wrong"),  # a lifter twice in a step
        ("Step 1: [(50, [0, 0])]\nStep 2: [(30, [0])]", "wrong"),  # a lifter twice in a team
        ("Step 1: [(50, [0, -1])]\nStep 2: [(30, [0])]", "wrong"),  # a negative index
        ("Step 1: [(50, [0, 1])]\nStep 2: [(30, [1])]", "wrong"),  # too weak
        ("Step 1: [(50, [0, 1])]\nStep 2: [(50, [0, 1])]", "wrong"),  # a box twice
        ("Step 1: [(50, [0, 1])]", "wrong"),  # a box left
        ("Step 1: []\nStep 2: [(50, [0, 1])]\nStep 3: [(30, [0])]", "wrong"),  # too many steps
        ("Step 1: __import__('os')", "unparseable"),
    ],
)
def test_boxlift_is_strict(answer: str, expected: str) -> None:
    assert outcome("boxlift", LIFT, answer) == expected


BLOCKS = {"start": [["A", "B"], [], []], "goal": [["B"], ["A"], []], "cap": 60}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Move B from 1 to 3\nMove A from 1 to 2\nMove B from 3 to 1", "correct"),
        ("move block B from stack 1 to stack 3.\n\nMove A from stack1 to stack2\nB from 3 to 1", "correct"),
        ("Move A from 1 to 2\nMove B from 1 to 1", "wrong"),  # A is not on top
        ("Move B from 1 to table", "unparseable"),
        (
            "Move B from 1 to 1\nMove B from 1 to 3\nMove A from 1 to 2\nMove B from 3 to 1",
            "wrong",
        ),  # not another stack
        ("Move B from 1 to 4", "wrong"),
        ("Move B from 1 to 0", "wrong"),
        ("Move B from 1 to 3\nMove A from 1 to 2", "wrong"),  # not at the goal
    ],
)
def test_blocksworld_simulates_every_move(answer: str, expected: str) -> None:
    assert outcome("blocksworld", BLOCKS, answer) == expected


def test_blocksworld_start_and_goal_differ() -> None:
    task = get_task("symbench/blocksworld")
    assert all(q.payload["start"] != q.payload["goal"] for q in (task.make(seed, 1) for seed in range(300)))


def test_standard_sudoku_reads_cells_as_numbers_and_as_text() -> None:
    task = get_task("symbench/standard_sudoku")
    question = task.make(0)
    rows = [line.split() for line in task.solve(question).splitlines()]
    for text in (
        json.dumps(rows),
        json.dumps([[int(cell) for cell in row] for row in rows]),
        "\n".join(map("".join, rows)),
    ):
        assert task.verify(question, text).outcome == "correct"


def test_matrix_of_symbols_is_split_at_separators_only() -> None:
    payload = {"answer": [["!", "@"], ["#", "*"]]}
    assert outcome("matrix_transformation", payload, "! @\n# *") == "correct"
    assert outcome("matrix_transformation", payload, '[["!", "@"], ["#", "*"]]') == "correct"
    assert outcome("matrix_transformation", payload, "!, @, #, *") == "correct"
    assert outcome("matrix_transformation", payload, "! @\n* #") == "wrong"


def test_gsm_hard_integers_have_no_tolerance_and_official_decimals_a_small_one() -> None:
    assert outcome("gsm_hard", {"label": "1000000"}, "1,000,000") == "correct"
    assert outcome("gsm_hard", {"label": "1000000"}, "1000001") == "wrong"
    assert outcome("gsm_hard", {"label": "3.3333333"}, "10/3") == "correct"
    assert outcome("gsm_hard", {"label": "3.3333333"}, "3.4") == "wrong"


def test_every_sudoku_has_one_solution() -> None:
    task = get_task("symbench/standard_sudoku")
    for level in range(1, 6):
        cells = [cell - 1 if cell else None for row in task.make(7, level).payload["board"] for cell in row]
        assert UNITS.is_unique(cells)


@pytest.mark.parametrize(
    ("name", "answer"), [("logic_puzzle", "0 0, 0 1, 0 3, 2 1, 2 3"), ("statistical_counting", "36")]
)
def test_a_fixed_answer_earns_the_stated_chance(name: str, answer: str) -> None:
    task = get_task(f"symbench/{name}")
    share = sum(task.verify(task.make(seed), answer).score for seed in range(400)) / 400
    assert task.info.chance / 2 < share < 4 / 3 * task.info.chance + 0.02
