"""What all commands say alike: the option for programs, and the one line of an error.

Left out: tables (`tables.py`), text made safe for a terminal (`printable.py`).
"""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from r1ci_plugin.printable import printable

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


def fail(message: str) -> NoReturn:
    """End the command with exit code 2 and one line."""
    typer.echo(f"error: {printable(message)}", err=True)
    raise typer.Exit(2)
