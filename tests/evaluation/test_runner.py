"""Many answers through a provider that fails: nothing lost, nothing doubled, the budget kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from r1ci_plugin.cli.live import Live
from r1ci_plugin.config import Limits
from r1ci_plugin.evaluation.answering import Setup, open_runner
from r1ci_plugin.evaluation.endpoint import Endpoint
from r1ci_plugin.evaluation.endpoint_policies import ChatPolicy, Prices
from r1ci_plugin.evaluation.policies import PolicyError, Sampling
from r1ci_plugin.evaluation.run_folder import OtherRun, open_run, read_settings
from r1ci_plugin.evaluation.runner import Budget, Job
from r1ci_plugin.record_files import read_records
from r1ci_plugin.tasks import Question

Make = Callable[..., Any]


def setup(url: str, *, attempts: int = 4, **options: Any) -> Setup:
    def make_policy() -> ChatPolicy:
        return ChatPolicy(Endpoint(url, pause_s=0.01, attempts=attempts), "fake", Prices(1.0, 10.0))

    return Setup(make_policy, Sampling(0.6, 1000), Limits(code_timeout_s=10.0), verifier_workers=1, **options)


def jobs(questions: list[Question], agent: str = "code_agent", samples: int = 1) -> list[Job]:
    return [Job(question, agent, sample) for question in questions for sample in range(samples)]


async def run(way: Setup, folder: Path, work: list[Job]) -> Any:
    async with open_runner(way, folder, {"command": "test"}, [job.question for job in work]) as runner:
        return await runner.answer_all(work), runner.tally


async def test_every_fault_that_may_pass_costs_no_answer(
    tmp_path: Path, provider: Make, provider_module: ModuleType, questions: list[Question]
) -> None:
    faults = [fault for fault in provider_module.FAULTS for _ in range(2)]
    async with provider(*faults) as server:
        records, tally = await run(setup(server.url, concurrency=3), tmp_path, jobs(questions))
    assert set(faults) <= set(server.played)
    assert [record.key for record in records] == [job.key for job in jobs(questions)]
    assert all(record.acc == 1.0 for record in records)
    assert (tally.lost, tally.fresh) == (0, len(questions))
    written = list(read_records(tmp_path))
    assert sorted(record.key for record in written) == sorted(record.key for record in records)
    assert all(record.trajectory.transport == "messages" for record in written)


async def test_what_follows_the_code_of_a_turn_is_cut_off(
    tmp_path: Path, provider: Make, questions: list[Question]
) -> None:
    async with provider() as server:
        (record,), _ = await run(setup(server.url), tmp_path, jobs(questions[:1]))
    assert record.trajectory.turns[0].text.endswith("```\n")
    sent = server.seen[-1][1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == record.trajectory.turns[0].text


async def test_a_finished_run_asks_for_nothing_again(tmp_path: Path, provider: Make, questions: list[Question]) -> None:
    async with provider() as server:
        first, _ = await run(setup(server.url), tmp_path, jobs(questions))
        asked = len(server.seen)
        again, tally = await run(setup(server.url), tmp_path, jobs(questions))
    assert len(server.seen) == asked
    assert [record.to_dict() for record in again] == [record.to_dict() for record in first]
    assert (tally.fresh, tally.done) == (0, len(questions))


async def test_a_provider_that_stays_down_loses_answers_and_keeps_the_run(
    tmp_path: Path, provider: Make, questions: list[Question]
) -> None:
    async with provider(*["500"] * 6) as server:
        records, tally = await run(setup(server.url, concurrency=1, attempts=2), tmp_path, jobs(questions[:3]))
        assert (tally.lost, len(records)) == (1, 2)  # three tries of two requests each
        assert "500" in tally.reasons[0]
        records, tally = await run(setup(server.url), tmp_path, jobs(questions[:3]))
    assert (tally.fresh, len(records)) == (1, 3)


async def test_a_refused_key_ends_the_run_with_the_servers_words(
    tmp_path: Path, provider: Make, questions: list[Question]
) -> None:
    async with provider("401") as server:
        with pytest.raises(PolicyError, match="401"):
            await run(setup(server.url), tmp_path, jobs(questions))


@pytest.mark.parametrize("budget", [Budget(cost=0.016), Budget(tokens=2600)])
async def test_the_budget_is_kept_over_all_starts(
    tmp_path: Path, provider: Make, questions: list[Question], budget: Budget
) -> None:
    taken = 0
    async with provider() as server:
        for _ in range(2):
            _, tally = await run(setup(server.url, concurrency=4, budget=budget), tmp_path, jobs(questions, samples=3))
            taken = max(taken, tally.done)
            assert tally.not_started == 36 - tally.done > 0
    # an answer takes two requests of 100 + 20 tokens, 0.0006 in money; before the first, its whole budget is kept free
    spent = sum((record.usage for record in read_records(tmp_path)), start=type(tally.usage)())
    assert 0 < spent.cost <= (budget.cost or 1.0)
    assert spent.prompt_tokens + spent.sampled_tokens <= (budget.tokens or 1 << 30)


async def test_what_a_lost_answer_took_counts_against_the_budget(
    tmp_path: Path, provider: Make, questions: list[Question]
) -> None:
    # the first turn of every try is answered, the second is not: 120 tokens each, and no answer ever
    faults = [fault for _ in range(60) for fault in ("", "500")]
    way = {"attempts": 1, "concurrency": 1, "budget": Budget(tokens=2000)}
    async with provider(*faults) as server:
        records, tally = await run(setup(server.url, **way), tmp_path, jobs(questions))
    assert not records and tally.lost and tally.not_started
    assert 1000 < 120 * server.answered <= 1000 + 3 * 120  # begun only while a whole answer of 1000 fits


def test_a_folder_belongs_to_one_set_of_settings(tmp_path: Path) -> None:
    with open_run(tmp_path, {"policy": "a", "samples": 1}) as journal:
        journal.append({"key": "an answer"})
    with open_run(tmp_path, {"samples": 1, "policy": "a"}) as journal:
        assert "an answer" in journal
    with pytest.raises(OtherRun, match="samples"), open_run(tmp_path, {"policy": "a", "samples": 2}):
        pass


def test_a_folder_without_an_answer_belongs_to_nobody(tmp_path: Path) -> None:
    for model in ("mistyped", "right"):
        with open_run(tmp_path, {"policy": model}):
            pass
    assert read_settings(tmp_path)["policy"] == "right"


def test_a_run_killed_at_any_moment_goes_on_with_nothing_lost_and_nothing_doubled(
    tmp_path: Path, questions: list[Question], answers: dict[str, str]
) -> None:
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    asked = tmp_path / "questions.jsonl"
    asked.write_text("".join(json.dumps(question.to_dict()) + "\n" for question in questions))
    script = Path(__file__).parent / "provider.py"
    server = subprocess.Popen([sys.executable, script, tmp_path / "answers.json"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    out = tmp_path / "run"
    command = [sys.executable, "-m", "r1ci_plugin", "eval", "run", "--base-url", url, "--model", "fake", "--json"]
    command += ["--questions", str(asked), "--samples", "4", "--out", str(out), "--concurrency", "2"]
    try:
        client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        journal = out / "trajectories.jsonl"
        deadline = time.monotonic() + 120
        while not (journal.exists() and journal.read_bytes().count(b"\n") >= 5):
            assert client.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        os.killpg(client.pid, signal.SIGKILL)
        client.communicate()
        before = journal.read_bytes()
        assert before.count(b"\n") < 48
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    finally:
        server.kill()
        server.communicate()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"] == {"code_agent": 1.0}
    whole = before[: before.rfind(b"\n") + 1]
    assert journal.read_bytes().startswith(whole)
    keys = [record.key for record in read_records(out)]
    assert len(keys) == len(set(keys)) == 48


def test_what_is_left_is_reckoned_from_the_answers_of_this_sitting(record: Make) -> None:
    live = Live(total=100, quiet=True)
    for _ in range(90):
        live.on_record(record(), is_fresh=False)
    live.on_record(record())
    live._started -= 60.0  # a minute for the one answer
    assert live._eta() == "9 min left"
