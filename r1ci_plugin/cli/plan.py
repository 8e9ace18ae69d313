"""`r1ci plan`: what a run on GPUs needs in memory, whether it fits, and what to change if not.

It composes the configuration the job would get and computes; nothing is started. Left out: the arithmetic (`plan/`).
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Annotated, Any, NoReturn

import typer

from r1ci_plugin.cli.output import JsonOption
from r1ci_plugin.installing import install
from r1ci_plugin.plan.formulas import GIB
from r1ci_plugin.plan.job import CannotPlan, Engine, Job, job_of, model_path
from r1ci_plugin.plan.mends import Memory, mend, problems
from r1ci_plugin.plan.moments import Moment, cache_of, disk, gpu_moments, host_moments
from r1ci_plugin.plan.shapes import ModelShape, UnknownModel, shape_of

SFT = "r1ci_sft"


def command(
    overrides: Annotated[list[str] | None, typer.Argument(help="Overrides as on verl's command line.")] = None,
    recipe: Annotated[str, typer.Option(help="r1ci_sft, or r1ci_stage1 to 4.")] = "r1ci_stage1",
    gpu_memory: Annotated[float, typer.Option(min=1, help="GB of a GPU, as its maker says: H100 80, H200 141.")] = 80,
    host_memory: Annotated[float | None, typer.Option(min=1, help="GB of a node's host; else not judged.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Does a run fit into the GPUs' memory, and why? Ends with 1 if it doesn't."""
    memory = Memory(gpu_memory * GIB, host_memory * GIB if host_memory else None)
    try:
        path, job = _planned(recipe, overrides or [])
    except (CannotPlan, UnknownModel) as error:
        _fail(str(error))
    reasons = list(problems(job, memory))
    change = mend(job, memory) if reasons else ()
    if as_json:
        typer.echo(json.dumps(_as_dict(path, job, memory, reasons, change)))
    else:
        _print(path, job, memory)
        _print_verdict(job, memory, reasons, change)
    if reasons:
        raise typer.Exit(1)


def _planned(recipe: str, overrides: list[str]) -> tuple[str, Job]:
    """The policy's path and the run. A later stage's policy may not be there yet: it has the first one's sizes."""
    config = _composed(recipe, overrides)
    path = model_path(config)
    try:
        return path, job_of(config, shape_of(path))
    except UnknownModel:
        if not recipe.startswith("r1ci_stage") or recipe == "r1ci_stage1":
            raise
    path = model_path(_composed("r1ci_stage1", overrides))
    return path, job_of(config, shape_of(path))


def _composed(recipe: str, overrides: list[str]) -> Any:
    """The configuration on GPUs, wherever this is: what is not chosen is a node of 8 and the smallest policy."""
    back_end = "r1ci_sft_backend" if recipe == SFT else "r1ci_backend"
    defaults = {back_end: "gpu", "r1ci_model": "qwen2.5-3b-instruct", "r1ci_layout": "1x8"}
    chosen = {override.lstrip("+").partition("@")[0] for override in overrides}
    groups = [f"{group}@_global_={name}" for group, name in defaults.items() if group not in chosen]
    trainer = "sft_trainer_engine" if recipe == SFT else "ppo_trainer"
    try:
        with contextlib.redirect_stdout(sys.stderr):  # verl and its friends print
            from r1ci_plugin.doctor import compose, composing_fault

            return compose(recipe, [*groups, *overrides], job=trainer)
    except ImportError as error:
        _fail(f"a plan is made of verl's configuration ({error}): {install('train')}")
    except Exception as error:  # Hydra's errors are many; all of them are about the name or the overrides
        _fail(f"the recipe {recipe} does not compose: {composing_fault(error)}")


def _fail(message: str) -> NoReturn:
    typer.echo(f"r1ci plan: {message}", err=True)
    raise typer.Exit(2)


def _gb(size: float) -> float:
    return round(size / GIB, 2)


