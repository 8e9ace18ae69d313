"""`r1ci sft`: synthesize trajectories to learn from, and choose among them.

Left out: getting answers (`evaluation/`), the filters (`sft/filters.py`), fine-tuning itself: that is verl's trainer
with the recipe `r1ci_sft`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from r1ci_plugin.cli import answering as a
from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.printable import printable
from r1ci_plugin.record import Record
from r1ci_plugin.sft.filters import Chosen, FilterSettings
from r1ci_plugin.sft.forms import FORMS, TEACHER_FORMS

app = typer.Typer(help="Fine-tuning sets: synthesize, check.", no_args_is_help=True)

RUN, SET = Path("runs/sft_synthesis"), Path("data/sft")
_defaults = FilterSettings()


@app.command("synthesize")
@a.with_options(temperature=1.0, response_tokens=8192)
def synthesize_command(
    options: a.Options,
    tasks: Annotated[str, typer.Option(help="train, a suite, or patterns separated by commas.")] = "train",
    split: Annotated[str, typer.Option(help="Which tasks are test tasks: those are never synthesized.")] = "default",
    per_task: Annotated[int, typer.Option(min=1, help="Questions of each task.")] = 90,
    forms: Annotated[
        str, typer.Option(help=f"Of {', '.join(FORMS)}, separated by commas. Default: {', '.join(TEACHER_FORMS)}.")
    ] = "",
    samples: Annotated[int, typer.Option(min=1, help="Trajectories of each question.")] = 1,
    difficulty: Annotated[str, typer.Option(help="Levels such as 2, 1-3 or 1,4; all if not given.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Another seed asks other questions.")] = 0,
    data: Annotated[Path, typer.Option(help="Folder of the data set for RL: its questions are left out here.")] = Path(
        "data/r1ci"
    ),
    out: Annotated[Path, typer.Option(help="Folder of the run; the same command goes on where it stopped.")] = RUN,
    as_json: JsonOption = False,
) -> None:
    """Let a teacher work on fresh questions. Without --base-url or --policy it is the scripted one: no network."""
    from r1ci_plugin.cli.eval import run_jobs
    from r1ci_plugin.sft.synthesize import SCRIPTED, ScriptedPolicy

    scripted = not options.names_policy
    jobs = _jobs(scripted, tasks, split, per_task, _forms(forms), samples, difficulty, options.temperature, seed, data)
    setup = options.setup((lambda: ScriptedPolicy(jobs)) if scripted else options.policy_maker())
    settings = {
        "command": "sft synthesize",
        **options.settings(),
        "split": split,
        "temperature": options.temperature,
        "seed": seed,
    }
    if scripted:
        settings["policy"] = SCRIPTED
    records, tally = a.answered(run_jobs(setup, out, settings, jobs, quiet=as_json))
    told = {
        "folder": str(out),
        "trajectories": len(records),
        "correct": int(tally.right),
        "lost": tally.lost,
        "not_started": tally.not_started,
        "tokens": tally.usage.prompt_tokens + tally.usage.sampled_tokens,
        "cost": tally.usage.cost,
    }
    typer.echo(json.dumps(told) if as_json else _synthesized(told, tally.reasons))
    raise typer.Exit(0 if len(records) == len(jobs) else 1)


@app.command("check")
def check_command(
    runs: Annotated[list[Path] | None, typer.Argument(help="Folders of `r1ci sft synthesize`.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the set.")] = SET,
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder of the policy to fine-tune, or `seed`: lengths in its tokens.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=0, help="Longest trajectory, prompt included; 0: any.")] = (
        _defaults.max_tokens
    ),
    target: Annotated[int, typer.Option(min=0, help="Trajectories in the set; 0: all.")] = _defaults.target,
    per_task: Annotated[int, typer.Option(min=0, help="At most so many of a task; 0: any.")] = _defaults.per_task,
    multi_turn: Annotated[float, typer.Option(min=0, max=1, help="Least share with a code call.")] = (
        _defaults.multi_turn
    ),
    switching: Annotated[float, typer.Option(min=0, max=1, help="Least share in words and in code.")] = (
        _defaults.switching
    ),
    repairing: Annotated[float, typer.Option(min=0, max=1, help="Least share with a repair.")] = _defaults.repairing,
    min_words: Annotated[int, typer.Option(min=0, help="Words of reasoning, where no code ran; 0: any.")] = (
        _defaults.min_words
    ),
    max_literal_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the answer that code may hold as a literal.")
    ] = 0.8,
    hard_coded: Annotated[bool, typer.Option(help="Drop code that holds its answer.")] = True,
    correct: Annotated[bool, typer.Option(help="Drop what is not correct.")] = _defaults.correct,
    well_formed: Annotated[bool, typer.Option(help="Drop what breaks the format.")] = _defaults.well_formed,
    duplicates: Annotated[bool, typer.Option(help="Drop what was said before.")] = _defaults.duplicates,
    result_tokens: a.ResultOption = 1024,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice among more than are wanted.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Filter trajectories, say what was kept and why, and write the set, its questions' ids and its card."""
    from r1ci_plugin.record_files import NoRecords
    from r1ci_plugin.sft.card import card
    from r1ci_plugin.sft.filters import choose, estimated_tokens
    from r1ci_plugin.sft.training_set import write_set

    settings = FilterSettings(
        correct=correct,
        well_formed=well_formed,
        max_tokens=max_tokens,
        min_words=min_words,
        max_literal_share=max_literal_share if hard_coded else None,
        duplicates=duplicates,
        per_task=per_task,
        target=target,
        multi_turn=multi_turn,
        switching=switching,
        repairing=repairing,
    )
    try:
        records = _records_of(runs or [RUN])
        length = _counter(tokenizer, result_tokens) if tokenizer else estimated_tokens
    except NoRecords as error:
        fail(f"{error}; `r1ci sft synthesize` makes them")
    except ImportError as error:
        fail(f"--tokenizer needs transformers ({error}): pip install transformers, or leave it out for an estimate")
    except (ValueError, OSError) as error:
        fail(str(error))
    started = time.perf_counter()
    chosen = choose(records, settings, length=length, seed=seed)
    seconds = time.perf_counter() - started
    lengths = [length(record) for record in chosen.kept]
    if out is not None and chosen.kept:
        counted_by = f"of {tokenizer}" if tokenizer else "an estimate: characters / 3"
        try:
            write_set(chosen.kept, out)
            (out / "README.md").write_text(card(chosen, settings, lengths, counted_by), encoding="utf-8")
        except OSError as error:
            fail(f"{out} cannot be written: {error}")
    _tell(chosen, len(records), lengths, seconds, out, as_json)
    raise typer.Exit(0 if chosen.kept else 1)


