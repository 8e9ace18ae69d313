"""Building data: the same bytes every time, nothing lost by a stop, nothing overwritten, nothing in two files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from r1ci_plugin.data import build as module
from r1ci_plugin.data.build import TaskFailed, WouldOverwrite, build
from r1ci_plugin.data.card import card
from r1ci_plugin.data.plan import Plan, draw
from r1ci_plugin.data.row import SCHEMA, decode, encode, make_row, read_row
from r1ci_plugin.protocol import PROTOCOL, render_prompt
from r1ci_plugin.tasks import Draft, Question, Task, TaskInfo, Verdict, get_task
from r1ci_plugin.tasks.base import Definitions
from r1ci_plugin.tasks.splits import get_split

PLAN = Plan("default", ("symbench/letters", "bbh/word_sorting"), ("symbench/game24",), 6, 2)


class Narrow(Task):
    """A task that has only ten questions a level, the same ones on both levels."""

    def generate(self, rng: object, level: int) -> Draft:
        return Draft(f"Question {rng.randrange(10)}", {"answer": "x"})  # type: ignore[attr-defined]

    def check(self, payload: object, answer: str) -> Verdict:
        return Verdict.compare(answer, "x")

    def oracle(self, payload: object) -> str:
        return "x"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> str:
    name = "test/narrow"
    monkeypatch.setitem(Definitions.by_name, name, Narrow(TaskInfo(name, "", ("math",), "text", 2, "", "")))
    return name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(PLAN, folder, workers=2)
    return folder


def rows(folder: Path, part: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = parquet.read_table(folder / f"{part}.parquet").to_pylist()
    return found


def test_a_row_has_what_verl_and_the_verifier_read() -> None:
    question = get_task("symbench/letters").make(3, 2)
    row = make_row(question, "train", 5)
    assert row["prompt"] == [{"role": "user", "content": render_prompt(question.prompt)}]
    assert (row["data_source"], row["agent_name"]) == ("symbench/letters", "r1ci_code_interpreter")
    assert row["extra_info"] == {
        "index": 5,
        "task": "symbench/letters",
        "split": "train",
        "seed": 3,
        "difficulty": 2,
        "question_id": question.question_id,
        "protocol": PROTOCOL,
    }
    assert isinstance(row["reward_model"]["ground_truth"], str)
    assert read_row(row) == question


@pytest.mark.parametrize("text", ["", "{}", "[1]", "3", '{"task": "x"}', "{", '"text"'])
def test_a_text_that_is_no_question_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a question"):
        decode(text)


def test_question_text_survives_any_unicode() -> None:
    question = Question("symbench/letters", 1, 1, 'é \u2028 \x00 😀 \\ "', {"key": ["😀", None, 1.5]})
    assert decode(encode(question)) == question


def test_the_files_hold_what_the_plan_says(built: Path) -> None:
    assert [len(rows(built, part)) for part in ("train", "validation", "test")] == [12, 4, 6]
    assert parquet.read_schema(built / "train.parquet").equals(SCHEMA)
    train = rows(built, "train")
    assert [row["extra_info"]["index"] for row in train] == list(range(12))  # type: ignore[index]
    levels = [row["extra_info"]["difficulty"] for row in train if row["data_source"] == "symbench/letters"]  # type: ignore[index]
    assert levels == [1, 2, 3, 4, 5, 1]
    assert {row["data_source"] for row in rows(built, "test")} == {"symbench/game24"}
    record = json.loads((built / "build.json").read_text())
    assert {name: facts["questions"] for name, facts in record["files"].items()} == {
        "train.parquet": 12,
        "validation.parquet": 4,
        "test.parquet": 6,
    }
    assert "| symbench/game24 |" in (built / "README.md").read_text()
    assert sorted(file.name for file in built.iterdir()) == [
        "README.md",
        "build.json",
        "test.parquet",
        "train.parquet",
        "validation.parquet",
    ]


def test_the_same_plan_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    build(PLAN, tmp_path, workers=1)
    for file in built.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"seed": 300}, {"questions_per_task": 0}, {"questions_per_task": 40_001}]
)
def test_counts_and_seeds_whose_questions_could_overlap_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="data set"):
        replace(PLAN, **wrong)


def test_another_seed_gives_other_questions() -> None:
    ids = [
        {question.question_id for question in draw(replace(PLAN, seed=seed), "symbench/letters").questions["train"]}
        for seed in (0, 1)
    ]
    assert not ids[0] & ids[1]


def test_a_finished_data_set_is_not_overwritten_unless_forced(built: Path, tmp_path: Path) -> None:
    small = Plan("default", (), ("symbench/letters",), 1, 0)
    build(small, tmp_path)
    before = (tmp_path / "test.parquet").read_bytes()
    with pytest.raises(WouldOverwrite, match="--force"):
        build(replace(small, seed=1), tmp_path)
    assert (tmp_path / "test.parquet").read_bytes() == before
    build(replace(small, seed=1), tmp_path, force=True)
    assert (tmp_path / "test.parquet").read_bytes() != before


def test_a_stopped_build_goes_on_where_it_stopped(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write_parts", stop)
        with pytest.raises(KeyboardInterrupt):
            build(PLAN, tmp_path, workers=1)
    assert not (tmp_path / "build.json").exists()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_draw_one", stop)
        build(PLAN, tmp_path, workers=1)
    assert (tmp_path / "train.parquet").read_bytes() == (built / "train.parquet").read_bytes()


def test_what_another_plan_left_unfinished_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.fingerprint(PLAN) != module.fingerprint(replace(PLAN, seed=1))
    before = module.fingerprint(PLAN)
    monkeypatch.setattr(module, "source_digest", lambda: "other code")
    assert module.fingerprint(PLAN) != before


def test_validation_and_training_never_share_a_question(narrow: str) -> None:
    drawn = draw(Plan("default", (narrow,), (), 20, 4), narrow)
    ids = {part: {question.question_id for question in questions} for part, questions in drawn.questions.items()}
    assert len(ids["validation"]) == 4 and not ids["validation"] & ids["train"]
    assert (len(ids["train"]), drawn.missing) == (6, 14)


def test_levels_that_a_task_lacks_are_an_error_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="levels 1 to 5"):
        build(replace(PLAN, levels=(9,)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_chosen_levels_alone_are_drawn() -> None:
    drawn = draw(replace(PLAN, levels=(2, 4)), "symbench/letters")
    assert {question.difficulty for question in drawn.questions["train"]} == {2, 4}


def test_a_task_whose_files_are_missing_is_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R1CI_BBH_DIR", str(tmp_path / "nothing"))
    built = build(Plan("default", (), ("bbh/snarks", "symbench/letters"), 2, 0), tmp_path / "out", workers=1)
    assert {one.task: bool(one.left_out) for one in built} == {"symbench/letters": False, "bbh/snarks": True}
    assert len(rows(tmp_path / "out", "test")) == 2


def test_a_broken_generator_is_named_and_nothing_is_written(tmp_path: Path, narrow: str) -> None:
    """The fresh processes of a build do not know the task that only this test has defined."""
    with pytest.raises(TaskFailed, match="test/narrow"):
        build(Plan("default", (), ("symbench/letters", narrow), 2, 0), tmp_path, workers=1)
    assert not (tmp_path / "test.parquet").exists()


def test_excluded_questions_are_never_drawn(tmp_path: Path, built: Path) -> None:
    seen = frozenset(str(row["extra_info"]["question_id"]) for row in rows(built, "train"))  # type: ignore[index]
    build(replace(PLAN, excluded=seen), tmp_path, workers=1)
    written = [row for part in ("train", "validation", "test") for row in rows(tmp_path, part)]
    drawn = {row["extra_info"]["question_id"] for row in written}  # type: ignore[index]
    assert len(drawn) == len(seen) + 2 * 2 + 6 and not drawn & seen
    record = json.loads((tmp_path / "build.json").read_text())
    assert record["plan"]["excluded"]["questions"] == len(seen)


def test_training_on_questions_with_a_canary_is_said_in_record_and_card(built: Path) -> None:
    record = json.loads((built / "build.json").read_text())
    assert record["plan"]["trains_on_canary"] == [] and "canary" not in (built / "README.md").read_text()
    plan = replace(PLAN, train=("bbh/snarks",), test=())
    assert plan.to_dict()["trains_on_canary"] == ["bbh/snarks"]
    record["plan"]["trains_on_canary"] = ["bbh/snarks"]
    assert "bbh/snarks come from published files that ask not to be trained on" in card(record)


def test_the_card_names_test_tasks_that_have_a_relative_in_training(built: Path) -> None:
    record = json.loads((built / "build.json").read_text())
    assert "twins across suites are on one side" in card(record)
    record["plan"] |= {"train": ["symbench/game24"], "test": ["reasoning_gym/countdown", "bbh/word_sorting"]}
    text = card(record)
    assert "among the training tasks: reasoning_gym/countdown (symbench/game24).\n" in text
    assert "are on one side" not in text


def test_labels_say_what_always_the_same_answer_would_win(tmp_path: Path) -> None:
    plan = Plan.of(get_split("default"), ["bbh/web_of_lies", "bbh/word_sorting"], questions_per_task=20)
    labels, many = (one.labels for one in build(plan, tmp_path, workers=1))
    count, _, share = labels.partition(", ")
    assert count == "2" and share.split()[0] in ("Yes", "No") and 50 <= int(share.split()[1].rstrip("%")) < 80
    assert many == ""


def test_prompts_are_measured_by_what_the_build_is_given(tmp_path: Path) -> None:
    plan = Plan.of(get_split("default"), ["bbh/web_of_lies"], questions_per_task=3)
    [built] = build(plan, tmp_path, workers=1, measure=lambda texts: [text.count("\n") for text in texts])
    assert 0 < built.prompt_lengths[0] <= built.prompt_lengths[1] < 20
