"""Trajectories that look like a training run's, for pictures and for trying the viewer; made by a script, not a policy.

    python tests/report/viewer/demo.py FOLDER      then: r1ci view FOLDER --policy r1ci_plugin/assets/seed_policy

The scripted teacher answers questions of the seed policy's twelve tasks, a few times each, and is made to slip now and
then, more often in early steps. Its code is run for real and its answers are judged by the real verifiers; tokens are
those of the seed policy.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import mean, pstdev

from transformers import AutoTokenizer

import r1ci_plugin
from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.config import Limits
from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.interpreter.executor import Executor
from r1ci_plugin.journal import Journal
from r1ci_plugin.protocol import render_prompt
from r1ci_plugin.record import Record, TrainingFacts, Usage
from r1ci_plugin.reward.manager import NO_ANSWER
from r1ci_plugin.seed_policy.corpus import SHARE_IN_WORDS
from r1ci_plugin.sft.scripts import SCRIPTS
from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.trajectory import Finish, Generate, Interaction, Trajectory

POLICY = Path(r1ci_plugin.__file__).parent / "assets" / "seed_policy"
STEPS, DRAWS, ROLLOUTS = 12, 10, 5
LOOP = "count = 0\nwhile True:\n    count += 1\n"


def turns_of(question: Question, rng: Random, skill: float) -> list[str]:
    """What is said, turn after turn; behind a code block the result comes."""
    answer = get_task(question.task).solve(question)
    code = SCRIPTS[question.task](question.prompt)
    block = f"```python\n{code}```\n"
    broken = block.replace("print(", "prnit(", 1)
    final = "The script found {result}, which fits what the question asks for.\n\n<<<{result}>>>"
    if rng.random() > skill:
        return rng.choice(
            [
                [f"Let me do this in my head. I get {answer[::-1]}, I think.\n\n<<<{answer[::-1]}>>>"],
                ["There are many cases to go through. I try the first few by hand and see no pattern yet."],
                [f"I search all cases.\n```python\n{LOOP}```\n", "That took too long, so I guess.\n\n<<<0>>>"],
                [f"I compute it.\n{broken}", "The script failed, I do it in words instead.\n\n<<<unknown>>>"],
                [f"I compute it step by step.\n{block}", "So the answer is:\n\n<<<{result} or so>>>"],
            ]
        )
    return rng.choice(
        [
            [f"I can see this directly.\n\n<<<{answer}>>>"],
            [f"Counting by hand is error-prone here, so I let Python do the work.\n{block}", final],
            [f"I write a short script.\n{broken}", f"A misspelled name. I mend it and run it again.\n{block}", final],
            [f"My guess is {answer}. I check it by a script before I answer.\n{block}", final],
        ]
    )


async def answer(
    question: Question, turns: list[str], codec: TokenizerCodec, executor: Executor, room: int
) -> Trajectory:
    """Drive one trajectory with these turns."""
    prompt = codec.encode_prompt([{"role": "user", "content": render_prompt(question.prompt)}])
    interaction = Interaction(codec, prompt, Limits(), response_tokens=room)
    command, spoken, result = interaction.start(), iter(turns), ""
    while not isinstance(command, Finish):
        if isinstance(command, Generate):
            text = next(spoken).replace("{result}", result)
            ids = codec.encode(text)
            command = interaction.sampled(ids if text.endswith("```\n") else [*ids, min(codec.eos_ids)], None)
        else:
            ran = await executor.run(command.code, timeout=2.0)
            result = ran.stdout.strip()
            command = interaction.executed(ran)
    return interaction.trajectory


async def group(step: int, number: int, codec: TokenizerCodec, executor: Executor, rng: Random) -> list[Record]:
    """The rollouts of one draw of a question, with advantages as GRPO has them."""
    task = sorted(SHARE_IN_WORDS)[(step * DRAWS + number) % len(SHARE_IN_WORDS)]
    question = get_task(task).make(700_000 + step * DRAWS + number, rng.choice((1, 2, 3)))
    records = []
    for sample in range(ROLLOUTS):
        turns = turns_of(question, rng, skill=0.35 + 0.5 * step / STEPS + rng.uniform(-0.2, 0.2))
        trajectory = await answer(question, turns, codec, executor, room=rng.choice((2000, 2000, 2000, 120)))
        verdict = NO_ANSWER if trajectory.answer is None else get_task(task).verify(question, trajectory.answer)
        well_formed = 0.1 if trajectory.is_well_formed() else -0.1
        records.append(
            Record(
                key=f"step-{step}/{question.question_id}/{sample}",
                question=question,
                agent="code_agent",
                trajectory=trajectory,
                verdict=verdict,
                sample=sample,
                policy="seed_policy",
                temperature=1.0,
                usage=Usage(len(trajectory.turns), len(trajectory.prompt_ids), sum(trajectory.response_mask)),
                wall_s=0.4 * len(trajectory.turns) + rng.random(),
                training=TrainingFacts(
                    step,
                    1 + step // 4,
                    f"{step}/{question.question_id}",
                    verdict.score + well_formed,
                    {"acc": verdict.score, "graded": verdict.graded, "shaping": well_formed},
                ),
            )
        )
    rewards = [record.training.reward for record in records]
    middle, spread = mean(rewards), pstdev(rewards) + 1e-6
    return [
        replace(record, training=replace(record.training, advantage=(record.training.reward - middle) / spread))
        for record in records
    ]


async def main(folder: Path) -> None:
    codec = TokenizerCodec(AutoTokenizer.from_pretrained(POLICY))
    rng = Random(9)
    async with LocalExecutor(slots=2) as executor:
        with Journal(folder / "trajectories" / "rollouts.jsonl") as journal:
            for step in range(1, STEPS + 1):
                for number in range(DRAWS):
                    for record in await group(step, number, codec, executor, rng):
                        journal.append(record.to_dict())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
