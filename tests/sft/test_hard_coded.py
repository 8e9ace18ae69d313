"""Code that holds its answer is told from code that computes it: planted cases of every task, honest scripts of all."""

from __future__ import annotations

import ast
import contextlib
import io

import pytest

from r1ci_plugin.sft.hard_coded import atoms, literal_share, prints_without_computing
from r1ci_plugin.tasks import get_task, list_tasks

PLANTED = {
    "printed": "print({answer!r})",
    "by a name": "answer = {answer!r}\nprint(answer)",
    "in a sentence": "answer = {answer!r}\nprint(f'The answer is {{answer}}')",
    "put together": "answer = {answer!r}\nprint('Answer: ' + answer)",
    "by a function": "def solve():\n    return {answer!r}\nprint(solve())",
    "behind other work": "total = sum(range(10))\nprint('sum', total)\nprint({answer!r})",
    "line by line": "for line in {lines!r}:\n    print(line)",
    "joined": "print('\\n'.join({lines!r}))",
    "cells laid out": "print('\\n'.join(' '.join(line.split()) for line in {lines!r}))",
    "one of a list": "answers = [{answer!r}]\nprint(answers[0])",
    "written": "import sys\nsys.stdout.write({answer!r})",
    "below no condition": "if True:\n    print({answer!r})",
    "in a try": "try:\n    print({answer!r})\nexcept Exception:\n    pass",
    "as JSON": "import json\nprint(json.dumps({lines!r}))",
}


def solved() -> list[tuple[str, str, str]]:
    """(task, prompt, answer) of a question of every task that needs no file."""
    found = []
    for info in list_tasks():
        with contextlib.suppress(FileNotFoundError):
            question = get_task(info.name).make(5, 1)
            found.append((info.name, question.prompt, get_task(info.name).solve(question)))
    return found


SOLVED = solved()


@pytest.mark.parametrize("way", PLANTED)
def test_every_planted_answer_is_found(way: str) -> None:
    missed = []
    for task, prompt, answer in SOLVED:
        code = PLANTED[way].format(answer=answer, lines=answer.splitlines())
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(code, {})  # written above
        if not (prints_without_computing(code, output.getvalue(), answer) or literal_share(code, answer, prompt) > 0.8):
            missed.append((task, code))
    assert missed == []
    assert len(SOLVED) >= 139


@pytest.mark.parametrize(
    ("code", "output", "answer"),
    [
        ("print(24 * 4)", "96", "96"),
        ("words = 'b a'.split()\nprint(*sorted(words))", "a b", "a b"),
        ("print('Yes' if 7 % 2 else 'No')", "Yes", "Yes"),
        ("if 7 % 2:\n    kind = 'odd'\nelse:\n    kind = 'even'\nprint(kind)", "odd", "odd"),
        ("if sum([1, 2]) == 3:\n    print('valid')\nelse:\n    print('invalid')", "valid", "valid"),
        ("def f(n):\n    if n > 2:\n        return 'Yes'\n    return 'No'\nprint(f(3))", "Yes", "Yes"),
        ("try:\n    int('x')\n    print(True)\nexcept ValueError:\n    print(False)", "False", "False"),
        ("print('step 1')\nprint(3 - 2)", "step 1\n1", "1"),
        ("total = 0\nfor n in [20, 22]:\n    total += n\nprint(total)", "42", "42"),
        ("for n in range(9):\n    if n * n == 49:\n        print(n)", "7", "7"),
        ("print('abc'[::-1])", "cba", "cba"),
    ],
)
def test_a_script_that_computes_is_left_in_peace(code: str, output: str, answer: str) -> None:
    assert not prints_without_computing(code, output, answer)
    labels = "Answer with Yes, No, odd, even, valid, invalid, True or False."  # as questions with labels state them
    assert literal_share(code, answer, labels) <= 0.8


def test_what_is_copied_from_the_question_is_not_held_against_the_code() -> None:
    prompt = "Complete: 5 3 0 4 / 1 2 9 8"
    code = "grid = [[5, 3, 0, 4], [1, 2, 9, 8]]\nprint(solve(grid))"
    assert literal_share(code, "5 3 7 4 1 2 9 8", prompt) == 0.0
    assert literal_share("grid = [[5, 3, 7, 4], [1, 2, 9, 8]]", "5 3 7 4 1 2 9 8", prompt) == 1.0


@pytest.mark.parametrize("code", ["print(", "\0", "(" * 500, "x = " + "-" * 20_000 + "1"])
def test_code_that_does_not_parse_is_no_error(code: str) -> None:
    assert not prints_without_computing(code, "1", "1")
    assert literal_share(code, "long answer", "") == 0.0


def test_atoms_are_words_and_numbers_whatever_the_layout() -> None:
    assert atoms("[[1, 2.5],\n ['Ab']]") == atoms("1 2.5 ab") == ("1", "2.5", "ab")
    assert atoms(") ]") == (")", "]")


def doubled(depth: int) -> str:
    """Names of names: the last one stands for 2**depth copies of the first."""
    lines = [f'n{place + 1} = f"{{n{place}}}{{n{place}}}"' for place in range(depth)]
    return "\n".join(['n0 = "answer"', *lines, f"print(n{depth})"])


def crowded(width: int, depth: int) -> str:
    """Lists of lists: the last one stands for width**depth texts."""
    lines = [f"n{place + 1} = [{', '.join([f'n{place}'] * width)}]" for place in range(depth)]
    return "\n".join(["n0 = 'answer'", *lines, f"print(n{depth})"])


@pytest.mark.parametrize(
    "code",
    [
        f"print(0x{'f' * 5000})",
        "print(" + "+".join(["'a'"] * 800) + ")",
        doubled(200),
        crowded(300, 4),
        f"x = '{' '.join(map(str, range(100_000)))}'\nprint(x)",
    ],
    ids=["a number too long to print", "a long sum", "names of names", "lists of lists", "a long literal"],
)
def test_a_hostile_script_is_no_more_than_a_script(code: str) -> None:
    ast.parse(code)
    answer = " ".join(map(str, range(100_000)))
    assert prints_without_computing(code, answer, answer) in (True, False)
    assert 0 <= literal_share(code, answer, "") <= 1
