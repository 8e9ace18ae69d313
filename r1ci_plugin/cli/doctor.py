"""`r1ci doctor`: look at everything a training run needs, and say how to mend what is broken.

Left out: what is looked at (`r1ci_plugin/doctor.py`).
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Annotated

import typer

from r1ci_plugin import doctor
from r1ci_plugin.cli.output import JsonOption


def command(
    overrides: Annotated[list[str] | None, typer.Argument(help="Overrides as on verl's command line.")] = None,
    recipe: Annotated[str, typer.Option(help="The recipe to compose.")] = "r1ci_stage1",
    diff: Annotated[bool, typer.Option("--diff", help="Show where the recipe differs from verl's defaults.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Is everything there that a training run needs? Ends with 1 if something is broken."""
    given = overrides or []
    # the back end is settled when verl is imported, from the command line as `main_ppo` would see it
    sys.argv = [sys.argv[0], *given]
    job = doctor.job_of(recipe)
    with contextlib.redirect_stdout(sys.stderr):  # verl and its friends print; stdout is for the findings
        findings = list(doctor.examine(recipe, given))
        healthy = all(finding.ok for finding in findings)
        # what does not compose has no differences; the findings say why
        lines = doctor.recipe_diff(doctor.compose(recipe, given, job=job), job) if diff and healthy else []
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "findings": [finding.to_dict() for finding in findings], "diff": lines}))
    else:
        for finding in findings:
            typer.echo(f"{'ok    ' if finding.ok else 'BROKEN'} {finding.what}")
            if not finding.ok:
                typer.echo(f"       mend: {finding.mend}")
        for line in lines:
            typer.echo(f"       {line}")
        typer.echo("all is well" if healthy else f"{sum(not finding.ok for finding in findings)} things to mend")
    if not healthy:
        raise typer.Exit(1)
