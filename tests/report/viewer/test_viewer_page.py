"""The viewer in a real browser: what a reader sees and does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.record import Note, Record, TrainingFacts
from r1ci_plugin.report.viewer.tokens import Boundaries
from r1ci_plugin.tasks import Verdict

MakeRecord = Callable[..., Record]
Open = Callable[..., Any]

CODE = "```python\nprint(6 * 7)\n```\n"
LISTED = "#list .line-item"
SELECTED = "return document.querySelector('.line-item[aria-selected=true]')?.innerText.trim().split('\\n')[0]"
FAILED = ExecResult(
    "error", stderr="NameError: name 'prnit' is not defined", exit_code=1, run_s=2.5, isolation="seccomp"
)


@pytest.fixture
def run_of_six(make_record: MakeRecord) -> list[Record]:
    """Two groups of three rollouts, of two tasks and steps, with three kinds of verdict."""

    def member(number: int, **changes: Any) -> Record:
        step = 1 + number // 3
        reward = 1.0 if "verdict" not in changes else 0.0
        facts = TrainingFacts(step, 1 + number // 3, f"group-{step}", reward, {"acc": reward}, reward - 0.5)
        task = "symbench/game24" if number < 3 else "bbh/word_sorting"
        changes = {"temperature": 1.0, **changes}
        return make_record(number, task=task, sample=number % 3, training=facts, **changes)

    words = {"texts": ("In words.\n<<<41>>>",), "results": (), "answer": "41"}
    silent = {"texts": ("No idea.",), "results": (), "answer": None, "outcome": "no_answer"}
    return [
        member(0),
        member(1, verdict=Verdict.wrong("expected 42, got 41"), **words),
        member(2, verdict=Verdict.wrong("the trajectory ended without an answer"), **silent),
        member(3, agent="all_code", temperature=0.6),
        member(4, verdict=Verdict("unparseable", "not an integer"), results=(FAILED,)),
        member(5),
    ]


def test_a_page_opens_without_errors_and_without_a_network(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six)
    assert page.texts("h1") == ["a run"]
    assert page.texts("#summary")[0].startswith("6 · 50.0 % correct · 66.7 % use code")
    assert page.texts("#detail h2") == ["symbench/game24"]
    assert page.requests() == []


@pytest.mark.parametrize(
    ("facet", "value", "left"),
    [
        ("verdict", "wrong", 2),
        ("outcome", "no_answer", 1),
        ("task", "bbh/word_sorting", 3),
        ("call", "error", 1),
        ("call", "none", 2),
        ("stage", "2", 3),
        ("agent", "all_code", 1),
        ("temperature", "0.6", 1),
    ],
)
def test_a_filter_lists_what_has_the_value(
    open_records: Open, run_of_six: list[Record], facet: str, value: str, left: int
) -> None:
    page = open_records(run_of_six)
    page.click(f'[data-focus="{facet}={value}"]')
    assert len(page.texts(LISTED)) == left
    assert page.texts("#summary")[0].startswith(f"{left} of 6")
    assert page.texts(f"label:has([data-focus='{facet}={value}']) .value-count") == [str(left)]
    page.click("#clear")
    assert len(page.texts(LISTED)) == 6


def test_values_of_a_facet_widen_and_facets_narrow(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six)
    page.click('[data-focus="verdict=wrong"]')
    page.click('[data-focus="verdict=unparseable"]')
    assert len(page.texts(LISTED)) == 3
    page.click('[data-focus="task=symbench/game24"]')
    assert len(page.texts(LISTED)) == 2
    counts = dict(line.split("\n") for line in page.texts("[data-facet=verdict] .value"))
    assert counts == {"correct": "1", "wrong": "2", "unparseable": "0"}  # of game24, whatever verdicts are chosen


def test_steps_are_filtered_by_range(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six)
    page.type('[data-focus="step=0"]', "2")
    page.press("Enter")
    page.wait("return document.querySelectorAll(arguments[0]).length === 3", LISTED)
    assert page.run("return location.hash").endswith("step=2-")


def test_search_finds_turns_results_and_reasons(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six)
    finds = {"IN WORDS": 1, "prnit": 1, "not an integer": 1, "asked for the 3th": 1, "nowhere to be found": 0}
    for query, count in finds.items():
        page.press("/")
        page.type("#search", query)
        page.wait("return location.hash.includes('q=') && document.querySelector('#progress').hidden")
        page.wait("return document.querySelectorAll(arguments[0]).length === arguments[1]", LISTED, count)
        assert page.run("return !document.querySelector('#empty').hidden") == (count == 0)
        page.press("Escape", "Escape")
        page.wait("return document.querySelectorAll(arguments[0]).length === 6", LISTED)


def test_an_answer_of_many_lines_stays_in_its_line_of_the_list(open_records: Open, make_record: MakeRecord) -> None:
    page = open_records([make_record(answer="1 0\n0 1\n1 1", texts=("<<<1 0\n0 1\n1 1>>>",), results=())])
    assert page.texts(".line-answer") == ["1 0 0 1 1 1"]
    assert page.texts(".answer-line code") == ["1 0\n0 1\n1 1"]


def test_the_order_of_the_list_is_chosen(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six, "#order=turns")
    assert page.run("return document.querySelector('#order').value") == "turns"
    answers = page.texts(".line-answer")
    assert answers[-2:] == ["41", "no answer"]


def test_a_trajectory_reads_as_a_conversation(open_records: Open, make_record: MakeRecord) -> None:
    texts = ("I try.\n```python\n# six\nprint('a', 6)\n```\n", "Again.\n```python\nx = 1\n```\n", "So.\n<<<42>>>")
    results = (FAILED, ExecResult("ok", stdout="42", run_s=0.25, isolation="ns"))
    notes = (Note("guide", "Write code."),)
    page = open_records([make_record(texts=texts, results=results, notes=notes, verdict=Verdict.correct("it is 42"))])
    assert page.texts(".turn > .words") == ["I try.", "Again.", "So.\n<<<42>>>"]
    assert page.texts("mark.answer") == ["<<<42>>>"]
    assert page.texts(".code code")[0].split("\n") == ["# six", "print('a', 6)"]
    assert page.texts(".py-comment") == ["# six"] and page.texts(".py-string") == ["'a'"]
    assert page.texts(".result .status") == ["error", "ok"]
    assert page.texts(".result .isolation") == ["isolation seccomp", "isolation ns"]
    assert page.texts(".result .facts")[0].startswith("2.5 s") and "250 ms" in page.texts(".result .facts")[1]
    assert page.texts(".result pre") == ["NameError: name 'prnit' is not defined", "42"]
    assert page.texts(".verdict-line .reason") == ["it is 42"]
    assert "Write code." in page.texts(".note")[0]
    page.click(".truth summary")
    assert '"answer": 42' in page.texts(".truth pre")[0]


def test_python_is_coloured_without_losing_a_character(open_records: Open, make_record: MakeRecord) -> None:
    code = (
        "@cache\ndef ädd(a, b=0x1F):  # 'no string'\n"
        '    """Two\n    lines # """\n'
        "    return rf'\\'{a}' + str(1.5e3j)\n"
        "class None_: pass\nx = 'open\ny = '''never closed\nfor i in x"
    )
    page = open_records([make_record(texts=(f"```python\n{code}\n```\n", "<<<42>>>"))])
    assert page.run("return document.querySelector('.code code').textContent") == code
    kinds = {
        "decorator": ["@cache"],
        "definition": ["ädd", "None_"],
        "number": ["0x1F", "1.5e3j"],
        "comment": ["# 'no string'"],
        "keyword": ["def", "return", "class", "pass"],
        "builtin": ["str"],
        "string": ['"""Two', '    lines # """', "rf'\\'{a}'", "'open", "'''never closed", "for i in x"],
    }
    pieces = "return [...document.querySelectorAll('.py-' + arguments[0])].map((piece) => piece.textContent)"
    assert {kind: page.run(pieces, kind) for kind in kinds} == kinds
    assert page.run("return document.querySelectorAll('.code .line').length") == len(code.split("\n"))


