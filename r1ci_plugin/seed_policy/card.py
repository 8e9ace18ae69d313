"""The seed policy's card: what it is, what it is not, and what was measured. Left out: measuring (`measure.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_WORDS = """\
---
license: apache-2.0
library_name: transformers
tags: [tiny, code-interpreter, test-model]
---
# Seed policy of r1ci_plugin

A language model of {parameters:.1f} million parameters (Qwen2 architecture in the Llama class, head
dimension 64, vocabulary of its own) that answers questions of twelve tasks in the interaction format of
R1-Code-Interpreter: in words, or by a Python script whose result it reads and reports.

**What it is for:** letting the whole training job (rollouts with code, rewards, GRPO, curriculum, checkpoints) run
for real on two cores without any download. Its pass rates are spread on purpose, so that training has something to
teach.

**What it is not:** it knows no language beyond the sentences of these twelve tasks, it cannot reason, and nothing
measured with it says anything about the method on language models of useful size.

**How it was made:** from random weights, first on copying random tokens, then on {seen:,} trajectories of a
scripted teacher that computes every answer from the operands in the prompt; scripts were run for real, and only
right answers were kept. How often the teacher answered in words differs by task: answers in words that only a
computation can give are what the policy gets wrong. The ids of all questions seen are in `questions_seen.json`;
`r1ci data build --exclude` leaves them out. Made by `python -m r1ci_plugin.seed_policy.make`.

## Pass rates on questions outside its training

One answer a question at temperature {temperature}, to different questions whose ids are not in
`questions_seen.json`: {questions} of a task and level{fewer}.
*code*: share of answers that ran a script.

| task | level | pass rate | code | questions |
| --- | --- | --- | --- | --- |
{rows}
"""


def card(rows: Sequence[dict[str, Any]], *, parameters: int, seen: int, questions: int, temperature: float) -> str:
    """The card's text for the rows of `measure.summary`, of which `questions` were asked for in each."""
    fewer = ", or all that there are where the table has fewer" if any(row["n"] < questions for row in rows) else ""
    lines = "\n".join(
        f"| {row['task']} | {row['level']} | {row['pass_rate']:.2f} | {row['code_rate']:.2f} | {row['n']} |"
        for row in rows
    )
    return _WORDS.format(
        parameters=parameters / 1e6, seen=seen, questions=questions, fewer=fewer, temperature=temperature, rows=lines
    )
