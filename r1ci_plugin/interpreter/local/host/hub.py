"""The host: takes calls from every client on this machine, queues them fairly, runs at most `slots` at once.

One thread, one loop. It passes descriptors on and reads neither code nor output. A slot or template that dies costs
the calls that ran there, which are answered as lost so that their client can send them again; nothing else. The host
ends when its last client has been gone for a moment. Left out: the processes themselves (`pool`), the client's
end of a connection (`line` beside this package).
"""

from __future__ import annotations

import fcntl
import os
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import wire
from .fair import FairQueue
from .pool import Pool, SlotHandle, TemplateHandle

_LINGER_S = 2.0
_FIRST_CLIENT_S = 30.0
_REST_S = 0.01
"""A rest of the whole host where the kernel has no room for an answer: it would be tried again at once."""
_STUCK_AFTER_S = 15.0
"""A slot that has not answered this long after a call's limit is given up."""


@dataclass(eq=False)
class Client:
    """One connected process."""

    line: socket.socket
    backlog: list[wire.Message] = field(default_factory=list)


@dataclass(eq=False)
class Call:
    """One call on its way."""

    client: Client
    order: wire.Message
    descriptors: list[int]
    template: str
    arrived: float
    given_up_at: float
    queue_s: float = 0.0


class Hub:
    """The loop. `greeting` answers every client's first word."""

    def __init__(self, listener: socket.socket, pool: Pool, slots: int, greeting: wire.Message, lock: str) -> None:
        self._listener = listener
        self._pool = pool
        self._slots = slots
        self._greeting = greeting
        self._lock = lock
        self._selector = selectors.DefaultSelector()
        self._clients: set[Client] = set()
        self._queues: dict[str, FairQueue[Call]] = {name: FairQueue() for name in pool.templates}
        self._running: set[SlotHandle] = set()
        self._turn = list(pool.templates)
        self._quiet_since = time.monotonic() + _FIRST_CLIENT_S - _LINGER_S
        self._address = listener.getsockname()
        self._identity = _identity(self._address)
        self._look_at = 0.0
        listener.setblocking(False)
        self._watch(listener, self._accept)

    def run(self) -> None:
        """Serve until nobody is connected any more, or our folder is gone, as when its user's session ended: then
        the clients start a host elsewhere."""
        self._start("stdlib")
        while not (self._evicted() or self._deserted()):
            for key, events in self._selector.select(self._patience()):
                key.data(events)
            self._expire()
            self._pool.sweep()
            self._dispatch()
        self._pool.close()

    # -- clients

    def _accept(self, _: int) -> None:
        try:
            line, _address = self._listener.accept()
        except OSError:  # nobody is there any more, or we are out of descriptors: it waits until there are some
            return
        line.setblocking(False)
        client = Client(line)
        self._clients.add(client)
        self._watch(line, lambda events: self._client_event(client, events))
        self._answer(client, self._greeting)

    def _client_event(self, client: Client, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(client)  # nothing happens to a client that was parted with earlier in the same round
        if not events & selectors.EVENT_READ:
            return
        try:
            while client in self._clients:
                order, descriptors = wire.receive(client.line)
                self._obey(client, order, descriptors)
        except BlockingIOError:
            return
        except wire.PeerGone:
            self._part_with(client)

    def _obey(self, client: Client, order: wire.Message, descriptors: list[int]) -> None:
        if "cancel" in order:
            wire.close_all(descriptors)
            self._cancel(lambda call: call.client is client and call.order["id"] == order["cancel"])
            return
        if len(descriptors) != order["files"]:  # the kernel drops those that a process has no room for
            wire.close_all(descriptors)
            reason = "the host is out of file descriptors: raise the limit (ulimit -n)"
            self._answer(client, {"id": order["id"], "failed": reason, "queue_s": 0.0})
            return
        now = time.monotonic()
        template = order["template"] if order.get("template") in self._queues else "stdlib"
        self._wait(Call(client, order, descriptors, template, now, now + float(order["queue_timeout"])))

    def _wait(self, call: Call) -> None:
        self._queues[call.template].put((id(call.client), call.order.get("key")), call)

    def _cancel(self, unwanted: Callable[[Call], bool]) -> None:
        """Forget calls that wait, and end those that run."""
        for queue in self._queues.values():
            for call in queue.remove(unwanted):
                wire.close_all(call.descriptors)
        for slot in [slot for slot in self._running if unwanted(slot.work)]:
            self._lose_slot(slot, tell=False)

    def _part_with(self, client: Client) -> None:
        if client not in self._clients:
            return
        self._clients.discard(client)
        self._unwatch(client.line)
        client.line.close()
        self._cancel(lambda call: call.client is client)
        self._quiet_since = time.monotonic()

    def _answer(self, client: Client, message: wire.Message) -> None:
        client.backlog.append(message)
        self._flush(client)

    def _flush(self, client: Client) -> None:
        if client not in self._clients:
            return
        try:
            while client.backlog:
                wire.send(client.line, client.backlog[0])
                client.backlog.pop(0)
        except BlockingIOError:
            pass
        except wire.Crowded:
            time.sleep(_REST_S)
        except OSError:
            self._part_with(client)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.backlog else 0)
        if self._selector.get_key(client.line).events != wanted:
            self._selector.modify(client.line, wanted, self._selector.get_key(client.line).data)

    # -- templates and slots

    def _start(self, name: str) -> None:
        control = self._pool.ensure(name)
        if control is not None:
            template = self._pool.templates[name]
            self._watch(control, lambda _: self._template_event(template))

    def _template_event(self, template: TemplateHandle) -> None:
        if template.control is None:
            return
        try:
            wire.receive(template.control)
            template.ready = True
            self._pool.forgive(template)
        except wire.PeerGone:
            self._unwatch(template.control)
            self._pool.lose_template(template)
            for slot in list(template.idle):
                self._unwatch(slot.line)
                self._pool.drop(slot)

    def _slot_event(self, slot: SlotHandle) -> None:
        try:
            answer = wire.receive_end(slot.line)
        except wire.PeerGone:
            self._lose_slot(slot, tell=True)
            return
        call: Call | None = slot.work
        if call is None:
            self._lose_slot(slot, tell=False)
            return
        self._running.discard(slot)
        self._finish(call, answer)
        self._free(slot)

    def _free(self, slot: SlotHandle) -> None:
        if not self._pool.give_back(slot):
            self._unwatch(slot.line)
            self._pool.drop(slot)

    def _finish(self, call: Call, answer: wire.Message) -> None:
        wire.close_all(call.descriptors)
        facts = {"id": call.order["id"], "template": call.template, "queue_s": call.queue_s}
        self._answer(call.client, facts | answer)

    def _lose_slot(self, slot: SlotHandle, tell: bool) -> None:
        self._unwatch(slot.line)
        self._running.discard(slot)
        call: Call | None = slot.work
        slot.work = None
        self._pool.drop(slot)
        if call is None:
            return
        if tell:
            self._finish(call, {"lost": "the slot that ran the call ended"})
        else:
            wire.close_all(call.descriptors)

    def _dispatch(self) -> None:
        """Hand waiting calls to slots, template by template in turn."""
        stalled = 0
        while len(self._running) < self._slots and stalled < len(self._turn):
            name = self._turn.pop(0)
            self._turn.append(name)
            queue = self._queues[name]
            if not queue:
                stalled += 1
                continue
            self._start(name)
            if self._pool.templates[name].hopeless:
                self._give_up(queue, f"the template {name} does not start; see the host's log")
                self._pool.forgive(self._pool.templates[name])
            taken = self._pool.take(name) if queue else None
            if taken is None:
                stalled += 1
                continue
            stalled = 0 if self._hand_over(queue.get(), *taken) else stalled + 1

    def _hand_over(self, call: Call, slot: SlotHandle, is_new: bool) -> bool:
        """Send the call to the slot. False: the kernel has no room for its descriptors now, and the call waits on."""
        if is_new:
            self._watch(slot.line, lambda _: self._slot_event(slot))
        timeout, memory_mb = float(call.order["timeout"]), int(call.order["memory_mb"])
        now = time.monotonic()
        call.queue_s = now - call.arrived
        slot.work = call
        try:
            wire.send_order(slot.line, timeout, memory_mb, tuple(call.descriptors))
        except wire.Crowded:
            self._free(slot)
            self._wait(call)
            return False
        except OSError:
            self._lose_slot(slot, tell=True)
            return True
        call.given_up_at = now + timeout + _STUCK_AFTER_S
        self._running.add(slot)
        return True

    # -- time

    def _give_up(self, queue: FairQueue[Call], reason: str, when: float | None = None) -> None:
        for call in queue.remove(lambda call: when is None or call.given_up_at <= when):
            call.queue_s = time.monotonic() - call.arrived
            self._finish(call, {"failed": reason})

    def _expire(self) -> None:
        now = time.monotonic()
        for queue in self._queues.values():
            if queue:
                self._give_up(queue, "overload: no slot came free within the queue time-out", now)
        for slot in [slot for slot in self._running if slot.work.given_up_at <= now]:
            self._lose_slot(slot, tell=True)

    def _patience(self) -> float:
        """Seconds until something may be due by itself."""
        waiting = any(len(queue) for queue in self._queues.values())
        return 0.1 if waiting and len(self._running) < self._slots else 0.5

    def _evicted(self) -> bool:
        """Whether our socket is not ours any more; looked at once a second."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + 1.0
        return _identity(self._address) != self._identity

    def _deserted(self) -> bool:
        if self._clients or time.monotonic() - self._quiet_since < _LINGER_S:
            return False
        with open(self._lock) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False  # somebody is about to connect
            self._accept(0)
            if self._clients:
                return False
            os.unlink(self._address)
            return True

    def _watch(self, line: socket.socket, react: Callable[[int], None]) -> None:
        self._selector.register(line, selectors.EVENT_READ, react)

    def _unwatch(self, line: socket.socket) -> None:
        try:
            self._selector.unregister(line)
        except (KeyError, ValueError):
            return


def _identity(path: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