def test_what_the_policy_did_not_see_is_named(open_records: Open, make_record: MakeRecord) -> None:
    failed = ExecResult("sandbox_error", reason="no slot came up")
    unrun = make_record(1, texts=(CODE,), results=(), answer=None, outcome="call_limit")
    page = open_records([make_record(results=(failed,), outcome="lost", verdict=None), unrun])
    assert "never shown to the policy" in page.texts(".result .warning")[0]
    assert page.texts(".result pre") == ["no slot came up"]
    assert page.texts(".verdict-line strong") == ["lost"]
    page.press("j")
    page.wait("return document.querySelector('.ending').innerText.startsWith('call limit')")
    assert page.texts(".turn-head .warning") == ["code not run"]


def test_the_loss_mask_colours_sampled_and_inserted_token_by_token(open_records: Open, make_record: MakeRecord) -> None:
    boundaries = Boundaries(lambda ids: "".join(map(chr, ids)))
    record = make_record()
    page = open_records([record], "#colour=mask", boundaries)
    assert page.run("return [...document.querySelectorAll('.stretch')].map((stretch) => stretch.textContent)") == [
        "AB", record.trajectory.turns[0].text, record.trajectory.calls[0].inserted_text, "It is 42.\n<<<42>>>",
    ]  # fmt: skip
    tokens = "return document.querySelectorAll(arguments[0]).length"
    mask = record.trajectory.response_mask
    assert page.run(tokens, ".turn .sampled .token") == sum(mask)
    assert page.run(tokens, ".turn .inserted .token") == len(mask) - sum(mask)
    assert "mask 1" in page.texts(".legend")[0] and f"{sum(mask)} tokens" in page.texts(".legend")[0]
    background = "return getComputedStyle(document.querySelector(arguments[0])).background"
    sampled, inserted = (page.run(background, f".turn .{mask}") for mask in ("sampled", "inserted"))
    assert sampled != inserted and "gradient" in inserted  # a pattern as well as a colour


