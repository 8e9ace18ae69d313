"""`r1ci view`: the trajectories of a run as one HTML file that opens in any browser, without a network.

Left out: what the file holds (`report/viewer`).
"""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from r1ci_plugin.cli.output import JsonOption, fail
from r1ci_plugin.installing import install
from r1ci_plugin.record_files import NoRecords, find_files, read_records
from r1ci_plugin.report.viewer import pack, write_page

if TYPE_CHECKING:
    from r1ci_plugin.record import Record
    from r1ci_plugin.report.viewer.tokens import Boundaries

console = Console()


def command(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a .jsonl file of trajectories.")],
    out: Annotated[Path | None, typer.Option(help="The HTML file; view.html in the run's folder if not given.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many trajectories, the first ones; 0 for all.")] = 20000,
    policy: Annotated[
        str, typer.Option(help="Folder of the policy, or `seed`: its tokenizer shows token by token.")
    ] = "",
    open_it: Annotated[bool, typer.Option("--open", help="Open the file in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a page to look at trajectories: filter, search, side by side, turn by turn, token by token."""
    try:
        files = find_files(run)
        records = _counted(read_records(run), len_hint=_lines(files), quiet=as_json)
        packed = pack(islice(records, limit or None), _boundaries(policy))
        left_out = sum(1 for _ in records)
    except (NoRecords, OSError, ValueError) as error:
        fail(str(error))
    if not packed.trajectories:
        fail(f"{run} holds no trajectory yet")
    file = out or (run / "view.html" if run.is_dir() else run.with_suffix(".html"))
    try:
        write_page(file, packed, title=run.resolve().name)
    except ModuleNotFoundError:
        fail(f"the page needs jinja2: {install('report')}")
    except OSError as error:
        fail(f"{file} cannot be written: {error}")
    _tell(file, packed.trajectories, left_out, as_json)
    if open_it:
        webbrowser.open(file.resolve().as_uri())


def _boundaries(policy: str) -> Boundaries | None:
    if not policy:
        return None
    from r1ci_plugin.report.viewer.tokens import Boundaries
    from r1ci_plugin.seed_policy import seed_policy_path

    folder = seed_policy_path() if policy == "seed" else Path(policy)
    if not (folder / "tokenizer_config.json").is_file():
        fail(f"there is no tokenizer at {folder}: name a Hugging Face folder, or `seed`")
    try:
        return Boundaries.of_policy(folder)
    except ModuleNotFoundError:
        fail(f"reading a policy's tokenizer needs transformers: {install('train')}")


def _counted(records: Iterator[Record], *, len_hint: int, quiet: bool) -> Iterator[Record]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        yield from progress.track(records, total=len_hint, description="packing trajectories")


def _lines(files: list[Path]) -> int:
    total = 0
    for file in files:
        with file.open("rb") as lines:
            total += sum(1 for _ in lines)
    return total


def _tell(file: Path, trajectories: int, left_out: int, as_json: bool) -> None:
    size = file.stat().st_size
    if as_json:
        facts = {"file": str(file), "trajectories": trajectories, "left_out": left_out, "bytes": size}
        typer.echo(json.dumps(facts))
        return
    console.print(
        f"wrote {file}: {trajectories:,} trajectories, {size / 1e6:.1f} MB; open it in a browser", markup=False
    )
    if left_out:
        console.print(f"[yellow]left out[/yellow] {left_out:,} more: --limit 0 takes all")
