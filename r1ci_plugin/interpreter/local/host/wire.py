"""Messages between the processes of the interpreter: one JSON object a packet, with descriptors beside it.

A packet arrives whole or not at all, so a peer that dies never leaves half a message. What goes to a slot and back is
packed numbers instead of JSON: less to touch in processes that are forked all the time. Only small facts travel here;
the code and its output are in files in memory that the caller made, so that no process in between ever holds another
call's bytes.
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 32 << 10
_ANCILLARY = socket.CMSG_SPACE(4 * array.array("i").itemsize)
"""Room for the most descriptors of a message."""
_NO_ROOM = frozenset({errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM})
_ORDER = struct.Struct("dq")
_END = struct.Struct("iiddd")
ENDINGS = ("", "timeout", "disk", "threads")
"""What can end a call: itself, or one of these limits."""

Message = dict[str, "Any"]


class PeerGone(ConnectionError):
    """The process at the other end has ended."""


class Crowded(OSError):
    """The kernel has no room for a message just now: it has no memory, or too many of this user's descriptors are on
    their way. Nothing was sent; the line is well."""


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(line: socket.socket, message: Message, descriptors: tuple[int, ...] = ()) -> None:
    """Send one message. Raises PeerGone, Crowded, or BlockingIOError on a non-blocking socket that is full."""
    _send(line, json.dumps(message).encode(), descriptors)


def receive(line: socket.socket) -> tuple[Message, list[int]]:
    """Receive one message and its descriptors, which are now the caller's to close. Raises PeerGone,
    BlockingIOError."""
    data, descriptors = _receive(line, LARGEST)
    try:
        return json.loads(data), descriptors
    except ValueError as error:
        close_all(descriptors)
        raise PeerGone("an unreadable message") from error


def send_order(line: socket.socket, timeout: float, memory_mb: int, descriptors: tuple[int, ...]) -> None:
    """Send what the process of a call has to know, in a form that takes it little to read. Raises as `send`."""
    _send(line, _ORDER.pack(timeout, memory_mb), descriptors)


def receive_order(line: socket.socket) -> tuple[float, int, list[int]]:
    """(timeout, megabytes of memory, descriptors), as `send_order` sent them. Raises PeerGone."""
    data, descriptors = _receive(line, _ORDER.size)
    timeout, memory_mb = _ORDER.unpack(data)
    return timeout, memory_mb, descriptors


def send_end(
    line: socket.socket, ended_by: str, *, exit_code: int, run_s: float, cpu_s: float, max_rss_mb: float
) -> None:
    """Send how a call ended: by itself, or by which limit of ENDINGS. Raises as `send`."""
    _send(line, _END.pack(ENDINGS.index(ended_by), exit_code, run_s, cpu_s, max_rss_mb), ())


def receive_end(line: socket.socket) -> Message:
    """The same as a message for the client. Raises PeerGone."""
    data, _ = _receive(line, _END.size)
    ended_by, exit_code, run_s, cpu_s, max_rss_mb = _END.unpack(data)
    facts = {"exit_code": exit_code, "run_s": run_s, "cpu_s": cpu_s, "max_rss_mb": max_rss_mb}
    return {**facts, "ended_by": ENDINGS[ended_by]}


def _send(line: socket.socket, data: bytes, descriptors: tuple[int, ...]) -> None:
    try:
        if descriptors:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
            line.sendmsg([data], [rights], socket.MSG_NOSIGNAL)
        else:
            line.send(data, socket.MSG_NOSIGNAL)
    except (BrokenPipeError, ConnectionError) as error:
        raise PeerGone(str(error)) from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Crowded(error.errno, error.strerror) from error
        raise


def _receive(line: socket.socket, most: int) -> tuple[bytes, list[int]]:
    try:
        data, ancillary, _, _ = line.recvmsg(most, _ANCILLARY, socket.MSG_CMSG_CLOEXEC)
    except (ConnectionError, OSError) as error:
        if isinstance(error, BlockingIOError):
            raise
        raise PeerGone(str(error)) from error
    descriptors = array.array("i")
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
    if not data:
        close_all(list(descriptors))
        raise PeerGone("the connection was closed")
    return data, list(descriptors)


def close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
