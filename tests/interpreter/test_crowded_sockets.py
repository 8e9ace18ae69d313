"""A kernel that takes no message for the moment (no memory, too many descriptors on their way) costs no call, and no
call ever gets another one's files."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.interpreter.local import line
from r1ci_plugin.interpreter.local.host import hub, wire
from r1ci_plugin.interpreter.local.host.pool import Place, Pool

ORDER = {"template": "stdlib", "timeout": 1.0, "memory_mb": 64, "key": "", "queue_timeout": 9.0}
Trouble = Callable[..., None]


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    """Has the kernel refuse the next messages with these errors."""
    real = socket.socket.sendmsg
    pending: list[int] = []

    class Refusing(socket.socket):
        def sendmsg(self, *arguments: Any) -> int:
            if pending:
                raise OSError(pending.pop(0), "refused")
            return real(self, *arguments)

    monkeypatch.setattr(socket, "socket", Refusing)
    return lambda *errors: pending.extend(errors)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = wire.pair()
    with ours, theirs:
        yield ours, theirs


def a_file(text: bytes) -> int:
    file = os.memfd_create("code")
    os.write(file, text)
    return file


async def answered(theirs: socket.socket) -> bytes:
    """Take a call as the host does, answer it, and return what its file holds."""
    theirs.setblocking(False)
    while True:
        try:
            order, (file,) = wire.receive(theirs)
            break
        except BlockingIOError:
            await asyncio.sleep(0.005)
    wire.send(theirs, {"id": order["id"]})
    text = os.pread(file, 99, 0)
    os.close(file)
    return text


@pytest.mark.parametrize("error", [errno.ETOOMANYREFS, errno.ENOBUFS, errno.ENOMEM])
async def test_a_call_is_sent_once_the_kernel_has_room_again(error: int, trouble: Trouble) -> None:
    trouble(error, error, error)
    ours, theirs = wire.pair()
    connection, file = line.Line(ours, asyncio.get_running_loop()), a_file(b"once")
    call = asyncio.create_task(connection.call(ORDER, (file,)))
    assert await asyncio.wait_for(answered(theirs), 5) == b"once"
    await call
    with pytest.raises(BlockingIOError):
        wire.receive(theirs)
    connection.close()
    theirs.close()
    os.close(file)


async def test_a_call_that_was_not_sent_is_never_sent_with_the_files_of_the_next(trouble: Trouble) -> None:
    ours, theirs = wire.pair()
    connection = line.Line(ours, asyncio.get_running_loop())
    trouble(errno.EPERM)
    first = a_file(b"first")
    with pytest.raises(line.CallUnsent, match="refused"):
        await connection.call(ORDER, (first,))
    os.close(first)
    trouble(*[errno.ENOBUFS] * 1000)  # this one gives up while it waits
    second = a_file(b"second")
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(connection.call(ORDER, (second,)), 0.05)
    os.close(second)
    assert not connection._waiting and all("cancel" in message for _, message, _ in connection._unsent)
    connection.close()
    theirs.close()


async def test_the_executor_sends_again_what_could_not_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    real, sent = wire.send, 0

    def send(sock: socket.socket, message: wire.Message, descriptors: tuple[int, ...] = ()) -> None:
        nonlocal sent
        sent += bool(descriptors)
        if descriptors and sent in (2, 4):
            raise OSError(errno.EPERM, "refused")
        real(sock, message, descriptors)

    async with LocalExecutor(1, shared=False) as executor:
        monkeypatch.setattr(wire, "send", send)
        results = [await executor.run(f"print('call {n}')") for n in range(4)]
    assert [result.stdout for result in results] == [f"call {n}\n" for n in range(4)]
    assert [result.attempts for result in results] == [1, 2, 2, 1]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[hub.Hub, Pool]]:
    """A host with one template, whose place is taken by the other end of a line."""
    pool = Pool(Place("ns", "", "", ""), [], 1)
    control, template = wire.pair()
    pool.templates["stdlib"].control, pool.templates["stdlib"].ready = control, True
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener, template, control:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        yield hub.Hub(listener, pool, 1, {}, str(tmp_path / "lock")), pool


@pytest.mark.parametrize("message", ["send", "send_order"], ids=["for a new slot", "with the call"])
def test_the_host_keeps_a_call_that_it_cannot_hand_on_yet(
    message: str, host: tuple[hub.Hub, Pool], ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts, pool = host
    client = hub.Client(ends[0])
    hosts._clients.add(client)
    hosts._obey(client, {**ORDER, "id": 1, "files": 1}, [file := a_file(b"x")])
    real = getattr(wire, message)

    def refuse(*_: object) -> None:
        raise wire.Crowded(errno.ETOOMANYREFS, "refused")

    monkeypatch.setattr(wire, message, refuse)
    hosts._dispatch()
    assert len(hosts._queues["stdlib"]) == 1 and not hosts._running
    monkeypatch.setattr(wire, message, real)
    hosts._dispatch()
    (slot,) = hosts._running
    assert slot.work.descriptors == [file] and not hosts._queues["stdlib"] and pool.templates["stdlib"].alive == 1
    pool.drop(slot)
    os.close(file)


def test_the_host_keeps_an_answer_that_it_cannot_send_yet_and_forgets_a_client_that_takes_none(
    host: tuple[hub.Hub, Pool], ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts, client = host[0], hub.Client(ends[0])
    hosts._clients.add(client)
    hosts._watch(client.line, lambda events: hosts._client_event(client, events))
    errors = [wire.Crowded(errno.ENOBUFS, "refused"), OSError(errno.EPERM, "refused")]

    def refuse(*_: object) -> None:
        raise errors.pop(0)

    monkeypatch.setattr(wire, "send", refuse)
    hosts._answer(client, {"id": 1})
    assert client.backlog == [{"id": 1}] and client in hosts._clients
    hosts._flush(client)
    assert client not in hosts._clients
    hosts._client_event(client, 3)  # the rest of the round, in which it was parted with
