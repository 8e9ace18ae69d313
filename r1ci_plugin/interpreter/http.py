"""A small HTTP/1.1 server on asyncio: JSON in, JSON or text out, keep-alive, and bounds on everything a peer sends.

The base install has no web framework, and a CPU node should need nothing else. Left out: TLS, chunked requests,
routes (`server`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from typing_extensions import Self

MOST_BODY_BYTES = 8 << 20
_MOST_HEADER_BYTES = 32 << 10
_IDLE_S = 120.0
_BODY_S = 60.0
_ON_THE_WAY_S = 0.2
"""How long a server that ends still reads what its clients have sent."""
_LOOK_EVERY_S = 0.2
"""How often a peer that waits for its answer is looked at: one that has hung up wants none."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int = 200
    content: Any = None
    """A string is sent as text, anything else as JSON."""
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


class _Malformed(ValueError):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class HttpServer:
    """Serves each request with `handler` for as long as it is entered (`async with`).

    port: 0 for a free one. Entering raises OSError if the address is taken.
    """

    def __init__(self, handler: Handler, host: str, port: int) -> None:
        self._handler = handler
        self._address = (host, port)
        self._under_way = 0
        self._ending = False

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, *self._address, limit=_MOST_HEADER_BYTES)
        return self

    async def __aexit__(self, *fault: object) -> None:
        self._listener.close()  # and no waiting for its connections, which idle clients keep open

    @property
    def url(self) -> str:
        host, port = self._listener.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def finish(self, seconds: float) -> None:
        """Take no new connections, and wait, `seconds` at most, until every request that was read has its answer.

        A client that kept its connection may just have sent the next one: for a moment it is still read, and the
        handler can say why not now. One that comes later meets a closed connection, as HTTP allows.
        """
        self._listener.close()
        self._ending = True
        deadline = time.monotonic() + seconds
        await asyncio.sleep(_ON_THE_WAY_S)
        while self._under_way and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A cancellation means that the server ends; let through, asyncio would print it for every idle connection.
        quiet = (ConnectionError, asyncio.IncompleteReadError, asyncio.TimeoutError, asyncio.CancelledError)
        with contextlib.suppress(*quiet):
            await self._serve_connection(reader, writer)
        writer.close()

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)  # an answer is drained when all of it is out
        keep = True
        while keep:
            try:
                request = await _read(reader, writer)
            except _Malformed as fault:
                await _write(writer, HttpResponse(fault.status, {"detail": str(fault)}), keep=False)
                return
            if request is None:
                return
            self._under_way += 1
            try:
                response = await _answer(self._handler, request, reader)
                if response is None:
                    return
                keep = request.headers.get("connection", "").lower() != "close" and not self._ending
                await _write(writer, response, keep)
            finally:
                self._under_way -= 1


async def _answer(handler: Handler, request: HttpRequest, reader: asyncio.StreamReader) -> HttpResponse | None:
    """The handler's answer; None if the peer hung up before it came, which cancels the handler: nobody may hold a
    slot for a caller that is gone."""
    work = asyncio.ensure_future(handler(request))
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=_LOOK_EVERY_S)
            if not work.done() and (reader.at_eof() or reader.exception() is not None):
                return None
        return work.result()
    except Exception as fault:
        return HttpResponse(500, {"detail": f"{type(fault).__name__}: {fault}"})
    finally:
        work.cancel()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> HttpRequest | None:
    """The next request; None if the peer is done. Raises _Malformed."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _IDLE_S)
    except asyncio.IncompleteReadError as end:
        if end.partial.strip():
            raise _Malformed(400, "the request is cut off") from None
        return None
    except asyncio.LimitOverrunError:
        raise _Malformed(431, "the headers are too long") from None
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise _Malformed(400, "not an HTTP/1 request")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
    }
    if "transfer-encoding" in headers:
        raise _Malformed(411, "send the body with a Content-Length")
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise _Malformed(400, "Content-Length is not a number")
    length = length.lstrip("0") or "0"
    if len(length) > len(str(MOST_BODY_BYTES)) or int(length) > MOST_BODY_BYTES:  # a long one is never converted
        raise _Malformed(413, f"the body is longer than {MOST_BODY_BYTES} bytes")
    if headers.get("expect", "").lower() == "100-continue":  # curl waits a second for it
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await asyncio.wait_for(reader.readexactly(int(length)), _BODY_S)
    return HttpRequest(parts[0], parts[1].partition("?")[0], headers, body)


async def _write(writer: asyncio.StreamWriter, response: HttpResponse, keep: bool) -> None:
    if isinstance(response.content, str):
        kind, body = "text/plain; charset=utf-8", response.content.encode("utf-8", "replace")
    else:
        kind, body = "application/json", json.dumps(response.content).encode()
    headers = {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "Connection": "keep-alive" if keep else "close",
        **response.headers,
    }
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    await writer.drain()
