"""Measuring potential: whole rounds, no more of them than needed, and the same counts after any interruption."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from r1ci_plugin.config import Limits
from r1ci_plugin.curriculum.adaptive import decided
from r1ci_plugin.curriculum.answers import counts_at
from r1ci_plugin.curriculum.counts import pool
from r1ci_plugin.evaluation.answering import Setup, open_runner
from r1ci_plugin.evaluation.endpoint import Endpoint
from r1ci_plugin.evaluation.endpoint_policies import ChatPolicy
from r1ci_plugin.evaluation.measuring import Measured, Rounds, measure
from r1ci_plugin.evaluation.policies import Sampling
from r1ci_plugin.tasks import Question

AGENTS = ("all_text", "code_agent")


async def run(url: str, folder: Path, questions: list[Question], rounds: Rounds, attempts: int = 3) -> Measured:
    def make_policy() -> ChatPolicy:
        return ChatPolicy(Endpoint(url, pause_s=0.01, attempts=attempts), "fake")

    setup = Setup(make_policy, Sampling(1.0, 500), Limits(code_timeout_s=10.0), concurrency=4, verifier_workers=1)
    async with open_runner(setup, folder, {"command": "test"}, questions) as runner:
        return await measure(runner, questions, rounds)


def every_other_right(answers: dict[str, str]) -> Callable[[Any], str]:
    """Knows every question of letters, none of word_sorting, and of chain_sum every other time it is asked."""
    asked: dict[str, int] = {}

    def brain(messages: Any) -> str:
        first = messages[0]["content"]
        prompt = next(prompt for prompt in answers if prompt in first)
        asked[prompt] = asked.get(prompt, 0) + 1
        right = "letter" in prompt or ("arithmetic" in prompt and asked[prompt] % 2)
        return f"<<<{answers[prompt] if right else 'no idea'}>>>"

    return brain


async def test_adaptive_rounds_stop_where_the_group_is_settled_and_not_before(
    tmp_path: Path, provider: Any, questions: list[Question], answers: dict[str, str]
) -> None:
    rounds = Rounds(AGENTS, 10, (0.5, 1.0), adaptive=True)
    async with provider(brain=every_other_right(answers)) as server:
        measured = await run(server.url, tmp_path, questions, rounds)
    assert measured.saved > 0 and measured.missing == 0
    assert len(measured.records) + measured.saved == len(questions) * rounds.total
    for counted in pool(counts_at(tmp_path)):
        right, n = counted.right, counted.n
        assert n % len(AGENTS) == 0
        assert decided(right, n, rounds.total, round_size=2) is not None
        taken = [record.acc for record in measured.records if record.question.question_id == counted.question_id]
        before = taken[: n - len(AGENTS)]
        assert not before or decided(int(sum(before)), len(before), rounds.total, round_size=2) is None


async def test_every_round_has_its_temperature_and_asks_every_agent_once(
    tmp_path: Path, provider: Any, questions: list[Question]
) -> None:
    async with provider() as server:
        measured = await run(server.url, tmp_path, questions[:1], Rounds(AGENTS, 3, (0.5, 1.0)))
    found = sorted((record.sample, record.agent, record.temperature) for record in measured.records)
    assert found == [(r, agent, (0.5, 1.0)[r % 2]) for r in range(3) for agent in AGENTS]


async def test_answers_lost_to_the_provider_are_in_no_count_and_are_asked_for_again(
    tmp_path: Path, provider: Any, questions: list[Question]
) -> None:
    rounds = Rounds(AGENTS, 2, (1.0,))
    async with provider(*["500"] * 12) as server:
        measured = await run(server.url, tmp_path, questions[:2], rounds, attempts=1)
        counted = sum(one.n for one in counts_at(tmp_path))
        assert measured.missing > 0 and counted == len(measured.records) == 8 - measured.missing
        again = await run(server.url, tmp_path, questions[:2], rounds)
    assert again.missing == 0
    assert {one.n for one in pool(counts_at(tmp_path))} == {4}
    keys = [json.loads(line)["key"] for line in (tmp_path / "trajectories.jsonl").read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 8
