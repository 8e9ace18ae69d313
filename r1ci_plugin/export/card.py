"""The model card: what a person who finds the policy without this project needs to know, in the Hub's format.

Left out: where the facts come from (`history.py`, `results.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from r1ci_plugin.export.history import WINDOW, TrainedStage
from r1ci_plugin.export.results import Evaluation
from r1ci_plugin.markdown import table_row
from r1ci_plugin.tasks.registry import SUITES


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a card says."""

    name: str
    base: str
    """Name of the policy that the first stage started from."""
    base_on_hub: bool
    licence: str | None
    weights: str
    """Digest (`r1ci_plugin.weights`)."""
    stages: Sequence[TrainedStage]
    versions: dict[str, str]
    evaluation: Evaluation | None
    canary: Sequence[str]


_HEAD = """\
---
license: {licence}
{base_model}library_name: transformers
pipeline_tag: text-generation
tags: [code-interpreter, reasoning, planning, reinforcement-learning, grpo, verl]
---
# {name}

A language model that answers reasoning and planning questions in words or by writing Python that is run while it
answers: the R1-Code-Interpreter method, trained with r1ci_plugin {version} on verl {verl}, from `{base}`.

**How to use it.** It was trained inside an interaction: its code blocks are run, and the results are put back into its
answer (`r1ci ask`, `r1ci eval run`). Without an interpreter it does not do what was measured here.

## Training

| stage | steps | questions (by potential group) | training accuracy | held-out questions |
| ---: | ---: | --- | --- | --- |
{stages}

Training accuracy: share of right answers in the first and the last {window} steps, or halves of a shorter stage.
Held-out questions: of the training tasks, never trained on; mean over tasks, before and after the stage.

## Evaluation

{evaluation}

## Where it comes from

| | |
| --- | --- |
| base policy | `{base}` |
| weights (SHA-256 over names and float32 values) | `{weights}` |
{provenance}
| versions at export | {versions} |
"""


def card(facts: Facts) -> str:
    """The README.md of an exported policy."""
    head = _HEAD.format(
        licence=facts.licence or "other",
        base_model=f"base_model: {facts.base}\n" if facts.base_on_hub else "",
        name=facts.name,
        version=facts.versions["r1ci_plugin"],
        verl=facts.versions["verl"],
        base=facts.base,
        stages="\n".join(_stage_line(stage) for stage in facts.stages),
        window=WINDOW,
        evaluation="\n".join(_evaluation(facts.evaluation)),
        weights=facts.weights,
        provenance="\n".join(line for stage in facts.stages for line in _provenance(stage)),
        versions=", ".join(f"{name} {version}" for name, version in facts.versions.items()),
    )
    return head + _licence_note(facts) + _canary_note(facts.canary)


def _stage_line(stage: TrainedStage) -> str:
    rows = ", ".join(f"{rows} of group {group}" for group, rows in sorted(stage.groups.items()))
    return table_row(
        stage.stage,
        stage.steps,
        rows or "not recorded",
        _change(stage.first_acc, stage.last_acc),
        _change(stage.held_out_before, stage.held_out_after),
    )


def _provenance(stage: TrainedStage) -> Iterable[str]:
    yield table_row(f"recipe of stage {stage.stage}", f"`{stage.recipe}`")
    yield table_row(f"manifest of stage {stage.stage}", f"`{stage.manifest}`" if stage.manifest else "none: one group")
    yield table_row(f"command of stage {stage.stage}", f"`{' '.join(('main_ppo', *stage.overrides))}`")


def _evaluation(evaluation: Evaluation | None) -> Iterable[str]:
    if evaluation is None:
        yield "None was given when this card was written: `r1ci eval run` makes one."
        return
    suites = [suite for suite in SUITES if any(suite in result.suites for result in evaluation.results)]
    yield table_row("agent", "temperature", *suites, "all tasks", "tasks", "answers")
    yield table_row("---", "---", *("---:" for _ in suites), "---:", "---:", "---:")
    for result in evaluation.results:
        yield table_row(
            f"{result.agent} {result.form}".strip(),
            "not stated" if result.temperature is None else result.temperature,
            *(_percent(result.suites.get(suite)) for suite in suites),
            _percent(result.overall),
            result.tasks,
            result.answers,
        )
    yield ""
    lost = sum(result.lost for result in evaluation.results)
    yield "Accuracy in percent; every task counts the same." + (
        f" {lost} answers were lost to the infrastructure and are in no figure." if lost else ""
    )


def _licence_note(facts: Facts) -> str:
    if facts.licence:
        return ""
    return f"\n**Licence.** The licence of `{facts.base}` applies; it was not known when this card was written.\n"


def _canary_note(tasks: Sequence[str]) -> str:
    """What whoever trains on public test questions owes the reader."""
    if not tasks:
        return ""
    return (
        f"\n**Trained on public test questions.** The training questions of {', '.join(tasks)} come from published "
        "files that ask not to be trained on (canary): results on these tasks do not compare with results of models "
        "that were not.\n"
    )


def _change(before: float | None, after: float | None) -> str:
    known = [_percent(value) for value in (before, after) if value is not None]
    return " → ".join(known) + " %" if known else "not measured"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"
