"""An OpenAI-compatible address that is asked with patience.

Whatever a server does wrong that may pass (refused, reset, slow, 429, 5xx, a body that is no JSON) is tried again; what
cannot pass (401, 404, 400) ends the run with one line. Left out: what is asked (`endpoint_policies.py`).
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, TypeVar

import httpx

from r1ci_plugin.evaluation.policies import ContextFull, PolicyError, PolicyUnavailable

T = TypeVar("T")

_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MALFORMED = (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError, AttributeError)
"""What is raised where a reply breaks off, or is not what it should be."""
_FULL = re.compile(r"context[ _](length|window)|maximum model length|prompt is too long", re.IGNORECASE)
"""In the refusals of vLLM, OpenAI and others where a conversation and its `max_tokens` are over the context."""
_LONGEST_PAUSE_S = 30.0


class Endpoint:
    """An HTTP address that is asked with patience: bounded tries with growing pauses, `Retry-After` kept.

    base_url: up to and with `/v1`. timeout_s: of one request. attempts: tries of one request. Raises PolicyError for
    what is no address.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 600.0,
        attempts: int = 6,
        pause_s: float = 0.5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        try:
            url = httpx.URL(self.base_url)
            is_address = url.scheme in ("http", "https") and bool(url.host)
        except httpx.InvalidURL:
            is_address = False
        if not is_address:
            raise PolicyError(f"{base_url} is no address: name one such as http://localhost:8000/v1")
        self._attempts, self._pause_s = attempts, pause_s
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=256),
            transport=transport,
            trust_env=False,
        )
        self.retries = 0

    async def ask(self, path: str, body: Mapping[str, Any], read: Callable[[Any], T]) -> T:
        """POST a JSON body and return what `read` makes of the JSON reply; `read` may raise any of `_MALFORMED` on one
        that is not what it should be. Raises PolicyUnavailable, PolicyError, ContextFull."""
        url, reason = f"{self.base_url}{path}", ""
        for attempt in range(self._attempts):
            if attempt:
                self.retries += 1
            reply = None
            try:
                reply = await self._client.post(url, json=dict(body))
                if reply.status_code == 200:
                    return read(reply.json())
                reason = _passing(reply)
            except _MALFORMED as error:
                reason, reply = f"{type(error).__name__} {error}".strip(), None
            await self._rest(attempt, reply)
        raise PolicyUnavailable(f"{url} did not answer in {self._attempts} tries: {reason}")

    async def stream(self, path: str, body: Mapping[str, Any], read: Callable[[Any], T]) -> AsyncGenerator[T, None]:
        """What `read` makes of the events of a streamed reply: for people who watch, not for runs. Tried again only
        until the server begins to answer, since what was seen cannot be taken back. Raises as `ask`."""
        url, reason = f"{self.base_url}{path}", ""
        for attempt in range(self._attempts):
            try:
                async with self._client.stream("POST", url, json={**body, "stream": True}) as reply:
                    if reply.status_code == 200:
                        async for line in reply.aiter_lines():
                            data = line.removeprefix("data:").strip()
                            if line.startswith("data:") and data != "[DONE]":
                                yield read(json.loads(data))
                        return
                    await reply.aread()
                    reason = _passing(reply)
            except _MALFORMED as error:
                raise PolicyUnavailable(f"{url}: {type(error).__name__} {error}") from None
            await self._rest(attempt, reply)
        raise PolicyUnavailable(f"{url} did not answer in {self._attempts} tries: {reason}")

    async def close(self) -> None:
        await self._client.aclose()

    async def _rest(self, attempt: int, reply: httpx.Response | None) -> None:
        """Wait before the next try, as long as the server asks for; not after the last."""
        if attempt + 1 < self._attempts:
            asked = _retry_after(reply) if reply is not None else None
            pause = random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE_S, self._pause_s * 2.0**attempt)
            await asyncio.sleep(pause if asked is None else asked)


def _passing(reply: httpx.Response) -> str:
    """Why a reply is none, where another try may help. Raises PolicyError or ContextFull where none will."""
    reason = f"{reply.status_code} {reply.text[:200].strip()}"
    if reply.status_code == 413 or (reply.status_code in (400, 422) and _FULL.search(reply.text)):
        raise ContextFull(f"{reply.url} has no room: {reason}")
    if reply.status_code not in _WORTH_ANOTHER_TRY:
        raise PolicyError(f"{reply.url} refuses: {reason}")
    return reason


def _retry_after(reply: httpx.Response) -> float | None:
    try:
        return min(_LONGEST_PAUSE_S, max(0.0, float(reply.headers["retry-after"])))
    except (KeyError, ValueError):
        return None
