"""What counts in a sampled turn, and how a question and an execution result are shown: one test a rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import (
    HEAD_PROMPT,
    NO_OUTPUT,
    RESULT_PREFIX,
    STOP,
    fences,
    frame_result,
    markers,
    parse_turn,
    render_prompt,
    render_result,
)

CODE = "```python\nprint(6 * 7)\n```\n"
FRAGMENTS = [
    *(
        "```",
        "```python",
        "python",
        "``",
        "~~~",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "   ",
        "\t",
        "json",
        "<",
        "<<<",
        ">",
        ">>>",
        "<<<4>>>",
    ),
    *("your answer", RESULT_PREFIX, "print(1)", "é", "🐍", "\0", "\u2028", "<|im_end|>"),
]
hostile_text = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=30).map("".join)


# Code blocks


def test_a_python_block_is_the_code() -> None:
    turn = parse_turn(f"Let me compute.\n{CODE}")
    assert turn.code == "print(6 * 7)\n"
    assert turn.python_blocks == 1 and not turn.open_block


def test_a_block_may_be_closed_by_the_end_of_the_text() -> None:
    assert parse_turn("```python\nprint(1)\n```").code == "print(1)\n"


def test_only_the_first_of_two_blocks_is_the_code() -> None:
    turn = parse_turn(f"{CODE}and\n```python\nprint(2)\n```\n")
    assert turn.code == "print(6 * 7)\n" and turn.code_end == len(CODE)
    assert turn.python_blocks == 2


@pytest.mark.parametrize("language", ["json", "", "text", "py", "python3", "Python", "python title=x"])
def test_only_exactly_python_is_code(language: str) -> None:
    assert parse_turn(f"```{language}\nprint(1)\n```\n").code is None


@pytest.mark.parametrize("label", ["text of the output", "json title=x", ""])
def test_a_block_of_another_language_does_not_turn_the_next_one_inside_out(label: str) -> None:
    assert parse_turn(f"```{label}\n{{}}\n```\n{CODE}").code == "print(6 * 7)\n"


def test_a_python_line_inside_another_block_opens_nothing() -> None:
    assert parse_turn("```\n```python\nprint(1)\n```\n").code is None


def test_an_unterminated_block_is_no_code_and_hides_what_follows() -> None:
    turn = parse_turn("```python\nprint(1)\n<<<4>>>")
    assert turn.code is None and turn.open_block and turn.answer is None


def test_an_unterminated_block_behind_a_complete_one_is_seen() -> None:
    turn = parse_turn(f"{CODE}```python\nprint(2)")
    assert turn.python_blocks == 1 and turn.open_block


def test_an_empty_block_is_code_without_words() -> None:
    assert parse_turn("```python\n```\n").code == ""


def test_backticks_within_a_line_of_code_close_nothing() -> None:
    code = 'text = "```"\nother = """a ```\n ``` """\n```not a fence\n'
    assert parse_turn(f"```python\n{code}```\n").code == code


def test_a_line_of_only_backticks_closes_even_inside_a_string() -> None:
    """So it is decided: generation stops there, and what ran is what was written so far."""
    assert parse_turn('```python\ns = """\n```\n"""\n```\n').code == 's = """\n'


def test_longer_fences_count_like_those_of_three() -> None:
    assert parse_turn("````python\nprint(1)\n````\n").code == "print(1)\n"


def test_a_block_in_a_list_loses_its_indent() -> None:
    turn = parse_turn("1. Compute:\n   ```python\n   if 1:\n       print(1)\n   ```\n")
    assert turn.code == "if 1:\n    print(1)\n"


def test_backticks_further_right_than_the_opening_close_nothing() -> None:
    code = 'def f():\n    """\n    ```\n    f()\n    ```\n    """\n'
    assert parse_turn(f"```python\n{code}```\n").code == code


def test_lines_may_end_like_on_windows() -> None:
    turn = parse_turn("```python\r\nprint(1)\r\n```\r\nDone.")
    assert turn.code == "print(1)\r\n" and turn.code_end == len("```python\r\nprint(1)\r\n```\r\n")


def test_tildes_are_plain_text() -> None:
    turn = parse_turn("~~~python\nprint(1)\n~~~\n<<<4>>>")
    assert turn.code is None and turn.answer == "4"


def test_backticks_inside_a_sentence_are_plain_text() -> None:
    assert fences("I write ```python and then ``` to close.\n```python and ``` in one line\n") == []


def test_generation_stops_at_closing_lines_and_not_at_the_opening_one() -> None:
    assert STOP in CODE and STOP not in CODE[: CODE.index("print")]


@given(hostile_text)
def test_fences_agree_with_reading_line_by_line(text: str) -> None:
    found, label, indent = [], None, 0
    for line in text.split("\n"):
        bare = line.lstrip(" \t")
        ticks = len(bare) - len(bare.lstrip("`"))
        if ticks < 3 or set("`<>") & set(bare[ticks:]):
            continue
        if label is None:
            label, indent = bare[ticks:].strip(), len(line) - len(bare)
        elif not bare[ticks:].strip() and len(line) - len(bare) <= indent:
            found.append((label, True))
            label = None
    if label is not None:
        found.append((label, False))
    assert [(fence.language, fence.closed) for fence in fences(text)] == found


# Answers


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So it is <<<42>>>.", "42"),
        ("<<< 42\n>>>", "42"),
        ("<<<1>>> no, <<<2>>>", "2"),
        ("<<<1>>> and <<<>>> and <<<  >>>", "1"),
        ("<<<a\nb>>>", "a\nb"),
        ("`<<<42>>>`", "42"),
        ("a stray <<< and then <<<42>>>", "42"),
        ("a >>> b, <<<42>>>", "42"),
        ("<<<x > y >> z << w>>>", "x > y >> z << w"),
        ("<<<> ] } >>>>", "> ] } >"),
        ("<<<] > > >>>>", "] > > >"),
        ("<<<>>>>", ">"),
        ("<<<<< [>>>", "<< ["),
        ("<<<<<<>>>>>>", "<<<>>>"),
        ("<<<42>>", None),
        ("<<42>>>", None),
        ("42", None),
        ("", None),
    ],
)
def test_the_answer_is_the_last_non_empty_marker(text: str, answer: str | None) -> None:
    assert parse_turn(text).answer == answer


@pytest.mark.parametrize("language", ["", "python", "text"])
def test_a_marker_inside_a_fence_is_no_answer(language: str) -> None:
    assert parse_turn(f"<<<1>>>\n```{language}\nprint('<<<2>>>')\n```\n").answer == "1"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<<<\n```\n1 2\n3 4\n```\n>>>", "```\n1 2\n3 4\n```"),
        ('<<<\n```json\n["A"]\n```\n>>>', '```json\n["A"]\n```'),
        ("<<<```\n1 2\n```>>>", "```\n1 2\n```"),
        ("<<<\n```\n1 2\n```>>>", "```\n1 2\n```"),
        ("<<<\n```text\n1 2\n```>>>>", "```text\n1 2\n```>"),
        ("<<<\n```python\nprint(1)\n```>>>", None),
        ("<<<\n```\n<<<1>>>\n```\n>>>", "```\n<<<1>>>\n```"),
        ("<<<7>>> then <<<\n```python\nprint(1)\n```\n>>>", "7"),
    ],
)
def test_a_marker_may_hold_a_fence_but_no_script(text: str, answer: str) -> None:
    assert parse_turn(text).answer == answer


def test_quoting_the_instruction_gives_no_answer_no_code_and_no_second_marker() -> None:
    assert parse_turn(HEAD_PROMPT).markers == ()
    assert parse_turn(HEAD_PROMPT).code is None
    assert parse_turn(f"{HEAD_PROMPT}\nIt is <<<42>>>").markers == ("42",)


@pytest.mark.parametrize("echo", ["your answer", "Your Answer", " YOUR ANSWER "])
def test_an_echo_of_the_placeholder_is_no_answer(echo: str) -> None:
    assert parse_turn(f"<<<42>>> <<<{echo}>>>").answer == "42"


@given(st.text(st.characters(exclude_characters="<>"), min_size=1).map(str.strip).filter(bool), hostile_text)
def test_any_answer_without_angle_brackets_comes_back(answer: str, before: str) -> None:
    assert markers(f"{before.replace('<', '').replace('>', '')}<<<{answer}>>>") == [answer]


# Imitated results


@pytest.mark.parametrize("fence", ["", "```\n", "```text\n"])
def test_a_self_written_result_is_seen_also_inside_a_text_fence(fence: str) -> None:
    assert parse_turn(f"{fence}{RESULT_PREFIX}\n42\n").imitates_result


def test_code_that_prints_the_words_before_a_result_imitates_nothing() -> None:
    assert not parse_turn(f'```python\nprint("{RESULT_PREFIX}")\n```\n').imitates_result


# No text is too hostile


@given(hostile_text)
def test_reading_any_text_gives_sound_offsets(text: str) -> None:
    turn = parse_turn(text)
    assert 0 <= turn.code_end <= len(text)
    assert (turn.code is None) == (turn.python_blocks == 0)
    assert parse_turn(text[: turn.code_end]).code == turn.code if turn.code is not None else turn.code_end == 0
    assert all(marker == marker.strip() != "" for marker in turn.markers)


@pytest.mark.parametrize(
    "unit",
    [
        "`",
        "<",
        ">",
        "<<<",
        ">>>",
        "<<<>>>",
        "<<< ",
        "```\n",
        "```python\n",
        " ",
        "\n",
        "\r\n",
        " `",
        "``` ",
        "<<<\n",
        "   ```\n",
        "```a",
        ">> <<",
    ],
)
def test_a_million_hostile_characters_are_read_in_linear_time(unit: str) -> None:
    """A quadratic reader would need hours here."""
    text = (unit * 1_000_000)[:1_000_000]
    assert parse_turn(text).code in (None, "")
    assert parse_turn(f"<<<{text}x`>>>").code in (None, "")


# Results


def test_output_then_errors_then_the_ending() -> None:
    result = ExecResult("timeout", stdout="1\n", stderr="warning\n", run_s=60.2)
    assert render_result(result) == "1\nwarning\nTimeoutExpired: the script was stopped after 60 seconds."


@pytest.mark.parametrize("stdout", ["", "\n", "  \n"])
def test_code_without_output_gets_one_fixed_sentence(stdout: str) -> None:
    assert render_result(ExecResult("ok", stdout=stdout)) == NO_OUTPUT


@pytest.mark.parametrize("status", ["error", "timeout", "memory", "output_limit", "disk_limit", "killed", "rejected"])
def test_every_failure_of_the_code_is_a_result_with_words(status: str) -> None:
    shown = render_result(ExecResult(status, exit_code=3, signal=11, reason="it is too long"))  # type: ignore[arg-type]
    assert shown not in ("", NO_OUTPUT) and "None" not in shown


def test_a_failure_of_the_infrastructure_is_never_shown() -> None:
    with pytest.raises(ValueError, match="infrastructure"):
        render_result(ExecResult("sandbox_error", stdout="42", reason="slot died"))


@pytest.mark.parametrize("after", ["```\n", "```", "```\n\n", ""])
def test_a_result_always_begins_on_a_line_of_its_own(after: str) -> None:
    whole = after + frame_result("42", after=after)
    assert f"\n{RESULT_PREFIX}\n42\n\n" in whole and whole.endswith("42\n\n")


def test_the_prompt_is_the_head_and_the_bare_question() -> None:
    assert render_prompt("  What is 6 * 7?\n") == HEAD_PROMPT + "What is 6 * 7?"
