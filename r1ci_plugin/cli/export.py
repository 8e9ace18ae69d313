"""`r1ci export`: the policy of a run as a folder with its card, ready to publish.

Left out: doing it (`export/folder.py`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from r1ci_plugin.cli.output import fail


def command(
    run: Annotated[Path, typer.Argument(help="Folder of a run, such as runs/r1ci_stage4.")],
    out: Annotated[Path, typer.Option(help="Folder to write; its name becomes the policy's.")],
    evaluation: Annotated[
        Path | None, typer.Option("--eval", help="Folder of an `r1ci eval run` of this policy, for the card.")
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--license", help="Licence id; that of the base policy's card if not given."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts of the card as one JSON object.")] = False,
) -> None:
    """Export the newest policy of a run as a Hugging Face folder with a model card. Publish it with `hf upload`."""
    from r1ci_plugin.export.folder import export
    from r1ci_plugin.stages.errors import StageFailed
    from r1ci_plugin.stages.run_folder import RunFolder

    try:
        facts = export(RunFolder(run), out, evaluation=evaluation, licence=licence, force=force)
    except (StageFailed, OSError) as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(asdict(facts)))
    else:
        typer.echo(f"{out}: stages {', '.join(str(stage.stage) for stage in facts.stages)} from {facts.base}")