def _as_dict(path: str, job: Job, memory: Memory, reasons: list[str], change: tuple[str, ...]) -> dict[str, Any]:
    one, all_kept = disk(job)
    plan: dict[str, Any] = {
        "fits": not reasons,
        "problems": reasons,
        "mend": list(change),
        "policy": path,
        "parameters": job.shape.parameters,
        "nodes": job.nodes,
        "gpus_per_node": job.gpus_per_node,
        "sampling_gpus": job.sampling_gpus,
        "gpu_memory_gb": _gb(memory.gpu),
        "gpu": [_moment(moment) for moment in gpu_moments(job, memory.gpu)],
        "host": [_moment(moment) for moment in host_moments(job)],
        "checkpoint_gb": _gb(one),
        "checkpoints_gb": None if all_kept is None else _gb(all_kept),
    }
    if job.engine:
        cache = cache_of(job, job.engine, memory.gpu)
        plan["engine"] = {
            "engines": job.engines,
            "cache_tokens": int(cache.tokens),
            "longest_trajectory": cache.longest,
            "longest_at_once": round(cache.longest_at_once, 1),
            "trajectories": cache.in_flight,
            "mean_tokens_for_all_at_once": int(cache.mean_for_all),
        }
    return plan


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "moment": moment.name,
        "gb": _gb(moment.total),
        "parts": {name: _gb(size) for name, size in moment.parts.items()},
    }


def _print(path: str, job: Job, memory: Memory) -> None:
    from rich.console import Console
    from rich.table import Table

    from r1ci_plugin.cli.tables import FITTING

    console = Console()
    console.print(f"{path}: {_sizes(job.shape)}", highlight=False)
    apart = f", and {job.sampling_gpus} that only sample" if job.sampling_gpus else ""
    console.print(f"{job.nodes} x {job.gpus_per_node} GPUs of {memory.gpu / GIB:g} GB{apart}", highlight=False)
    table = Table("moment", "GB", "what lies there, GB", **FITTING)
    groups = (("on a GPU", gpu_moments(job, memory.gpu)), ("on the first node's host", list(host_moments(job))))
    for title, moments in groups:
        table.add_row(f"[bold]{title}[/bold]")
        for moment in moments:
            table.add_row(moment.name, f"{moment.total / GIB:.1f}", _parts(moment))
        table.add_section()
    console.print(table)
    if job.engine:
        console.print(_rollout(job, job.engine, memory), highlight=False)
    one, all_kept = disk(job)
    kept = "" if all_kept is None else f", {all_kept / GIB:.0f} GB at once, and what lay there before each restart"
    console.print(f"Disk: {one / GIB:.0f} GB a checkpoint{kept}.", highlight=False)


def _rollout(job: Job, engine: Engine, memory: Memory) -> str:
    cache = cache_of(job, engine, memory.gpu)
    tokens, longest, mean = (
        max(0, int(figure)) for figure in (cache.tokens, cache.longest_at_once, cache.mean_for_all)
    )
    return (
        f"Rollout: {job.engines} engines of {engine.tensor_parallel} GPUs, {cache.in_flight} trajectories each. The "
        f"cache holds {tokens:,} tokens: {longest} sequences of {cache.longest:,} at once, or all {cache.in_flight} "
        f"with {mean:,} on average."
    )


def _sizes(shape: ModelShape) -> str:
    return f"{shape.parameters / 1e9:.2f} billion parameters, {shape.layers} layers, width {shape.hidden}"


def _parts(moment: Moment) -> str:
    largest = sorted(moment.parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {size / GIB:.1f}" for name, size in largest if size >= 0.05 * GIB)


def _print_verdict(job: Job, memory: Memory, reasons: list[str], change: tuple[str, ...]) -> None:
    peak = max(gpu_moments(job, memory.gpu), key=lambda moment: moment.total)
    spare = memory.gpu - peak.total
    if not reasons:
        typer.echo(
            f"It fits: {spare / GIB:.1f} GB of {memory.gpu / GIB:g} to spare at the largest moment, {peak.name}."
        )
    for reason in reasons:
        typer.echo(f"DOES NOT FIT  {reason}")
    if reasons and change:
        typer.echo(f"mend: {' '.join(change)}")
    elif reasons:
        typer.echo("mend: shorter trajectories (data.max_response_length), or more or larger GPUs")
    typer.echo("An estimate: docs/memory_plan.md says what it rests on.")
