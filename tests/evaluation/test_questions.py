"""Which questions a run asks: held out of every data set of the same split, and files of somebody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from r1ci_plugin.data.plan import Plan, draw
from r1ci_plugin.evaluation import questions as questions_module
from r1ci_plugin.evaluation.external import external_question
from r1ci_plugin.evaluation.questions import NoQuestions, choose_tasks, held_out_questions, read_questions
from r1ci_plugin.tasks import Question, get_task, task_names
from r1ci_plugin.tasks.splits import get_split

SPLIT = get_split("default")


def test_sides_suites_and_patterns_name_tasks() -> None:
    assert (len(choose_tasks("test", SPLIT)), len(choose_tasks("train", SPLIT))) == (37, 107)
    assert len(choose_tasks("all", SPLIT)) == 144
    assert choose_tasks("bbh", SPLIT) == task_names("bbh/*")
    assert choose_tasks("letters, bbh/word_sorting", SPLIT) == ["symbench/letters", "bbh/word_sorting"]
    with pytest.raises(NoQuestions, match="lettrs"):
        choose_tasks("lettrs", SPLIT)


def test_evaluation_asks_what_a_data_set_of_the_same_split_holds_out() -> None:
    name = "symbench/letters"
    asked = held_out_questions([name], 15)
    drawn = draw(Plan.of(SPLIT, [name], questions_per_task=40, validation_per_task=15), name)
    assert asked == drawn.questions["validation"]
    assert not {q.question_id for q in asked} & {q.question_id for q in drawn.questions["train"]}


def test_tasks_whose_files_are_missing_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def held_out(plan: Plan, name: str) -> list[Question]:
        if name == "bbh/snarks":
            raise FileNotFoundError("no files of bbh: r1ci data fetch bbh")
        return [get_task(name).make(1)]

    monkeypatch.setattr(questions_module, "held_out", held_out)
    said: list[str] = []
    asked = held_out_questions(["bbh/snarks", "symbench/letters"], 1, on_missing=said.append)
    assert [question.task for question in asked] == ["symbench/letters"]
    assert said == ["1 of 2 tasks are left out (bbh/snarks): no files of bbh: r1ci data fetch bbh"]
    with pytest.raises(NoQuestions, match="r1ci data fetch bbh"):
        held_out_questions(["bbh/snarks"], 1)


def test_a_file_of_records_questions_or_own_questions_is_read(tmp_path: Path, questions: list[Question]) -> None:
    file = tmp_path / "questions.jsonl"
    lines = [
        questions[0].to_dict(),
        {"prompt": "How many days has a leap year?", "answer": "366", "kind": "integer"},
        {"prompt": "Pick.", "answer": "B", "kind": "choice", "options": {"A": "one", "B": "two"}, "set": "gpqa"},
        {"prompt": "Name\u2028it.", "answer": "Blue whale"},
    ]
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    first, year, pick, name = read_questions(file)
    assert read_questions(file, frozenset({year.question_id, name.question_id})) == [first, pick]
    with pytest.raises(NoQuestions, match="not excluded"):
        read_questions(file, frozenset(one.question_id for one in (first, year, pick, name)))
    assert first == questions[0]
    for question, right, wrong in ((year, "366.0", "365"), (pick, "(B) two", "A"), (name, "blue  whale.", "whale")):
        assert get_task(question.task).verify(question, right).score == 1.0
        assert get_task(question.task).verify(question, wrong).score == 0.0


@pytest.mark.parametrize(
    "line",
    [
        {"prompt": "?", "answer": "many", "kind": "integer"},
        {"prompt": "?", "answer": "C", "kind": "choice", "options": {"A": "one", "B": "two"}},
        {"prompt": "?", "kind": "text"},
        {"prompt": "?", "answer": "1", "kind": "poem"},
    ],
)
def test_a_question_whose_own_answer_is_unreadable_is_refused_with_its_line(
    tmp_path: Path, line: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        external_question(line, 1)
    file = tmp_path / "questions.jsonl"
    file.write_text("\n" + json.dumps(line))
    with pytest.raises(NoQuestions, match="line 2"):
        read_questions(file)


def test_options_are_shown_unless_the_prompt_shows_them() -> None:
    line = {"prompt": "Which carries the strong force?", "answer": "B", "kind": "choice"}
    line["options"] = {"A": "photon", "B": "gluon"}
    assert external_question(line, 1).prompt.endswith("strong force?\n\n(A) photon\n(B) gluon")
    shown = "Which carries the strong force: a photon or a gluon?"
    assert external_question({**line, "prompt": shown}, 1).prompt == shown


@pytest.mark.parametrize("second", [("Reverse: abC", "Cba"), ("Reverse: aBc", "other")])
def test_two_questions_that_could_not_be_told_apart_are_refused(tmp_path: Path, second: tuple[str, str]) -> None:
    file = tmp_path / "mine.jsonl"
    lines = [{"prompt": prompt, "answer": answer} for prompt, answer in (("Reverse: aBc", "cBa"), second)]
    file.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(NoQuestions, match="asks the same question twice"):
        read_questions(file)
    file.write_text("\n".join(map(json.dumps, [lines[0], lines[0]])))
    assert len(read_questions(file)) == 1


def test_external_kinds_are_not_among_the_144() -> None:
    assert not task_names("external/*")
