"""`r1ci eval export` and `import`: runs as files of other tools, and back.

Left out: the formats (`evaluation/inspect_log.py`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from r1ci_plugin.cli.output import fail
from r1ci_plugin.evaluation.inspect_log import NotOurs, from_log, to_log
from r1ci_plugin.evaluation.reading import read_contender
from r1ci_plugin.evaluation.run_folder import OtherRun, open_run
from r1ci_plugin.record_files import NoRecords


class Format(str, Enum):
    """Of another tool's file."""

    inspect = "inspect"


def export_command(
    run: Annotated[str, typer.Argument(help="A run, as FOLDER or FOLDER:CONTENDER, e.g. runs/x:all_text.")],
    out: Annotated[Path, typer.Option(help="The new file; for `inspect view` its name ends in .json.")],
    form: Annotated[Format, typer.Option("--format", help="inspect: a log of inspect_ai.")] = Format.inspect,
) -> None:
    """Write the answers of one contender as another tool's file. It holds the ground truth, as the run does."""
    if out.exists():
        fail(f"{out} is there already: name a new file")
    try:
        name, records = read_contender(run)
    except NoRecords as error:
        fail(str(error))
    log = to_log(name, records, datetime.now(timezone.utc).isoformat(timespec="seconds"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(log, ensure_ascii=False, indent=1), encoding="utf-8", errors="replace")
    except OSError as error:
        fail(f"{out} cannot be written: {error}")
    typer.echo(f"wrote {out}: {len(records)} answers, a log of inspect_ai ({form.value})")


def import_command(
    file: Annotated[Path, typer.Argument(help="A log that `r1ci eval export` wrote, also after other tools used it.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; a new one.")],
) -> None:
    """Read a log back into the folder of a run, for `show`, `compare`, `verify` and `r1ci view`."""
    try:
        data = file.read_bytes()
        records = list(from_log(json.loads(data)))
        digest = hashlib.sha256(data).hexdigest()
        with open_run(out, {"command": "eval import", "file": file.name, "sha256": digest}) as journal:
            for record in records:
                if record.key not in journal:
                    journal.append(record.to_dict())
    except (NotOurs, OtherRun, OSError, ValueError) as error:
        fail(f"{file}: {error}")
    typer.echo(f"wrote {out}: {len(records)} answers")