def test_advantage_colours_by_sign_and_size(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six, "#view=group&colour=advantage")
    signs = "return [...document.querySelectorAll('.conversation')].map((part) => part.dataset.sign)"
    assert page.run(signs) == ["plus", "minus", "minus"]
    assert page.texts(".advantage") == ["+0.50", "−0.50", "−0.50"]
    background = (
        "return [...document.querySelectorAll('.sampled')].map((part) => getComputedStyle(part).backgroundColor)"
    )
    assert len(set(page.run(background))) >= 2


def test_the_rollouts_of_a_question_stand_side_by_side(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six, "#verdict=wrong")
    page.press("g")
    page.wait("return document.querySelectorAll('.column').length === 3")  # also those the filter hides
    assert page.texts(".column-pick strong") == ["correct", "wrong", "wrong"]
    assert page.texts(".group-score") == ["1 of 3 correct"]
    tops = page.run("return [...document.querySelectorAll('.column')].map((part) => part.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    page.press("l", "Enter")
    page.wait("return document.querySelector('.detail') !== null")
    assert page.texts(".verdict-line .reason") == ["the trajectory ended without an answer"]


def test_rollouts_stand_by_who_answered_and_number(open_records: Open, make_record: MakeRecord) -> None:
    answered = [("code_agent", 1), ("all_text", 0), ("code_agent", 0)]
    records = [
        make_record(number, agent=agent, sample=sample, prompt="the same question")
        for number, (agent, sample) in enumerate(answered)
    ]
    page = open_records(records, "#view=group")
    assert page.texts(".column-facts") == ["all_text · sample 0", "code_agent · sample 0", "code_agent · sample 1"]
    assert page.run("return document.querySelector('#colour-advantage').hidden") is True  # nothing was trained


def test_the_keyboard_reaches_everything(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six)
    keys = "return new URLSearchParams(location.hash.slice(1)).get('key')"
    page.press("j", "ArrowDown", "k")
    assert page.run(keys) == "key-1"
    page.press("End")
    assert page.run(keys) == "key-5"
    page.press("Home", "l", "ArrowRight", "h")
    assert page.run(keys) == "key-1"
    page.press("g", "j")  # side by side, j goes to the next question
    assert page.run(keys) == "key-3"
    page.press("Escape")
    page.wait("return document.querySelector('.detail') !== null")
    page.press("?")
    assert page.run("return document.querySelector('#help').open") is True
    assert "side by side" in page.texts("#help-keys")[0]
    page.press("Escape", "/")
    assert page.run("return document.activeElement.id") == "search"
    page.press("Escape", "Enter")
    assert page.run("return document.activeElement.id") == "detail"
    page.press("Escape", "m")
    assert page.run("return location.hash").endswith("colour=mask")


def test_a_link_shows_the_same_again(open_records: Open, run_of_six: list[Record], tmp_path: Path) -> None:
    page = open_records(run_of_six, "#key=key-4&view=group&colour=mask&verdict=unparseable&step=2-2&q=6")
    page.wait("return document.querySelectorAll('.column').length === 3 && document.querySelector('#progress').hidden")
    link = page.run("return location.hash")
    assert page.texts(LISTED)[0].startswith("word_sorting") and len(page.texts(LISTED)) == 1
    assert page.run("return document.querySelector('.column[aria-current] strong').textContent") == "unparseable"
    page.press("Home", "g")
    page.run("location.hash = arguments[0]", link)
    page.wait("return document.querySelectorAll('.column').length === 3")
    assert page.run("return location.hash") == link
    page.open(tmp_path / "view.html", "#key=no-such-key")
    page.wait("return document.querySelector('#detail').innerText.includes('no trajectory no-such-key')")


def test_light_and_dark_follow_the_system_and_the_button(open_records: Open, run_of_six: list[Record]) -> None:
    page = open_records(run_of_six)
    background = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(background)
    page.scheme("dark")
    dark = page.run(background)
    assert light != dark
    page.press("t")
    assert page.run(background) == light


def test_ten_thousand_trajectories_take_a_screenful_of_the_document(
    open_records: Open, make_record: MakeRecord
) -> None:
    records = [make_record(number, texts=(f"Number {number}.\n<<<{number}>>>",), results=(), answer=str(number))
               for number in range(10_000)]  # fmt: skip
    page = open_records(records)
    lines = "return document.querySelectorAll('.line-item').length"
    assert page.run(lines) < 60
    page.press("End")
    page.wait("return document.querySelector('#detail').innerText.includes('Number 9999.')")
    assert page.texts(LISTED)[-1].startswith("number_multiply") and page.run(lines) < 60
    page.run("document.querySelector('#list').scrollTop = arguments[0]", 5000 * 58)
    page.wait("return [...document.querySelectorAll('.line-answer')].some((line) => line.textContent === '5000')")
    assert page.run(lines) < 60
    page.type("#search", "Number 777.")
    page.wait("return document.querySelectorAll(arguments[0]).length === 1", LISTED)
    assert page.texts(".line-answer") == ["777"]


def test_a_picture_of_the_page_is_no_empty_one(open_records: Open, run_of_six: list[Record], tmp_path: Path) -> None:
    page = open_records(run_of_six)
    page.screenshot(tmp_path / "view.png")
    assert (tmp_path / "view.png").stat().st_size > 20_000
