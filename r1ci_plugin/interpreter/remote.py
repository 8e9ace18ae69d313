"""The remote executor: code calls on one or several SandboxFusion-compatible servers.

Every call has a deadline. The endpoint with the least load gets it; what is lost to the infrastructure is sent again,
to another endpoint where there is one, which is safe because calls are stateless. A call that may have run is sent
three times at most; one that was turned away, as by a server that is full or restarts, until its deadline. Left out:
the protocol (`fusion`), what is known of an endpoint (`breaker`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from weakref import WeakKeyDictionary

import httpx

from r1ci_plugin.interpreter.breaker import Endpoint
from r1ci_plugin.interpreter.executor import ExecResult, Executor
from r1ci_plugin.interpreter.fusion import InfrastructureFault, Request, result_from
from r1ci_plugin.interpreter.tally import Tally

logger = logging.getLogger(__name__)

ENDPOINT_VARIABLE = "SANDBOX_FUSION_ENDPOINT"
TOKEN_VARIABLE = "R1CI_SANDBOX_TOKEN"
_ATTEMPTS = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_PROBE = Request("print(1)", timeout=5.0)


class _Fault(Exception):
    """One request failed.

    again: another may succeed. ran: the code may have run, so that this was an attempt. busy: the endpoint is slow or
    full. broken: its breaker should know.
    """

    def __init__(
        self, reason: str, *, again: bool = True, ran: bool = True, busy: bool = False, broken: bool = True
    ) -> None:
        super().__init__(reason)
        self.again = again
        self.ran = ran
        self.busy = busy
        self.broken = broken


def _fault_of(status: int) -> _Fault:
    """What an HTTP status other than 200 means."""
    reason = f"HTTP {status}"
    if status == 429:
        return _Fault(reason, ran=False, busy=True, broken=False)
    if status == 503:
        return _Fault(reason, ran=False, busy=True)
    if status in (500, 502, 504):
        return _Fault(reason, busy=status == 504)
    return _Fault(reason, again=False, broken=False)


@dataclass
class _Session:
    """What belongs to one event loop."""

    client: httpx.AsyncClient
    endpoints: list[Endpoint]
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    probes: set[asyncio.Task[None]] = field(default_factory=set)


class RemoteExecutor(Executor):
    """Runs code calls on servers elsewhere.

    endpoints: base URLs; if none are given, those in SANDBOX_FUSION_ENDPOINT (separated by commas). Raises ValueError
    if there are none.
    fallback: what happens while no endpoint can be used: `error` (a sandbox_error) or `local` (this machine's
    LocalExecutor).
    queue_allowance: seconds that a call may take beyond its own time limit, at the server and on the way.
    token: sent as a bearer token; if none is given, the one in R1CI_SANDBOX_TOKEN, where it is set.
    """

    def __init__(
        self,
        endpoints: Sequence[str] = (),
        *,
        fallback: Literal["error", "local"] = "error",
        queue_allowance: float = 60.0,
        token: str | None = None,
    ) -> None:
        given = list(endpoints) or os.environ.get(ENDPOINT_VARIABLE, "").split(",")
        self.endpoints = [url.strip().rstrip("/") for url in given if url.strip()]
        if not self.endpoints:
            raise ValueError(f"no endpoint for code calls: give endpoints, or set {ENDPOINT_VARIABLE}")
        for url in self.endpoints:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"an endpoint is a URL such as http://host:8080, not {url!r}")
        self._fallback = fallback
        self._local: Executor | None = None
        self._allowance = queue_allowance
        token = token or os.environ.get(TOKEN_VARIABLE)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, _Session] = WeakKeyDictionary()
        self._tally = Tally()

    async def close(self) -> None:
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            for probe in session.probes:
                probe.cancel()
            await session.client.aclose()
        local, self._local = self._local, None
        if local is not None:
            await local.close()

    def stats(self) -> dict[str, float]:
        """As every executor, with `fallbacks`: calls that ran on this machine instead."""
        return self._tally.facts()

    async def run(
        self, code: str, *, timeout: float = 10.0, memory_mb: int = 512, sample_key: str | None = None
    ) -> ExecResult:
        try:
            result = await self._run(Request(code, timeout, memory_mb))
        except Exception as failure:
            result = ExecResult("sandbox_error", backend="remote", reason=f"{type(failure).__name__}: {failure}")
        self._tally.add(result)
        return result

    async def _run(self, request: Request) -> ExecResult:
        """Send the call until it was run, or may have been run too often, or its deadline has come."""
        session = self._session()
        asked = time.monotonic()
        deadline = asked + request.timeout + self._allowance
        tried: list[str] = []
        attempts = 0
        reason = "no endpoint came free within the deadline"
        while attempts < _ATTEMPTS:
            endpoint = await self._choose(session, tried, deadline)
            if endpoint is None:
                break
            waited, sent = time.monotonic() - asked, time.monotonic()
            tried.append(endpoint.url)
            try:
                result = await self._attempt(session, endpoint, request, deadline)
            except _Fault as fault:
                reason = f"{endpoint.url}: {fault}"
                attempts += fault.ran
                left = deadline - time.monotonic()
                if left <= 0 or not fault.again:
                    break
                longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** len(tried), left)
                await asyncio.sleep(random.uniform(0, longest))
                continue
            on_the_way = max(0.0, time.monotonic() - sent - result.run_s)
            return replace(result, endpoint=endpoint.url, attempts=len(tried), queue_s=waited + on_the_way)
        if self._fallback == "local" and all(endpoint.opened_at is not None for endpoint in session.endpoints):
            return await self._run_here(request)
        return ExecResult("sandbox_error", backend="remote", attempts=max(1, len(tried)), reason=reason)

    async def _choose(self, session: _Session, tried: list[str], deadline: float) -> Endpoint | None:
        """The least loaded endpoint with room, rather an untried one; its place is taken. None if time runs out."""
        async with session.changed:
            while True:
                self._start_probes(session)
                if self._fallback == "local" and all(endpoint.opened_at is not None for endpoint in session.endpoints):
                    return None
                open_ones = [endpoint for endpoint in session.endpoints if endpoint.has_room]
                if open_ones:
                    chosen = min(
                        open_ones, key=lambda endpoint: (endpoint.url in tried, endpoint.load, random.random())
                    )
                    chosen.outstanding += 1
                    return chosen
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                try:
                    await asyncio.wait_for(session.changed.wait(), min(left, 0.5))
                except asyncio.TimeoutError:
                    continue

    async def _attempt(self, session: _Session, endpoint: Endpoint, request: Request, deadline: float) -> ExecResult:
        """One request. Takes what happened into the endpoint's record. Raises _Fault."""
        sent = time.monotonic()
        # A server that swallows a call leaves half of the allowance to another.
        seconds = min(deadline - sent, request.timeout + self._allowance / 2)
        try:
            result = await self._ask(session, endpoint.url, request, max(0.1, seconds))
        except _Fault as fault:
            was_open = endpoint.opened_at is not None
            if fault.busy:
                endpoint.overloaded(time.monotonic(), sent)
            if fault.broken:
                endpoint.failed(time.monotonic())
            if endpoint.opened_at is not None and not was_open:
                logger.warning("code calls no longer go to %s: %s", endpoint.url, fault)
            raise
        else:
            endpoint.succeeded()
            return result
        finally:
            endpoint.outstanding -= 1
            async with session.changed:
                session.changed.notify_all()

    async def _ask(self, session: _Session, url: str, request: Request, seconds: float) -> ExecResult:
        try:
            response = await asyncio.wait_for(session.client.post(f"{url}/run_code", json=request.body()), seconds)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _Fault(f"{type(error).__name__}: {error}", ran=False) from None
        except (httpx.TimeoutException, asyncio.TimeoutError):
            raise _Fault(f"no answer within {seconds:.1f} seconds", busy=True) from None
        except httpx.HTTPError as error:
            raise _Fault(f"{type(error).__name__}: {error}") from None
        if response.status_code != 200:
            raise _fault_of(response.status_code)
        try:
            return result_from(response.json())
        except (InfrastructureFault, ValueError, TypeError) as error:
            raise _Fault(str(error)) from None

    def _start_probes(self, session: _Session) -> None:
        for endpoint in session.endpoints:
            if endpoint.wants_probe(time.monotonic()):
                endpoint.opened_at = float("inf")  # until the probe is back
                task = asyncio.get_running_loop().create_task(self._probe(session, endpoint))
                session.probes.add(task)
                task.add_done_callback(session.probes.discard)

    async def _probe(self, session: _Session, endpoint: Endpoint) -> None:
        """Run real code there: a server that answers pings may still run nothing."""
        try:
            result = await self._ask(session, endpoint.url, _PROBE, _PROBE.timeout + 5.0)
            well = result.status == "ok" and result.stdout.strip() == "1"
        except _Fault as fault:
            well = not fault.broken and fault.again  # full is not broken
        endpoint.probed(well, time.monotonic())
        if well:
            logger.warning("code calls go to %s again", endpoint.url)
        async with session.changed:
            session.changed.notify_all()

    async def _run_here(self, request: Request) -> ExecResult:
        if self._local is None:
            from r1ci_plugin.interpreter.local.executor import LocalExecutor

            logger.warning("no endpoint works: code calls run on this machine for now")
            self._local = LocalExecutor()
        self._tally.count("fallbacks")
        return await self._local.run(request.code, timeout=request.timeout, memory_mb=request.memory_mb)

    def _session(self) -> _Session:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=256)
            client = httpx.AsyncClient(timeout=httpx.Timeout(None, connect=10.0), limits=limits, headers=self._headers)
            session = _Session(client, [Endpoint(url) for url in self.endpoints])
            self._sessions[loop] = session
        return session
