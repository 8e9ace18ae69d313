"""`r1ci eval`: answer questions with a policy, and look at what came out.

Left out: what the commands do (`evaluation_tables.py`).
"""

from __future__ import annotations

import typer

from r1ci_plugin.cli import evaluation_tables

app = typer.Typer(
    help="Evaluate policies and agents on tasks; compare and re-judge what they did.", no_args_is_help=True
)

app.command("show")(evaluation_tables.show)
app.command("compare")(evaluation_tables.compare)
app.command("verify")(evaluation_tables.verify)