def _jobs(
    scripted: bool,
    tasks: str,
    split: str,
    per_task: int,
    forms: Sequence[str],
    samples: int,
    difficulty: str,
    temperature: float,
    seed: int,
    data: Path,
) -> list[Any]:
    """The jobs of the options; ends the command where there are none."""
    from r1ci_plugin.cli.data import parse_levels
    from r1ci_plugin.evaluation.questions import NoQuestions, choose_tasks
    from r1ci_plugin.sft.synthesize import jobs_for, question_ids, scripted_forms
    from r1ci_plugin.tasks.splits import UnknownSplit, get_split

    try:
        chosen = get_split(split)
        names = [name for name in choose_tasks(tasks, chosen) if name in chosen.train]
        by_task = scripted_forms(names, forms) if scripted else {name: forms or TEACHER_FORMS for name in names}
        jobs = jobs_for(
            names,
            per_task,
            by_task,
            samples=samples,
            levels=parse_levels(difficulty),
            temperature=temperature,
            seed=seed,
            excluded=question_ids(data),
        )
    except (NoQuestions, UnknownSplit, ValueError, OSError) as error:
        fail(str(error))
    if not jobs:
        fail(f"nothing to synthesize: {tasks!r} names no training task that the teacher can do in these forms")
    return jobs


