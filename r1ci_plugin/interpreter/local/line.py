"""A client's connection to the host, for one event loop: sends calls, and hands each answer to whoever waits for it.

Left out: retries and what an answer means (`executor`).
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections import deque
from typing import Any

from r1ci_plugin.interpreter.local.host import wire

_NOBODY = 0
"""The serial of a message that nobody waits for an answer to."""
_GREETING_S = 60.0
"""How long a host may take to come up. It tries the machine's isolation first."""
_REST_S = 0.01
"""How long nothing is sent after the kernel had no room."""
_SILENCE_S = 60.0
"""How much longer than its limits a call's answer is waited for."""


class HostLost(ConnectionError):
    """The host ended, or fell silent, while calls were on their way."""


class CallUnsent(RuntimeError):
    """The call could not be sent, and so was not run; the host and the connection are well."""


class Line:
    """One connection. All methods belong to the loop on which it was made."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = loop
        self._serial = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[wire.Message]] = {}
        self._unsent: deque[tuple[int, wire.Message, tuple[int, ...]]] = deque()
        self._rest: asyncio.TimerHandle | None = None
        self._greeting: asyncio.Future[wire.Message] = loop.create_future()
        self.lost = False
        loop.add_reader(sock.fileno(), self._read)

    async def greeting(self) -> wire.Message:
        """The host's first word. Raises HostLost."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._greeting), _GREETING_S)
        except asyncio.TimeoutError:
            self.close()
            raise HostLost(f"the host did not answer within {_GREETING_S:.0f} seconds") from None

    async def call(self, order: dict[str, Any], descriptors: tuple[int, ...]) -> wire.Message:
        """Send one call and wait for its answer; the call is cancelled at the host if the caller is. Raises
        CallUnsent, and HostLost, also where the host has not answered long after it had to.

        What is left unsent goes with the caller: its descriptors are closed then, and their numbers are another's.
        """
        if self.lost:
            raise HostLost("the host has ended")
        alarm = self._loop.call_later(order["queue_timeout"] + order["timeout"] + _SILENCE_S, self.close)
        serial = next(self._serial)
        answer: asyncio.Future[wire.Message] = self._loop.create_future()
        self._waiting[serial] = answer
        try:
            self._send(serial, {**order, "id": serial, "files": len(descriptors)}, descriptors)
            return await answer
        finally:
            alarm.cancel()
            self._waiting.pop(serial, None)
            self._unsent = deque(entry for entry in self._unsent if entry[0] != serial)
            if answer.cancelled() and not self.lost:
                self._send(_NOBODY, {"cancel": serial}, ())

    def close(self) -> None:
        """Hang up; whoever still waits gets HostLost."""
        if self.lost:
            return
        self.lost = True
        if self._rest is not None:
            self._rest.cancel()
        if not self._loop.is_closed():
            self._loop.remove_reader(self._sock.fileno())
            self._loop.remove_writer(self._sock.fileno())
            for future in [*self._waiting.values(), self._greeting]:
                if not future.done():
                    future.set_exception(HostLost("the connection to the host was closed"))
            if self._greeting.done() and not self._greeting.cancelled():
                self._greeting.exception()  # nobody may be waiting for it
        self._sock.close()

    def _send(self, serial: int, message: wire.Message, descriptors: tuple[int, ...]) -> None:
        self._unsent.append((serial, message, descriptors))
        if self._rest is None:
            self._write()

    def _write(self) -> None:
        """Send what waits, in its order, until the host or the kernel takes no more for the moment."""
        self._rest = None
        while self._unsent:
            serial, message, descriptors = self._unsent[0]
            try:
                wire.send(self._sock, message, descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._sock.fileno(), self._write)
                return
            except wire.Crowded:
                self._rest = self._loop.call_later(_REST_S, self._write)
                break
            except wire.PeerGone:
                self.close()
                return
            except OSError as error:
                self._fail(serial, error)
            self._unsent.popleft()
        self._loop.remove_writer(self._sock.fileno())

    def _fail(self, serial: int, error: OSError) -> None:
        future = self._waiting.get(serial)
        if future is not None and not future.done():
            future.set_exception(CallUnsent(f"the call could not be sent: {error}"))

    def _read(self) -> None:
        try:
            while not self.lost:
                message, descriptors = wire.receive(self._sock)
                wire.close_all(descriptors)
                self._deliver(message)
        except BlockingIOError:
            return
        except wire.PeerGone:
            self.close()

    def _deliver(self, message: wire.Message) -> None:
        future = self._waiting.get(message["id"]) if "id" in message else self._greeting
        if future is not None and not future.done():
            future.set_result(message)
