"""The card of a fine-tuning set: what a person who gets the files without this project needs to know.

Left out: the rows (`training_set.py`), the filters themselves (`filters.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from r1ci_plugin import __version__
from r1ci_plugin.markdown import table_row
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.record import Record
from r1ci_plugin.sft.filters import Chosen, FilterSettings, is_multi_turn, is_repairing, is_switching
from r1ci_plugin.sft.forms import FORMS
from r1ci_plugin.sft.synthesize import SCRIPTED
from r1ci_plugin.tasks import get_task

_HEAD = """\
---
license: apache-2.0
language: [en]
task_categories: [text-generation, question-answering]
tags: [reasoning, code-interpreter, supervised-fine-tuning, verl]
configs:
- config_name: default
  data_files:
  - split: train
    path: sft.parquet
---
# Trajectories for supervised fine-tuning with a code interpreter

{count} trajectories about {questions} questions of {tasks} tasks, made by `r1ci sft synthesize` and chosen by
`r1ci sft check` of r1ci_plugin {version} (protocol `{protocol}`). Every script in them was run, every answer was judged
by a program.

- **Teacher.** {teacher}
- **Columns.** `prompt` (what the policy reads, without the instructions that the teacher got), `trajectory` (JSON: the
  text of every turn and what running its code gave), `question_id`, `task`, `difficulty`, `form`, `teacher`, `turns`,
  `protocol`. Text, not tokens: the same file serves every policy. No ground truth.
- **Questions.** `questions_seen.json` lists their ids. Leave them out of every data set the policy is trained or tested
  on: `r1ci data build --exclude questions_seen.json`.
- **Licences.** Questions: those of the tasks below. {rights}

## What was kept and why

{filters}

| | trajectories |
| --- | ---: |
| synthesized | {seen} |
{dropped}| **kept** | **{count}** |

Of the kept, {multi:.0%} have a code call, {switching:.0%} work in words and in code, {repairing:.0%} repair code that
failed. Turns: {turns}. Tokens of prompt and response ({counted}): median {median}, 95th percentile {p95}, longest
{most}.

## Tasks and forms

{table}
"""


def card(chosen: Chosen, settings: FilterSettings, lengths: Sequence[int], counted_by: str) -> str:
    """The README.md of a set. lengths: tokens of each kept trajectory; counted_by: the tokenizer that counted them."""
    kept = chosen.kept
    ordered = sorted(lengths) or [0]
    share = max(1, len(kept))
    return _HEAD.format(
        count=len(kept),
        questions=len({record.question.question_id for record in kept}),
        tasks=len({record.question.task for record in kept}),
        version=__version__,
        protocol=PROTOCOL,
        teacher=_teachers(kept),
        rights=_rights(kept),
        filters="Filters: " + ", ".join(f"`{name}={value}`" for name, value in asdict(settings).items()) + ".",
        seen=len(kept) + len(chosen.dropped),
        dropped="".join(f"| dropped: {reason} | {count} |\n" for reason, count in chosen.reasons.items()),
        multi=sum(map(is_multi_turn, kept)) / share,
        switching=sum(map(is_switching, kept)) / share,
        repairing=sum(map(is_repairing, kept)) / share,
        turns=", ".join(
            f"{number} in {count}" for number, count in sorted(Counter(len(r.trajectory.turns) for r in kept).items())
        ),
        counted=counted_by,
        median=median(ordered),
        p95=ordered[len(ordered) * 95 // 100],
        most=ordered[-1],
        table="\n".join(table(kept)),
    )


def table(records: Sequence[Record]) -> list[str]:
    """Trajectories by task and form, as lines of Markdown."""
    forms = [form for form in [*FORMS, ""] if any(record.form == form for record in records)]
    counts = Counter((record.question.task, record.form) for record in records)
    headings = ("task", *(form or "-" for form in forms), "all", "licence")
    lines = [table_row(*headings), table_row(*["---"] * len(headings))]
    for name in sorted({record.question.task for record in records}):
        row = [counts[name, form] for form in forms]
        lines.append(table_row(name, *row, sum(row), get_task(name).info.licence))
    return lines


def _teachers(records: Sequence[Record]) -> str:
    counts = Counter(record.policy for record in records)
    parts = [
        "a script of this project, which computes from the prompt; no language model wrote these trajectories"
        if name == SCRIPTED
        else f"the model `{name}` ({count} trajectories)"
        for name, count in counts.most_common()
    ]
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _rights(records: Sequence[Record]) -> str:
    if all(record.policy == SCRIPTED for record in records):
        return "Trajectories: Apache-2.0."
    return "Trajectories: whatever the terms of the teacher's provider say about its output."
