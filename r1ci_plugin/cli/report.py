"""`r1ci report RUN...`: one page on how training, evaluation and curriculum went.

Left out: reading the runs (`report/sources.py`), the page (`report/page.py`).
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.installing import install
from r1ci_plugin.report.sources import SourceError, Sources, read_sources


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Run folders of training (stages in their order) and of evaluation, and manifests (.parquet; the "
            "first and the last are compared).",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for index.html and figures/; without it, `report` in the first RUN.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make one static page from runs: figures with their numbers below, for light and dark, and as PNG."""
    if missing := [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]:
        fail(f"the report needs {' and '.join(missing)}: {install('report')}")
    try:
        sources = read_sources(paths)
    except SourceError as error:
        fail(str(error))
    folder = out or _default_folder(paths[0])
    try:
        page, figures = _write(folder, sources, quiet=as_json)
    except OSError as error:
        fail(f"{folder} cannot be written: {error}")
    if as_json:
        typer.echo(json.dumps({"page": str(page), "figures": [str(file) for file in figures]}))
    else:
        typer.echo(f"report: {page}")


def _default_folder(first: Path) -> Path:
    return (first if first.is_dir() else first.parent) / "report"


def _write(folder: Path, sources: Sources, *, quiet: bool) -> tuple[Path, list[Path]]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from r1ci_plugin.report.page import write_report

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
        shown = progress.add_task("drawing", total=None)
        return write_report(folder, sources, lambda title: progress.update(shown, description=f"drew: {title}"))
