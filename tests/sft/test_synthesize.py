"""Synthesis: fresh questions only, a teacher that fails in every way loses and doubles nothing, its instructions stay
out of the set, the budget is kept, and the scripted teacher serves the same runner.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from r1ci_plugin.cli.sft import app
from r1ci_plugin.config import Limits
from r1ci_plugin.data.plan import MAX_SEED, PARTS, SEEDS_OF_A_PART
from r1ci_plugin.evaluation.answering import Setup, open_runner
from r1ci_plugin.evaluation.endpoint import Endpoint
from r1ci_plugin.evaluation.endpoint_policies import ChatPolicy, Prices
from r1ci_plugin.evaluation.policies import Sampling
from r1ci_plugin.evaluation.runner import Budget, Job
from r1ci_plugin.protocol import render_prompt
from r1ci_plugin.record_files import read_records
from r1ci_plugin.seed_policy.corpus import FIRST_SEED as CORPUS_SEED
from r1ci_plugin.sft.filters import FilterSettings, choose
from r1ci_plugin.sft.forms import FORMS, TEACHER_FORMS, teacher_prompt
from r1ci_plugin.sft.scripts import SCRIPTS
from r1ci_plugin.sft.synthesize import FIRST_SEED, fresh_questions, jobs_for, question_ids, scripted_forms
from r1ci_plugin.sft.training_set import SEEN_FILE, SET_FILE, make_row, read_row, seen_questions
from r1ci_plugin.tasks import get_task

TASKS = ("bbh/word_sorting", "reasoning_gym/chain_sum", "symbench/letters")


@pytest.fixture(scope="session")
def provider() -> ModuleType:
    """The fake provider of the tests of evaluation."""
    file = Path(__file__).parents[1] / "evaluation" / "provider.py"
    spec = importlib.util.spec_from_file_location("r1ci_test_teacher", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def jobs(per_task: int = 5, samples: int = 1) -> list[Job]:
    return jobs_for(TASKS, per_task, dict.fromkeys(TASKS, TEACHER_FORMS), samples=samples, levels=(1,))


def brain(work: Sequence[Job]) -> Any:
    """A teacher that writes the scripted teacher's script for whatever it is asked."""
    asked = {job.question.prompt: job.question for job in work}

    def reply(messages: Sequence[dict[str, str]]) -> str:
        if messages[-1]["content"].startswith("Code Execution Results:"):
            return f"The script says so.\n<<<{messages[-1]['content'].partition(':')[2].strip()}>>>"
        question = next(question for prompt, question in asked.items() if prompt in messages[0]["content"])
        return f"I compute it.\n```python\n{SCRIPTS[question.task](question.prompt)}```\nand text behind the code"

    return reply


def setup(url: str, budget: Budget | None = None) -> Setup:
    def make_policy() -> ChatPolicy:
        return ChatPolicy(Endpoint(url, pause_s=0.01), "teacher", Prices(1.0, 10.0))

    limits = Limits(code_timeout_s=10.0)
    return Setup(make_policy, Sampling(1.0, 1000), limits, concurrency=3, verifier_workers=1, budget=budget)


async def run(way: Setup, folder: Path, work: list[Job]) -> Any:
    async with open_runner(way, folder, {}, [job.question for job in work]) as runner:
        return await runner.answer_all(work), runner.tally


async def test_a_teacher_that_fails_in_every_way_loses_nothing_and_doubles_nothing(
    tmp_path: Path, provider: ModuleType
) -> None:
    work = jobs()
    faults = [fault for fault in provider.FAULTS for _ in range(3)]
    async with provider.Provider(brain(work), faults) as server:
        records, tally = await run(setup(server.url), tmp_path, work)
        asked = len(server.seen)
        again, _ = await run(setup(server.url), tmp_path, work)
        assert len(server.seen) == asked, "a finished run asks for nothing again"
    assert set(faults) <= set(server.played)
    assert [record.key for record in records] == [record.key for record in again] == [job.key for job in work]
    assert Counter(record.key for record in read_records(tmp_path)) == Counter(job.key for job in work)
    assert tally.lost == 0 and len(choose(records, FilterSettings(switching=0, repairing=0)).kept) == len(work)


async def test_the_instruction_of_a_form_reaches_the_teacher_and_not_the_set(
    tmp_path: Path, provider: ModuleType
) -> None:
    work = jobs()
    async with provider.Provider(brain(work)) as server:
        records, _ = await run(setup(server.url), tmp_path, work)
    asked = {body["messages"][0]["content"] for _, body in server.seen}
    assert {teacher_prompt(job.question, job.form) for job in work} == asked
    assert {record.form for record in records} == set(TEACHER_FORMS)
    for record in records:
        (message,) = read_row(make_row(record)).prompt
        assert message == {"role": "user", "content": render_prompt(record.question.prompt)}
        assert not any(text and text in json.dumps(make_row(record)) for text in FORMS.values())
        assert "payload" not in json.dumps(make_row(record))


@pytest.mark.parametrize("budget", [Budget(cost=0.012), Budget(tokens=2600)])
async def test_the_budget_is_kept(tmp_path: Path, provider: ModuleType, budget: Budget) -> None:
    work = jobs(samples=3)
    async with provider.Provider(brain(work)) as server:
        for _ in range(2):
            _, tally = await run(setup(server.url, budget), tmp_path, work)
            assert tally.not_started == len(work) - tally.done > 0
    spent = sum((record.usage for record in read_records(tmp_path)), start=type(tally.usage)())
    assert 0 < spent.cost <= (budget.cost or 1.0)
    assert spent.prompt_tokens + spent.sampled_tokens <= (budget.tokens or 1 << 30)