def _forms(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in FORMS]
    if unknown:
        fail(f"there is no form {unknown[0]!r}: {', '.join(FORMS)}")
    return names


def _records_of(runs: Sequence[Path]) -> list[Record]:
    """Of all runs. Two teachers may have been asked for the same trajectories, so keys are told apart by the run."""
    from r1ci_plugin.record_files import read_records

    if len(runs) == 1:
        return list(read_records(runs[0]))
    return [
        replace(record, key=f"{number}|{record.key}")
        for number, run in enumerate(runs, 1)
        for record in read_records(run)
    ]


def _counter(tokenizer: str, result_tokens: int) -> Callable[[Record], int]:
    """Tokens of a record as the policy will learn it."""
    from transformers import AutoTokenizer

    from r1ci_plugin.codec import TokenizerCodec
    from r1ci_plugin.config import Limits
    from r1ci_plugin.protocol import render_prompt
    from r1ci_plugin.sft.replay import replay_trajectory

    loaded: Any = AutoTokenizer.from_pretrained(a.SEED_POLICY if tokenizer == "seed" else tokenizer)
    codec, limits = TokenizerCodec(loaded), Limits(result_max_tokens=result_tokens)
    known: dict[str, int] = {}

    def count(record: Record) -> int:
        if record.key not in known:
            prompt = codec.encode_prompt([{"role": "user", "content": render_prompt(record.question.prompt)}])
            eos_id = int(loaded.eos_token_id)
            trajectory = replay_trajectory(record.trajectory, codec, prompt, limits, eos_id=eos_id)
            known[record.key] = len(prompt) + len(trajectory.response_ids)
        return known[record.key]

    return count


def _synthesized(told: dict[str, Any], reasons: Sequence[str]) -> str:
    lines = [
        f"{told['trajectories']} trajectories, {told['correct']} correct, {told['tokens']:,} tokens, "
        f"cost {told['cost']:.2f}, in {told['folder']}: `r1ci sft check {told['folder']}` chooses among them"
    ]
    if told["lost"]:
        lines.append(f"{told['lost']} were lost, e.g.: {printable(reasons[0])}. Run the same command again for them.")
    if told["not_started"]:
        lines.append(f"the budget had no room for {told['not_started']}")
    return "\n".join(lines)


def _tell(chosen: Chosen, seen: int, lengths: Sequence[int], seconds: float, out: Path | None, as_json: bool) -> None:
    from r1ci_plugin.sft.filters import BEYOND, is_multi_turn, is_repairing, is_switching

    kept = chosen.kept
    kinds = {"multi_turn": is_multi_turn, "switching": is_switching, "repairing": is_repairing}
    shares = {name: round(sum(map(kind, kept)) / max(1, len(kept)), 4) for name, kind in kinds.items()}
    told = {
        "seen": seen,
        "kept": len(kept),
        "dropped": chosen.reasons,
        "shares": shares,
        "tasks": len({record.question.task for record in kept}),
        "longest": max(lengths, default=0),
        "tokens": sum(lengths),
        "seconds": round(seconds, 2),
        "folder": str(out) if out is not None and kept else None,
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    table = Table("", "trajectories", title=f"{seen} trajectories in {seconds:.1f} s")
    for reason, count in chosen.reasons.items():
        table.add_row(f"dropped: {reason}", str(count))
    table.add_section()
    table.add_row(f"kept, of {told['tasks']} tasks", str(len(kept)))
    for name, share in shares.items():
        table.add_row(f"  {name}", f"{share:.0%}")
    Console().print(table)
    beyond = sum(count for reason, count in chosen.reasons.items() if reason.startswith(BEYOND))
    if beyond:
        typer.echo(
            f"least shares cost {beyond} trajectories: synthesize more with --forms check,repair, "
            "or lower --switching, --repairing, --multi-turn"
        )
    if told["folder"]:
        typer.echo(f"wrote {out}: README.md is its card; fine-tune by the recipe r1ci_sft with R1CI_SFT={out}")
