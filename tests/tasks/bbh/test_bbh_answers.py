"""How an answer may be written, and what must not pass for one: each pitfall of the suite by name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r1ci_plugin.protocol import markers
from r1ci_plugin.tasks import Question, get_task, list_tasks
from r1ci_plugin.tasks.bbh.common import LabelTask, OptionTask
from r1ci_plugin.tasks.hostile import HOSTILE

NAMES = [info.name for info in list_tasks("bbh/*")]
OPTIONS = [name for name in NAMES if isinstance(get_task(name), OptionTask)]
LABELS = [name for name in NAMES if isinstance(get_task(name), LabelTask)]
BBH_ATTACKS = {
    "both letters": "(A) or (B)",
    "all letters": "(A) (B) (C) (D) (E) (F) (G)",
    "both labels": "Yes No",
    "either label": "True or False",
    "valid and invalid": "valid / invalid",
    "no letter": "()",
    "nested brackets": "((A))",
    "empty quotes": '""',
    "number range": "0-100",
    "greek letter": "(\N{GREEK CAPITAL LETTER ALPHA})",
    "cyrillic letter": "\N{CYRILLIC CAPITAL LETTER A}",
    "fullwidth letter": "\N{FULLWIDTH LATIN CAPITAL LETTER A}",
}


def question_with(payload: dict[str, object], name: str) -> Question:
    return Question(name, 0, 1, "as the test says", payload)


def outcome(name: str, payload: dict[str, object], answer: str) -> str:
    return get_task(name).verify(question_with(payload, name), answer).outcome


THREE = {"options": {"A": "a red pen", "B": "a blue pen", "C": "a red pencil"}, "answer": "(B)"}


@pytest.mark.parametrize(
    "answer", ["(B)", "B", "B.", "b", "(b)", "(B) a blue pen", "a blue pen", "A blue pen.", '"B"', "B: a blue pen"]
)
def test_a_letter_with_or_without_brackets_or_the_whole_option_text_is_read(answer: str) -> None:
    assert outcome("bbh/hyperbaton", THREE, answer) == "correct"


@pytest.mark.parametrize("answer", ["(A)", "C", "a red pen", "(A) a red pen"])
def test_another_option_is_wrong(answer: str) -> None:
    assert outcome("bbh/hyperbaton", THREE, answer) == "wrong"


@pytest.mark.parametrize("answer", ["(A) a blue pen", "C. a blue pen", "(B) a red pen"])
def test_a_wrong_letter_next_to_the_right_text_is_not_right(answer: str) -> None:
    assert outcome("bbh/hyperbaton", THREE, answer) != "correct"


@pytest.mark.parametrize(
    "answer", ["pen", "a red", "the pen is blue, so (B)", "(B) or (A)", "(D)", "not B", "B C", "1"]
)
def test_a_part_of_an_option_or_a_discussion_is_unparseable(answer: str) -> None:
    assert outcome("bbh/hyperbaton", THREE, answer) == "unparseable"


def test_an_option_that_begins_another_option_is_not_taken_for_it() -> None:
    payload = {"options": {"A": "stop", "B": "stop sign"}, "answer": "(B)"}
    assert outcome("bbh/hyperbaton", payload, "stop") == "wrong"
    assert outcome("bbh/hyperbaton", payload, "stop sign") == "correct"


def test_a_text_that_two_options_share_names_neither() -> None:
    payload = {"options": {"A": "the same", "B": "the same"}, "answer": "(A)"}
    assert outcome("bbh/hyperbaton", payload, "the same") == "unparseable"
    assert outcome("bbh/hyperbaton", payload, "(B)") == "wrong"


def test_eighteen_options_have_letters_up_to_r() -> None:
    payload = {"options": {chr(ord("A") + place): f"colour {place}" for place in range(18)}, "answer": "(R)"}
    assert outcome("bbh/reasoning_about_colored_objects", payload, "R") == "correct"
    assert outcome("bbh/reasoning_about_colored_objects", payload, "S") == "unparseable"


def test_invalid_is_not_read_as_valid_though_it_contains_it() -> None:
    for right, other in (("valid", "invalid"), ("invalid", "valid")):
        assert outcome("bbh/formal_fallacies", {"answer": right}, right.upper()) == "correct"
        assert outcome("bbh/formal_fallacies", {"answer": right}, other) == "wrong"
    assert outcome("bbh/formal_fallacies", {"answer": "valid"}, "not valid") == "unparseable"


@pytest.mark.parametrize(
    ("name", "right", "other"),
    [
        ("navigate", "Yes", "No"),
        ("web_of_lies", "No", "Yes"),
        ("causal_judgement", "Yes", "No"),
        ("sports_understanding", "no", "yes"),
        ("boolean_expressions", "False", "True"),
    ],
)
def test_labels_are_read_in_any_case_and_never_inside_a_sentence(name: str, right: str, other: str) -> None:
    for spelling in (right, right.upper(), right.lower(), f"{right}.", f'"{right}"'):
        assert outcome(f"bbh/{name}", {"answer": right}, spelling) == "correct"
    assert outcome(f"bbh/{name}", {"answer": right}, other) == "wrong"
    assert outcome(f"bbh/{name}", {"answer": right}, f"I think {right}") == "unparseable"


@pytest.mark.parametrize("answer", ["12", "12.0", "+12", "twelve", "Twelve.", "12."])
def test_a_count_is_read_in_digits_or_in_words(answer: str) -> None:
    assert outcome("bbh/object_counting", {"answer": "12"}, answer) == "correct"


def test_long_number_words_are_read_with_or_without_hyphen() -> None:
    for spelling in ("forty-two", "forty two", "Forty-two"):
        assert outcome("bbh/object_counting", {"answer": "42"}, spelling) == "correct"
    assert outcome("bbh/object_counting", {"answer": "42"}, "forty") == "wrong"


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("four hundred fifty-two", 452),
        ("Four hundred and fifty-two.", 452),
        ("a hundred and one", 101),
        ("hundred", 100),
        ("one thousand one hundred eighty-eight", 1188),
        ("twelve hundred", 1200),
        ("one thousand and five", 1005),
    ],
)
def test_counts_beyond_a_hundred_are_read_in_words_too(answer: str, number: int) -> None:
    assert outcome("bbh/object_counting", {"answer": str(number)}, answer) == "correct"


@pytest.mark.parametrize(
    "answer",
    [
        "four hundred fifty-two pens",
        "four hundred five hundred",
        "four hundred thousand",
        "two thousand twelve hundred",
        "one hundred and",
        "and one hundred",
        "fifty four two",
        "five hundreds",
        "hundred hundred",
        "a",
        "hundred " * 400,
    ],
)
def test_words_that_are_no_number_are_unparseable(answer: str) -> None:
    assert outcome("bbh/object_counting", {"answer": "452"}, answer) == "unparseable"


@pytest.mark.parametrize("answer", ["11", "13", "12.4", "twelve pens", "12 pens", "1 2", "12, 13"])
def test_no_other_number_and_no_sentence_is_taken_for_a_count(answer: str) -> None:
    assert outcome("bbh/object_counting", {"answer": "12"}, answer) != "correct"


def test_negative_results_keep_their_sign() -> None:
    for spelling in ("-3400", "-3,400", "\N{MINUS SIGN}3400"):
        assert outcome("bbh/multistep_arithmetic_two", {"answer": "-3400"}, spelling) == "correct"
    assert outcome("bbh/multistep_arithmetic_two", {"answer": "-3400"}, "3400") == "wrong"


@pytest.mark.parametrize(
    "answer", ["ant bee cat's", "ant, bee, cat's", "['ant', 'bee', \"cat's\"]", "ant\nbee\ncat's", "Ant Bee Cat's"]
)
def test_sorted_words_may_be_separated_by_commas_or_lines(answer: str) -> None:
    assert outcome("bbh/word_sorting", {"answer": "ant bee cat's"}, answer) == "correct"


@pytest.mark.parametrize(
    "answer", ["bee ant cat's", "ant bee", "ant bee cat's dog", "ant bee bee cat's", "antbee cat's", "ant bee cats"]
)
def test_a_missing_extra_or_changed_word_is_wrong(answer: str) -> None:
    assert outcome("bbh/word_sorting", {"answer": "ant bee cat's"}, answer) == "wrong"


def test_words_with_odd_characters_are_compared_as_they_are() -> None:
    assert outcome("bbh/word_sorting", {"answer": "at&t it&t you've"}, "at&t, it&t, you've") == "correct"


@pytest.mark.parametrize("answer", ["} ] > )", "}]>)", "} ]>)", "`} ] > )`", "```\n} ] > )\n```", "}, ], >, )"])
def test_brackets_are_compared_without_spaces(answer: str) -> None:
    assert outcome("bbh/dyck_languages", {"answer": "} ] > )"}, answer) == "correct"


@pytest.mark.parametrize("answer", ["} ] >", "} ] ) >", "} ] > ) )", "{ [ < (", "close them all"])
def test_other_brackets_are_not_right(answer: str) -> None:
    assert outcome("bbh/dyck_languages", {"answer": "} ] > )"}, answer) != "correct"


@settings(deadline=None)
@given(st.lists(st.sampled_from(")]}>"), min_size=1, max_size=30))
def test_closing_angle_brackets_with_spaces_survive_the_answer_marker(brackets: list[str]) -> None:
    answer = " ".join(brackets)
    found = markers(f"So the rest is <<<{answer}>>>")
    assert found == [answer]
    assert outcome("bbh/dyck_languages", {"answer": answer}, found[0]) == "correct"


def test_the_answer_to_every_bracket_question_survives_the_answer_marker() -> None:
    task = get_task("bbh/dyck_languages")
    for seed in range(300):
        question = task.make(seed, 1 + seed % task.info.levels)
        (found,) = markers(f"<<<{task.solve(question)}>>>")
        assert task.verify(question, found).score == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_attacks_are_never_right_and_never_an_error(name: str) -> None:
    task = get_task(name)
    attacks = {**HOSTILE, **BBH_ATTACKS}
    assert len(attacks) >= 60
    for seed in range(3):
        question = task.make(seed)
        for title, attack in attacks.items():
            assert task.verify(question, attack).outcome in ("wrong", "unparseable"), title


@pytest.mark.parametrize("name", OPTIONS)
def test_of_all_options_exactly_one_is_right_in_each_spelling(name: str) -> None:
    task = get_task(name)
    for seed in range(20):
        question = task.make(seed)
        options = question.payload["options"]
        for form in ("({0})", "{0}", "{1}", "({0}) {1}"):
            right = [
                letter for letter, text in options.items() if task.verify(question, form.format(letter, text)).score
            ]
            assert right == [question.payload["answer"][1]]


@pytest.mark.parametrize("name", LABELS)
def test_a_verdict_names_what_was_expected(name: str) -> None:
    task = get_task(name)
    question = task.make(0)
    labels = set(task.labels.values())  # type: ignore[attr-defined]
    (other,) = labels - {question.payload["answer"]}
    verdict = task.verify(question, other)
    assert verdict.outcome == "wrong"
    assert question.payload["answer"] in verdict.reason
