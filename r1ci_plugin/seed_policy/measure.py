"""Measure a small policy: its pass rate on fresh questions of the twelve tasks, by task and level.

    python -m r1ci_plugin.seed_policy.measure --policy r1ci_plugin/assets/seed_policy

Prints a table; `--json FILE` writes the numbers, `--card` the policy's card. No question is one that the policy was
trained on: small levels repeat themselves under other seeds, so questions are told apart by their ids. Left out: making
the policy (`make.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.config import Limits
from r1ci_plugin.drive import Sampled, drive
from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine
from r1ci_plugin.seed_policy.card import card
from r1ci_plugin.seed_policy.corpus import SHARE_IN_WORDS, messages
from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.trajectory import Generate, Interaction, Trajectory

FIRST_SEED = 900_000_000
"""Fresh questions: below the corpus, above what data sets are built from."""
TRIES = 20
"""Seeds for each question asked for: a small level may have fewer questions than that, or fewer unseen ones."""

Counts = dict[tuple[str, int], list[tuple[float, float]]]
"""(task, level) to (right, used code) of every answer."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=25, help="a task and level")
    parser.add_argument("--levels", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--card", action="store_true", help="write the policy's README.md")
    arguments = parser.parse_args()
    counts = asyncio.run(measure(arguments.policy, arguments.questions, arguments.levels, arguments.temperature))
    rows = summary(counts)
    for row in rows:
        print(
            f"{row['task']:36} level {row['level']}  pass rate {row['pass_rate']:.2f}  "
            f"code {row['code_rate']:.2f}  n {row['n']}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    if arguments.card:
        text = card(
            rows,
            parameters=_parameters(arguments.policy),
            seen=len(_seen(arguments.policy)),
            questions=arguments.questions,
            temperature=arguments.temperature,
        )
        (arguments.policy / "README.md").write_text(text)


def _parameters(policy: Path) -> int:
    from transformers import AutoModelForCausalLM

    return int(AutoModelForCausalLM.from_pretrained(policy).num_parameters())


def _seen(policy: Path) -> frozenset[str]:
    """Ids of the questions that the policy was trained on; none where it does not say."""
    file = policy / "questions_seen.json"
    return frozenset(json.loads(file.read_text())) if file.exists() else frozenset()


def fresh(name: str, level: int, count: int, seen: Collection[str]) -> list[Question]:
    """Up to `count` different questions of a task's level that are not among those `seen`."""
    found: dict[str, Question] = {}
    for number in range(TRIES * count):
        question = get_task(name).make(FIRST_SEED + number, level)
        if question.question_id not in seen:
            found[question.question_id] = question
        if len(found) == count:
            break
    return list(found.values())


async def measure(policy: Path, questions: int, levels: list[int], temperature: float) -> Counts:
    """One answer to each of up to `questions` fresh questions of every task and level."""
    from transformers import AutoTokenizer

    engine = EmbeddedEngine(policy, max_model_len=1024)
    codec = TokenizerCodec(AutoTokenizer.from_pretrained(policy))
    counts: Counts = defaultdict(list)
    seen = _seen(policy)
    tasks = sorted(SHARE_IN_WORDS)
    drawn = [question for name in tasks for level in levels for question in fresh(name, level, questions, seen)]
    async with LocalExecutor() as executor, VerifierPool() as pool:

        async def one(question: Question) -> None:
            trajectory = await answer(question, engine, codec, executor, temperature)
            verdict = await pool.verify(question, trajectory.answer) if trajectory.answer is not None else None
            right = verdict.score if verdict is not None else 0.0
            counts[question.task, question.difficulty].append((right, float(bool(trajectory.calls))))

        await asyncio.gather(*map(one, drawn))
    engine.close()
    return counts


async def answer(
    question: Question, engine: EmbeddedEngine, codec: TokenizerCodec, executor: Executor, temperature: float
) -> Trajectory:
    """One trajectory of the policy about one question."""
    limits = Limits(code_timeout_s=10.0, result_max_tokens=128)

    async def sample(token_ids: list[int], command: Generate) -> Sampled:
        parameters: dict[str, Any] = {
            "temperature": temperature,
            "max_tokens": command.max_tokens,
            "stop": list(command.stop),
            "include_stop_str_in_output": True,
        }
        generation = await engine.generate(token_ids, parameters, question.question_id)
        return generation.token_ids, generation.log_probs

    async def run(code: str) -> ExecResult:
        return await executor.run(code, timeout=limits.code_timeout_s)

    interaction = Interaction(
        codec, codec.encode_prompt(messages(question)), limits, response_tokens=384, context_tokens=1024
    )
    return await drive(interaction, sample, run)


def summary(counts: Counts) -> list[dict[str, Any]]:
    """A row for every task and level, in order."""
    rows = []
    for (task, level), answers in sorted(counts.items()):
        right, code = (sum(column) / len(answers) for column in zip(*answers, strict=True))
        rows.append({"task": task, "level": level, "pass_rate": right, "code_rate": code, "n": len(answers)})
    return rows


if __name__ == "__main__":
    main()
