"""Measures of behaviour on trajectories made for each, and the published figures of the detector of self-checking."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.evaluation.behaviour import REASONING_WORDS, Conduct, behaviour_of
from r1ci_plugin.evaluation.self_check import self_checks
from r1ci_plugin.evaluation.statistics import wilson
from r1ci_plugin.record import Record
from r1ci_plugin.trajectory import Trajectory, Turn

PAGE = Path(__file__).parents[2] / "docs" / "behaviour.md"
THOUGHT = "and then the next one follows from it " * (REASONING_WORDS // 8 + 1)

MakeTurn = Callable[..., Turn]
Line = dict[str, Any]


def conduct(*turns: Turn) -> Conduct:
    return Conduct.of(Trajectory([], list(turns), "answered"))


def test_repeated_calls_are_those_with_the_same_code(turn: MakeTurn) -> None:
    same = turn("again", "print(2)", "2\n")
    assert conduct(turn("first", "print(2)", "2\n"), same, same, turn("so <<<2>>>")).repeated_calls == 2
    assert conduct(turn("first", "print(2)", "2\n"), turn("x", "print(3)", "3\n")).repeated_calls == 0


def test_repair_is_a_call_that_ends_well_after_one_that_failed(turn: MakeTurn) -> None:
    good, bad = turn("a", "print(1)", "1\n"), turn("b", "1/0", status="error", stderr="ZeroDivisionError")
    for turns, failed, repaired in (
        ([bad, good], True, True),
        ([good, bad], True, False),
        ([good, bad, bad, good], True, True),
        ([good], False, False),
        ([], False, False),
    ):
        found = conduct(*turns, turn("<<<1>>>"))
        assert (found.failed, found.repaired) == (failed, repaired)
    slow = turn("c", "while True: pass", status="timeout")
    assert conduct(slow, good).repaired


def test_switches_between_words_and_code_need_reasoning_not_a_lead_in(turn: MakeTurn) -> None:
    code = ("print(1)", "1\n")
    assert conduct(turn("I compute:", *code), turn("So <<<1>>>")).words_to_code == 0
    thought_first = conduct(turn(THOUGHT, *code), turn("So <<<1>>>"))
    assert (thought_first.words_to_code, thought_first.code_to_words) == (1, 0)
    back = conduct(turn("I compute:", *code), turn(THOUGHT + "<<<1>>>"))
    assert (back.words_to_code, back.code_to_words) == (0, 1)
    assert conduct(turn(THOUGHT + "<<<1>>>")) == Conduct(1, 0, 0, False, False, 0, 0, 0, 0)


def test_another_approach_shares_few_names(turn: MakeTurn) -> None:
    loop = "total = 0\nfor number in range(10):\n    total += number\nprint(total)"
    solver = "from sympy import symbols, solve\nx = symbols('x')\nprint(solve(x - 45))"
    assert conduct(turn("", loop, "45\n"), turn("", loop.replace("10", "11"), "55\n")).approach_changes == 0
    assert conduct(turn("", loop, "45\n"), turn("Other way.", solver, "[45]\n")).approach_changes == 1


def test_rates_are_shares_of_trajectories_and_lost_ones_are_left_out(
    record: Callable[..., Record], turn: MakeTurn
) -> None:
    bad = turn("b", "1/0", status="error")
    records = [
        record(turns=[turn("a", "print(1)", "1\n"), turn("<<<1>>>")]),
        record(turns=[bad, turn("c", "print(2)", "2\n"), turn("<<<2>>>")]),
        record(turns=[bad, turn("<<<3>>>")]),
        record(turns=[turn("<<<4>>>")]),
        record(right=None, turns=[bad]),
    ]
    found = behaviour_of(records)
    assert found is not None
    assert found.trajectories == 4
    assert (found.code_use_rate, found.mean_turns, found.mean_calls) == (0.75, 2.0, 1.0)
    assert (found.failed_call_rate, found.repair_rate) == (0.5, 0.5)
    assert behaviour_of(records[:1]).repair_rate is None  # type: ignore[union-attr]
    assert behaviour_of(records[4:]) is None


def built(line: Line, turn: MakeTurn) -> Trajectory:
    turns = [
        turn(one["text"], one.get("code"), one.get("stdout", ""), one.get("status"), one.get("stderr", ""))
        for one in line["turns"]
    ]
    return Trajectory([], turns, "answered")


def counts(lines: list[Line], turn: MakeTurn) -> tuple[int, int, int]:
    """Found and labelled, found, labelled."""
    found = [bool(self_checks(built(line, turn))) for line in lines]
    labels = [line["self_check"] for line in lines]
    return sum(a and b for a, b in zip(found, labels, strict=True)), sum(found), sum(labels)


def test_the_labelled_set_is_what_it_is_said_to_be(halves: tuple[list[Line], list[Line]]) -> None:
    lines = [*halves[0], *halves[1]]
    assert len(lines) == len({line["id"] for line in lines}) >= 200
    assert all(line["why"] for line in lines)
    assert len({line["task"] for line in lines}) >= 60
    assert 0.4 <= sum(line["self_check"] for line in lines) / len(lines) <= 0.6
    codes = [one["code"] for line in lines for one in line["turns"] if "code" in one]
    assert len(set(codes)) > 0.95 * len(codes)


@pytest.mark.parametrize("half", [0, 1], ids=["made on", "held out"])
def test_the_published_figures_of_the_detector_are_reproduced(
    half: int, halves: tuple[list[Line], list[Line]], turn: MakeTurn
) -> None:
    right, found, labelled = counts(halves[half], turn)
    rows = re.findall(r"^\| (?:first|second).*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    _, size, positives, precision, recall = (cell.strip() for cell in rows[half].strip("|").split("|"))
    assert (int(size), int(positives)) == (len(halves[half]), labelled)

    def published(part: int, whole: int) -> str:
        low, high = wilson(part, whole)
        return f"{part / whole:.3f} ({part} of {whole}; {low:.2f} to {high:.2f})"

    assert precision == published(right, found)
    assert recall == published(right, labelled)


@pytest.mark.parametrize("code", ["assert (" + "(" * 100_000, "print(" * 20_000, "'\"" * 20_000, "a = " + "-" * 50_000])
def test_hostile_code_is_matched_in_little_time_and_never_parsed(code: str, turn: MakeTurn) -> None:
    """Deep nesting ends a parser's process; a pattern that goes back again and again would take hours here."""
    turns = [turn("The answer is 42.", "print(6 * 7)", "42\n" * 5_000), turn("I check 42:", code), turn("<<<42>>>")]
    assert set(self_checks(Trajectory([], turns))) <= {1}


def test_an_empty_trajectory_checks_nothing(turn: MakeTurn) -> None:
    assert self_checks(Trajectory([])) == []
    assert self_checks(Trajectory([], [turn("I have checked it twice: <<<1>>>")])) == []


@pytest.mark.parametrize(
    "code", ["\n" * 300_000, '"' + '\\"' * 300_000, "print(" * 100_000], ids=["lines", "quotes", "calls"]
)
def test_hostile_code_is_looked_at_in_a_moment(turn: MakeTurn, code: str) -> None:
    """Patterns that try anew at every character would need hours for these: the whole run has a limit of minutes."""
    first, last = turn("So it is 42.", "for i in range(3): print(i)", "42\n"), turn("so <<<42>>>")
    assert conduct(first, turn("I check it.", code, "42\n"), last).calls == 2
