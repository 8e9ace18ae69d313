"""A provider on loopback that answers like a model that knows its questions, and fails in every way one asks of it.

It speaks `/chat/completions`, `/completions` with token ids, and `/responses`. `brain` maps the messages of a request
to a reply text. Run as a script it serves the questions of a JSON Lines file of records' questions with their answers:
for tests that kill the client.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Message = dict[str, str]
Brain = Callable[[Sequence[Message]], str]
FAULTS = ("429", "500", "cut", "malformed", "empty", "slow", "reset")


def scripted(answers: dict[str, str]) -> Brain:
    """Knows the answer to every prompt that contains a key: computes by a script first, then reads its output."""

    def brain(messages: Sequence[Message]) -> str:
        first = messages[0]["content"]
        answer = next(text for prompt, text in answers.items() if prompt in first)
        if messages[-1]["content"].startswith("Code Execution Results:"):
            return f"The script says so.\n<<<{messages[-1]['content'].partition(':')[2].strip()}>>>"
        if "in words alone" in first:
            return f"I know it. <<<{answer}>>>"
        return f"I compute it.\n```python\nprint({answer!r})\n```\nand so on, with text behind the code"

    return brain


class Provider:
    """The server. `faults` are played one after another before requests are answered well, in the given order."""

    def __init__(self, brain: Brain, faults: Sequence[str] = (), codec: Any = None) -> None:
        self.brain, self.codec = brain, codec
        self._faults: Iterator[str] = iter(faults)
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.played: Counter[str] = Counter()
        self.answered = 0
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Provider:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")
                )
                body = json.loads(await reader.readexactly(length))
                path = head.split()[1].removeprefix("/v1")
                self.seen.append((path, body))
                await self._answer(path, body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        fault = next(self._faults, "")
        self.played[fault] += 1
        whole = json.dumps(self.reply(path, body)) if fault in ("", "slow", "cut") else ""
        if fault == "slow":
            await asyncio.sleep(0.2)
        if fault == "429":
            writer.write(_http(429, "{}", "Retry-After: 0\r\n"))
        elif fault in ("500", "401"):
            writer.write(_http(int(fault), '{"error": "no"}'))
        elif fault == "cut":
            writer.write(_http(200, whole)[:-20])
            await writer.drain()
            writer.transport.abort()
        elif fault == "malformed":
            writer.write(_http(200, '{"choices": [{"mess'))
        elif fault == "empty":
            writer.write(_http(200, '{"choices": []}'))
        elif fault == "reset":
            writer.transport.abort()
        else:
            self.answered += 1
            writer.write(_events(json.loads(whole)) if body.get("stream") else _http(200, whole))

    def reply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/completions":
            ids = self.codec.encode(self.brain([{"role": "user", "content": self.codec.decode(body["prompt"])}]))
            ids = [*ids[: body["max_tokens"] - 1], min(self.codec.eos_ids)]
            return {"choices": [{"token_ids": ids, "text": self.codec.decode(ids), "finish_reason": "stop"}]}
        if path == "/responses":
            return json.loads(self.brain([{"role": "user", "content": body["input"]}]))
        text = self.brain(body["messages"])
        cut = len(text) > 4 * body["max_tokens"]
        return {
            "choices": [
                {
                    "message": {"role": "assistant", "content": text[: 4 * body["max_tokens"]]},
                    "finish_reason": "length" if cut else "stop",
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20},
        }


def _events(reply: dict[str, Any]) -> bytes:
    """A whole reply as a stream of events, three characters (or ids) each, the usage last."""
    events: list[dict[str, Any]] = []
    for choice in reply["choices"]:
        if "message" in choice:
            text = choice["message"]["content"]
            events += [{"choices": [{"delta": {"content": text[at : at + 3]}}]} for at in range(0, len(text), 3)]
            events.append({"choices": [{"delta": {}, "finish_reason": choice["finish_reason"]}]})
        else:
            ids = choice["token_ids"]
            events += [{"choices": [{"token_ids": ids[at : at + 3], "text": "."}]} for at in range(0, len(ids), 3)]
    events.append({"choices": [], "usage": reply.get("usage")})
    data = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return f"HTTP/1.1 200 X\r\nContent-Length: {len(data)}\r\n\r\n{data}".encode()


def _http(status: int, body: str, extra: str = "") -> bytes:
    data = body.encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n{extra}\r\n".encode() + data


async def _main(answers_file: str) -> None:
    with open(answers_file, encoding="utf-8") as file:
        answers = json.load(file)
    faults = [fault for _ in range(1000) for fault in ("", "slow", "429", "slow", "", "500", "slow")]
    async with Provider(scripted(answers), faults) as provider:
        print(provider.url, flush=True)
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
