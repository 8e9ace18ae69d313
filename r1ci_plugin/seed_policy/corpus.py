"""The seed policy's training trajectories: the scripted teacher at work on twelve tasks, every script run for real.

The mix of forms differs by task on purpose: where the policy learns to answer in words what words cannot reach, its
pass rate starts in the middle, and reinforcement has something to teach (when to write code). Left out: tokens
(`tokenizer.py`) and training (`make.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from r1ci_plugin.codec import Codec
from r1ci_plugin.config import Limits
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.protocol import render_prompt
from r1ci_plugin.sft.replay import replay
from r1ci_plugin.sft.teacher import Form, ScriptedTeacher
from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.trajectory import Trajectory

FIRST_SEED = 1_000_000_000
"""Questions of the corpus have seeds from here on; `r1ci data build` stays below."""

SHARE_IN_WORDS: dict[str, float] = {
    "symbench/game24": 0.60,
    "symbench/letters": 0.50,
    "symbench/number_multiply": 0.50,
    "symbench/string_insertion": 0.75,
    "bbh/word_sorting": 0.50,
    "bbh/boolean_expressions": 0.60,
    "bbh/object_counting": 0.60,
    "bbh/multistep_arithmetic_two": 0.60,
    "reasoning_gym/chain_sum": 0.55,
    "reasoning_gym/spell_backward": 0.40,
    "reasoning_gym/count_bits": 0.10,
    "reasoning_gym/base_conversion": 0.90,
}
"""The twelve tasks, and how often the teacher answers each in words alone."""

LEVELS = (1, 2, 3, 4)
_CODE_FORMS: tuple[tuple[Form, float], ...] = (("code", 0.84), ("check", 0.08), ("repair", 0.08))


@dataclass(frozen=True, slots=True)
class Spoken:
    """A trajectory as text: what the teacher said in each turn, and what its scripts gave."""

    question: Question
    form: Form
    turns: tuple[str, ...]
    results: tuple[ExecResult, ...]

    def replay(self, codec: Codec, prompt_ids: Sequence[int], limits: Limits) -> Trajectory:
        """The same trajectory in a policy's tokens."""
        return replay(self.turns, self.results, codec, prompt_ids, limits, eos_id=min(codec.eos_ids, default=None))


def questions(count: int, seed: int = 0) -> list[tuple[Question, Form]]:
    """Distinct questions spread evenly over tasks and levels, each with the form to answer it in."""
    rng = Random(f"corpus|{seed}")
    found: dict[str, tuple[Question, Form]] = {}
    for number in range(count):
        name = sorted(SHARE_IN_WORDS)[number % len(SHARE_IN_WORDS)]
        level = rng.choice(LEVELS[:3] if name == "symbench/game24" else LEVELS)
        question = get_task(name).make(FIRST_SEED + number, level)
        found.setdefault(question.question_id, (question, _form(name, rng)))
    return list(found.values())


async def speak(question: Question, form: Form, executor: Executor, seed: int = 0) -> Spoken:
    """Let the teacher answer one question."""
    teacher = ScriptedTeacher(question, form, Random(f"{question.question_id}|{seed}"))
    turns, results = [teacher.speak()], []
    while turns[-1].endswith("```\n"):
        code = turns[-1].split("```python\n", 1)[1].removesuffix("```\n")
        results.append(await executor.run(code, timeout=20.0))
        teacher.observe(results[-1])
        turns.append(teacher.speak())
    return Spoken(question, form, tuple(turns), tuple(results))


async def corpus(count: int, executor: Executor, seed: int = 0) -> list[Spoken]:
    """`count` trajectories, less the few whose questions repeat or whose answers do not verify."""
    gate = asyncio.Semaphore(8)

    async def one(question: Question, form: Form) -> Spoken:
        async with gate:
            return await speak(question, form, executor, seed)

    spoken = await asyncio.gather(*(one(*drawn) for drawn in questions(count, seed)))
    return [item for item in spoken if _is_right(item)]


def messages(question: Question) -> list[dict[str, Any]]:
    """The chat that a policy gets for a question."""
    return [{"role": "user", "content": render_prompt(question.prompt)}]


def _form(name: str, rng: Random) -> Form:
    if rng.random() < SHARE_IN_WORDS[name]:
        return "guess"
    forms, weights = zip(*_CODE_FORMS, strict=True)
    form: Form = rng.choices(forms, weights)[0]
    return form


def _is_right(item: Spoken) -> bool:
    answer = item.turns[-1].rpartition("<<<")[2].removesuffix(">>>")
    return get_task(item.question.task).verify(item.question, answer).score == 1.0