def test_questions_are_fresh_distinct_and_the_same_every_time() -> None:
    first = fresh_questions("reasoning_gym/chain_sum", 40)
    ids = [question.question_id for question in first]
    assert len(set(ids)) == 40 and {question.difficulty for question in first} == {1, 2, 3, 4, 5}
    assert first == fresh_questions("reasoning_gym/chain_sum", 40)
    others = fresh_questions("reasoning_gym/chain_sum", 40, excluded=frozenset(ids[:10]))
    assert not {question.question_id for question in others} & set(ids[:10])
    assert not {q.question_id for q in fresh_questions("reasoning_gym/chain_sum", 40, seed=1)} & set(ids)


def test_seeds_are_neither_those_of_data_sets_nor_those_of_the_seed_policy() -> None:
    last_of_data_sets = (MAX_SEED + 1) * len(PARTS) * SEEDS_OF_A_PART
    assert max(last_of_data_sets, CORPUS_SEED + 10**8) < FIRST_SEED


def test_a_task_with_few_questions_gives_what_it_has() -> None:
    few = fresh_questions("bbh/boolean_expressions", 400, levels=(1,))
    assert len({question.question_id for question in few}) == len(few) <= 400


def test_the_scripted_teacher_takes_only_the_forms_it_has() -> None:
    forms = scripted_forms(["symbench/letters", "symbench/game24", "bbh/snarks"], ["text", "code"])
    assert forms == {"symbench/letters": ("text", "code"), "symbench/game24": ("code",), "bbh/snarks": ()}
    assert {job.question.task for job in jobs_for(list(forms), 2, forms)} == {"symbench/letters", "symbench/game24"}


def test_from_the_command_line_to_a_set(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    taken = get_task("bbh/word_sorting").make(FIRST_SEED, 1)
    from r1ci_plugin.data.row import SCHEMA
    from r1ci_plugin.data.row import make_row as data_row

    pa = pytest.importorskip("pyarrow")
    parquet.write_table(pa.Table.from_pylist([data_row(taken, "train", 0)], SCHEMA), data / "train.parquet")
    assert question_ids(data) == {taken.question_id}
    run_folder, out = tmp_path / "run", tmp_path / "set"
    words = ["synthesize", "--tasks", ",".join(TASKS), "--per-task", "4", "--difficulty", "1", "--data", str(data)]
    made = CliRunner().invoke(app, [*words, "--out", str(run_folder), "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["correct"] == 12
    checked = CliRunner().invoke(app, ["check", str(run_folder), "--out", str(out), "--json"])
    told = json.loads(checked.stdout)
    assert checked.exit_code == 0 and told["kept"] == 12 == parquet.read_metadata(out / SET_FILE).num_rows
    assert taken.question_id not in seen_questions(out) and len(seen_questions(out)) == 12
    rows = parquet.read_table(out / SET_FILE).to_pylist()
    assert {row["question_id"] for row in rows} == set(json.loads((out / SEEN_FILE).read_text()))
    card = (out / "README.md").read_text()
    assert "12 trajectories about 12 questions of 3 tasks" in card and "| bbh/word_sorting |" in card


def test_two_teachers_trajectories_are_two_also_where_they_were_asked_the_same(tmp_path: Path) -> None:
    run, other = tmp_path / "a", tmp_path / "b"
    words = ["synthesize", "--tasks", TASKS[0], "--per-task", "2", "--difficulty", "1", "--data", str(tmp_path)]
    assert CliRunner().invoke(app, [*words, "--out", str(run), "--json"]).exit_code == 0
    other.mkdir()
    lines = [json.loads(line) for line in (run / "trajectories.jsonl").read_text().splitlines()]
    for line in lines:
        line["verdict"]["outcome"] = "wrong"
    (other / "trajectories.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    shares = [word for name in ("multi-turn", "switching", "repairing") for word in (f"--{name}", "0")]
    words = ["check", str(run), str(other), *shares, "--out", str(tmp_path / "set"), "--json"]
    told = json.loads(CliRunner().invoke(app, words).stdout)
    assert told["kept"] == len(lines)
    assert told["dropped"] == {"the answer is not correct": len(lines)}


def test_a_wrong_form_or_a_test_task_is_one_clear_line(tmp_path: Path) -> None:
    wrong = CliRunner().invoke(app, ["synthesize", "--forms", "poem", "--out", str(tmp_path)])
    assert wrong.exit_code == 2 and "there is no form 'poem'" in wrong.stderr
    tested = CliRunner().invoke(app, ["synthesize", "--tasks", "bbh/snarks", "--out", str(tmp_path)])
    assert tested.exit_code == 2 and "no training task" in tested.stderr
    nothing = CliRunner().invoke(app, ["check", str(tmp_path / "none")])
    assert nothing.exit_code == 2 and "r1ci sft synthesize" in nothing.stderr


def test_guesses_are_asked_for_by_name_alone_and_forms_come_as_often_as_they_are_named() -> None:
    assert "guess" not in scripted_forms(["symbench/letters"])["symbench/letters"]
    forms = scripted_forms(["symbench/letters", "bbh/snarks"], ["code", "guess", "guess"])
    assert forms == {"symbench/letters": ("code", "guess", "guess"), "bbh/snarks": ()}


def test_every_level_is_asked_in_every_form() -> None:
    jobs = jobs_for(["symbench/letters"], 16, {"symbench/letters": ("code", "guess")}, levels=(1, 2, 3, 4))
    found = [(job.question.difficulty, job.form) for job in jobs]
    assert {found.count((level, form)) for level in (1, 2, 3, 4) for form in ("code", "guess")} == {2}
