"""`r1ci sandbox serve`: where it cannot listen, one line says what to do."""

from __future__ import annotations

import socket

from typer.testing import CliRunner

from r1ci_plugin.cli.sandbox import app


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = CliRunner().invoke(app, ["serve", "--port", str(port), "--slots", "1", "--floor", "seccomp"])
    assert done.exit_code == 1
    assert (
        done.stderr
        == f"error: port {port} of 127.0.0.1 is in use: take another with --port, or --port 0 for a free one\n"
    )
