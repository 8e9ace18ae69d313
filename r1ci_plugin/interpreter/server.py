"""`r1ci sandbox serve`: this machine's local executor behind the SandboxFusion protocol.

    POST /run_code, POST /run_jupyter, GET /v1/ping, GET /metrics (Prometheus)

A CPU node for a GPU cluster needs one installation and one command. Unlike the original, the server has a bounded
queue: when it is full the answer is 429 with Retry-After, and nothing piles up. Left out: the protocol's data set
calls.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import signal
from dataclasses import replace
from typing import Any

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.interpreter.fusion import LANGUAGE, BadRequest, Request, answer_for, answer_for_cell
from r1ci_plugin.interpreter.http import HttpRequest, HttpResponse, HttpServer
from r1ci_plugin.interpreter.local.executor import LocalExecutor
from r1ci_plugin.interpreter.tally import GAUGES

_KEEP_BYTES = 2 << 20
_LONGEST_TIMEOUT_S = 600.0
_FAREWELL_S = 10.0
"""How long calls that are running when the server is told to end may take to finish."""


class SandboxServer:
    """The routes. `queue`: calls that may wait for a slot before the next is refused."""

    def __init__(self, executor: LocalExecutor, *, queue: int = 256, token: str | None = None) -> None:
        self._executor = executor
        self._places = executor.slots + queue
        self._busy = 0
        self._refused = 0
        self._token = token
        self._ending = False

    def turn_away(self) -> None:
        """Take no new calls from now on: a client can send them elsewhere."""
        self._ending = True

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one HTTP request. Never raises for what a client sends."""
        if request.path == "/v1/ping":
            return HttpResponse(content="pong")
        if not self._may_enter(request):
            return HttpResponse(401, {"detail": "a bearer token is required"}, {"WWW-Authenticate": "Bearer"})
        if request.path == "/metrics":
            return HttpResponse(content=self._metrics(), headers={"Cache-Control": "no-store"})
        routes = {"/run_code": self._run_code, "/run_jupyter": self._run_jupyter}
        if request.path not in routes:
            return HttpResponse(404, {"detail": f"no such path: {request.path}"})
        if request.method != "POST":
            return HttpResponse(405, {"detail": "use POST"}, {"Allow": "POST"})
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            return HttpResponse(422, {"detail": "the body is not JSON"})
        if self._ending:
            return HttpResponse(503, {"detail": "the server is about to end"}, {"Retry-After": "5"})
        if self._busy >= self._places:
            self._refused += 1
            return HttpResponse(429, {"detail": "the queue is full"}, {"Retry-After": "1"})
        self._busy += 1
        try:
            return HttpResponse(content=await routes[request.path](body))
        except BadRequest as fault:
            return HttpResponse(422, {"detail": str(fault)})
        finally:
            self._busy -= 1

    def _may_enter(self, request: HttpRequest) -> bool:
        if self._token is None:
            return True
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())

    async def _run_code(self, body: Any) -> dict[str, Any]:
        return answer_for(await self._run(Request.parse(body)))

    async def _run(self, request: Request) -> ExecResult:
        timeout = min(request.timeout, _LONGEST_TIMEOUT_S)
        return await self._executor.run(request.code, timeout=timeout, memory_mb=request.memory_mb, stdin=request.stdin)

    async def _run_jupyter(self, body: Any) -> dict[str, Any]:
        """Cells of one request share state: each is run after the ones before it, whose output is not shown again."""
        cells = body.get("cells") if isinstance(body, dict) else None
        if not isinstance(cells, list) or not all(isinstance(cell, str) for cell in cells):
            raise BadRequest("cells: a list of strings is required")
        limits = {"code": "", "language": LANGUAGE, "run_timeout": body.get("total_timeout", 45)}
        request = Request.parse({name: body.get(name) for name in ("files", "fetch_files")} | limits)
        done: list[str] = []
        answers: list[dict[str, Any]] = []
        last = ExecResult("ok", exit_code=0)
        for cell in cells:
            # The limit is for all cells together: each run holds the ones before.
            last = await self._run(replace(request, code=replay(done, cell)))
            answers.append(answer_for_cell(last))
            if last.status != "ok":
                break
            done.append(cell)
        answer = answer_for(last)
        return {
            "status": answer["status"],
            "message": answer["message"],
            "cells": answers,
            "driver": answer["run_result"],
            "executor_pod_name": None,
            "files": {},
        }

    def _metrics(self) -> str:
        facts = self._executor.stats()
        gauges: dict[str, float] = {"slots": self._executor.slots, "busy": self._busy, "queue_places": self._places}
        gauges |= {name: facts.pop(name) for name in sorted(GAUGES) if name in facts}
        lines = [f'r1ci_sandbox_info{{isolation="{self._executor.isolation}"}} 1']
        lines += [f"r1ci_sandbox_{name} {value}" for name, value in gauges.items()]
        lines += [f"r1ci_sandbox_{name}_total {value}" for name, value in sorted(facts.items())]
        return "\n".join([*lines, f"r1ci_sandbox_refused_total {self._refused}", ""])


def replay(before: list[str], cell: str) -> str:
    """One script that runs the earlier cells silently and then the cell, whose lines are one further down."""
    if not before:
        return cell
    quiet = (
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    for cell in {before!r}: exec(compile(cell, '<cell>', 'exec'), space)\n"
    )
    return f"exec({quiet!r}, {{'space': globals()}})\n{cell}"


async def serve_forever(
    host: str,
    port: int,
    *,
    slots: int | None = None,
    queue: int = 256,
    floor: str = "landlock",
    level: str | None = None,
    token: str | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then let running calls finish.

    Raises IsolationUnavailable, and OSError if the address is taken.
    """
    async with LocalExecutor(slots, floor=floor, level=level, keep_bytes=_KEEP_BYTES, shared=False) as executor:
        sandbox = SandboxServer(executor, queue=queue, token=token)
        async with HttpServer(sandbox.handle, host, port) as server:
            print(f"serving code calls on {server.url}, level {executor.isolation}, {executor.slots} slots", flush=True)
            stop = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await stop.wait()
            sandbox.turn_away()
            await server.finish(_FAREWELL_S)
