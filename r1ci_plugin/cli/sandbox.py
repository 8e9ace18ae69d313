"""`r1ci sandbox`: run a file as a code call, offer this machine's executor to others, and try every closed door.

Left out: how code is run (`interpreter/`).
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from r1ci_plugin.cli.output import JsonOption
from r1ci_plugin.interpreter.executor import ExecResult

app = typer.Typer(help="Run model-written code in isolation: run, serve, selftest.", no_args_is_help=True)

SlotsOption = Annotated[
    int | None, typer.Option(min=1, help="Calls at the same time; the cores of this machine if not given.")
]
FloorOption = Annotated[str, typer.Option(help="The worst isolation level to accept: ns, landlock or seccomp.")]
LevelOption = Annotated[str | None, typer.Option(help="Insist on exactly this level.")]


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A Python file; - reads standard input.")],
    timeout: Annotated[float, typer.Option(min=0.01, help="Wall seconds.")] = 10.0,
    memory_mb: Annotated[int, typer.Option(min=1, help="Megabytes on top of the interpreter's own.")] = 512,
    floor: FloorOption = "landlock",
    level: LevelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a file exactly as a code call of a trajectory is run. Exit code 0 only for status ok."""
    _check_levels(floor, level)
    try:
        code = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read {file}: {error}") from None
    result = asyncio.run(_run(code, timeout, memory_mb, floor, level))
    if as_json:
        typer.echo(json.dumps(result.to_dict()))
    else:
        typer.echo(result.stdout, nl=False)
        typer.echo(result.stderr, nl=False, err=True)
        detail = (
            f"{result.status} at level {result.isolation}, {result.run_s * 1000:.1f} ms, {result.max_rss_mb:.0f} MB"
        )
        typer.echo(f"[{result.reason or detail}]", err=True)
    raise typer.Exit(0 if result.status == "ok" else 1)


async def _run(code: str, timeout: float, memory_mb: int, floor: str, level: str | None) -> ExecResult:
    from r1ci_plugin.interpreter import LocalExecutor

    executor = LocalExecutor(1, floor=floor, level=level, shared=False)
    try:
        return await executor.run(code, timeout=timeout, memory_mb=memory_mb)
    finally:
        await executor.close()


@app.command()
def selftest(floor: FloorOption = "landlock", level: LevelOption = None, as_json: JsonOption = False) -> None:
    """Try each limit and each closed door of the executor on this machine. Exit code 1 if one does not hold."""
    from r1ci_plugin.interpreter.local.executor import IsolationUnavailable

    _check_levels(floor, level)
    try:
        isolation, findings = asyncio.run(_selftest(floor, level))
    except (IsolationUnavailable, OSError) as refusal:
        if as_json:
            typer.echo(json.dumps({"ok": False, "isolation": None, "reason": str(refusal), "findings": []}))
        else:
            typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None
    ok = all(entry["ok"] for entry in findings)
    if as_json:
        typer.echo(json.dumps({"ok": ok, "isolation": isolation, "findings": findings}))
    else:
        _print_findings(isolation, findings)
    raise typer.Exit(0 if ok else 1)


async def _selftest(floor: str, level: str | None) -> tuple[str, list[dict[str, object]]]:
    from dataclasses import asdict

    from r1ci_plugin.interpreter import LocalExecutor
    from r1ci_plugin.interpreter.selftest import selftest as try_all

    async with LocalExecutor(1, floor=floor, level=level, shared=False) as executor:
        findings = await try_all(executor)
        return executor.isolation, [asdict(finding) for finding in findings]


def _print_findings(isolation: str, findings: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("tried", "holds", "what happened instead", title=f"isolation level {isolation}")
    for entry in findings:
        holds = "[green]yes[/green]" if entry["ok"] else "[red]NO[/red]"
        table.add_row(str(entry["name"]), holds, escape(str(entry["detail"])))
    Console().print(table)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; other machines reach 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    slots: SlotsOption = None,
    queue: Annotated[int, typer.Option(min=0, help="Calls that may wait before the answer is 429.")] = 256,
    floor: FloorOption = "landlock",
    level: LevelOption = None,
    token_variable: Annotated[
        str,
        typer.Option(
            help="Environment variable that holds the bearer token clients must send; unset: none is asked for."
        ),
    ] = "R1CI_SANDBOX_TOKEN",
) -> None:
    """Offer this machine's executor to others through the SandboxFusion protocol. Ends on SIGTERM or Ctrl-C."""
    from r1ci_plugin.interpreter.local.executor import IsolationUnavailable
    from r1ci_plugin.interpreter.server import serve_forever

    _check_levels(floor, level)
    token = os.environ.get(token_variable) or None
    if token is None and host not in ("127.0.0.1", "::1", "localhost"):
        typer.echo(
            f"warning: anyone who reaches {host}:{port} can run code here; set {token_variable} to ask for a token",
            err=True,
        )
    try:
        asyncio.run(serve_forever(host, port, slots=slots, queue=queue, floor=floor, level=level, token=token))
    except (IsolationUnavailable, OSError) as error:
        typer.echo(f"error: {_without_address(error, host, port)}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _without_address(error: Exception, host: str, port: int) -> str:
    """Why there is no server, with what to do where the address is at fault."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: take another with --port, or --port 0 for a free one"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"this user may not listen on port {port}: take one above 1023 with --port"
    if isinstance(error, socket.gaierror) or (isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL):
        return (
            f"{host} is no address of this machine: --host 0.0.0.0 listens on all, 127.0.0.1 on none but this machine"
        )
    return str(error)


def _check_levels(floor: str, level: str | None) -> None:
    from r1ci_plugin.interpreter.local.host.levels import LEVELS

    for name in (floor, level):
        if name is not None and name not in LEVELS:
            raise typer.BadParameter(f"unknown isolation level {name!r}: one of {', '.join(LEVELS)}")
