"""`r1ci stages run`: train stage after stage.

Left out: doing it (`stages/driver.py`).
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from r1ci_plugin.cli.output import JsonOption
from r1ci_plugin.printable import printable
from r1ci_plugin.recipe_files import runs_folder
from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.plan import REFERENCES, STAGES, Plan

if TYPE_CHECKING:
    from r1ci_plugin.stages.state import Finished

console = Console(stderr=True)


def run_command(
    overrides: Annotated[list[str] | None, typer.Argument(help="Overrides for every stage.")] = None,
    first: Annotated[int, typer.Option("--from", min=1, max=STAGES, help="First stage.")] = 1,
    last: Annotated[int, typer.Option("--to", min=1, max=STAGES, help="Last stage.")] = STAGES,
    policy: Annotated[str | None, typer.Option(help="Folder or Hub name of the policy stage 1 starts from.")] = None,
    reference: Annotated[
        str,
        typer.Option(
            help=f"{' or '.join(REFERENCES)}: the policy a stage starts from, or the one stage 1 started from."
        ),
    ] = "start",
    remeasure: Annotated[
        bool, typer.Option("--remeasure", help="Measure potential anew before every stage but the first.")
    ] = False,
    export: Annotated[Path | None, typer.Option(help="Folder to export the last policy to, ready to publish.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train stage after stage and check each; run it again after any interruption and it goes on where it stopped.

    Run folders lie in R1CI_RUNS (runs/), one a stage.
    """
    if policy is not None and Path(policy).is_dir():
        policy = str(Path(policy).absolute())
    try:
        plan = Plan(first, last, tuple(overrides or ()), policy, reference, remeasure)
        finished = _drive(plan, runs_folder())
        if export is not None:
            _export(runs_folder() / f"r1ci_stage{last}", export, finished[-1].weights)
    except (StageFailed, OSError) as error:
        _say(f"error: {error}")
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"stages": [asdict(stage) for stage in finished]}))
    else:
        typer.echo(finished[-1].policy)


def _drive(plan: Plan, runs: Path) -> list[Finished]:
    """Run the plan with a bar for each stage; SIGTERM ends the job with this process."""
    from r1ci_plugin.stages.driver import Driver

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bars: dict[int, TaskID] = {}

        def on_step(stage: int, step: int, total: int) -> None:
            if stage not in bars:
                bars[stage] = progress.add_task(f"stage {stage}")
            progress.update(bars[stage], completed=step, total=total)

        return Driver(plan, runs, say=_say, on_step=on_step).run()


def _export(run: Path, out: Path, weights: str) -> None:
    """Export the last policy, unless an earlier run of the same command has done so."""
    from r1ci_plugin.export.folder import export, exported_weights
    from r1ci_plugin.stages.run_folder import RunFolder

    if exported_weights(out) != weights:
        export(RunFolder(run), out)
    _say(f"exported to {out}")


def _say(line: str) -> None:
    console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
