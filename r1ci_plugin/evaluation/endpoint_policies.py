"""Policies behind an OpenAI-compatible address: `/completions` with token ids (vLLM), `/chat/completions` (any server).

With token ids a server plays exactly the policy of training: the prompt is sent as ids, sampled ids come back. A chat
server takes no ids and cannot go on with its own message, so there an execution result is sent as a user message; the
record says so in `transport`. Left out: agents, records, tries (`endpoint.py`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from typing_extensions import Self

from r1ci_plugin.codec import TextCodec, TokenizerCodec
from r1ci_plugin.drive import Sampled
from r1ci_plugin.evaluation.endpoint import Endpoint
from r1ci_plugin.evaluation.policies import (
    ContextFull,
    Policy,
    PolicyError,
    Request,
    Session,
    open_text,
    open_tokens,
)
from r1ci_plugin.protocol import RESULT_PREFIX
from r1ci_plugin.record import Usage
from r1ci_plugin.trajectory import Generate

CHARACTERS_A_TOKEN = 4
"""By which the bound of an execution result is counted where only text is exchanged. Replies are bounded in tokens."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens, in any currency."""

    prompt: float = 0.0
    sampled: float = 0.0

    def usage(self, prompt_tokens: int, sampled_tokens: int) -> Usage:
        """One request's usage with its cost."""
        cost = (self.prompt * prompt_tokens + self.sampled * sampled_tokens) / 1e6
        return Usage(1, prompt_tokens, sampled_tokens, cost)


class EndpointPolicy(Policy):
    """A model at an address. `model` is its name there."""

    def __init__(self, endpoint: Endpoint, model: str, prices: Prices | None = None) -> None:
        self.name = model
        self.endpoint, self.prices = endpoint, prices or Prices()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.endpoint.close()


class _EndpointSession(Session):
    """A conversation that outgrows the server's context ends as one that was cut off. Where a first request does not
    fit, more is asked for than the server can give, in this run or another: that ends the run."""

    async def sample(self, token_ids: list[int], command: Generate) -> Sampled:
        try:
            return await self._sample(token_ids, command)
        except ContextFull as error:
            if not self.usage.requests and len(self.request.messages) == 1:
                raise PolicyError(f"{error}: ask for less with --response-tokens") from None
            return [], None, True

    @abstractmethod
    async def _sample(self, token_ids: list[int], command: Generate) -> Sampled:
        """Raises PolicyUnavailable, PolicyError, ContextFull."""


class CompletionsPolicy(EndpointPolicy):
    """A policy behind `/completions` of a server that takes and returns token ids, as vLLM does.

    codec: of the tokenizer that the server uses. context_tokens: the server's `max_model_len`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        codec: TokenizerCodec,
        *,
        context_tokens: int | None = None,
        prices: Prices | None = None,
    ) -> None:
        super().__init__(endpoint, model, prices)
        self.codec, self.context_tokens = codec, context_tokens

    def open(self, request: Request) -> Session:
        return _CompletionsSession(self, request)


class _CompletionsSession(_EndpointSession):
    def __init__(self, policy: CompletionsPolicy, request: Request) -> None:
        super().__init__(request)
        self._policy = policy
        self.interaction = open_tokens(policy.codec, request, policy.context_tokens)

    async def _sample(self, token_ids: list[int], command: Generate) -> Sampled:
        body = {
            "model": self._policy.name,
            "prompt": token_ids,
            "max_tokens": command.max_tokens,
            "temperature": self.request.sampling.temperature,
            "top_p": self.request.sampling.top_p,
            "seed": self.request.seed,
            "stop": list(command.stop),
            "include_stop_str_in_output": True,
            "stop_token_ids": sorted(self._policy.codec.eos_ids),
            "skip_special_tokens": False,
            "return_token_ids": True,
        }
        if self.request.on_text:
            ids = await self._watched(body, self.request.on_text)
        else:
            ids = await self._policy.endpoint.ask("/completions", body, lambda reply: _token_ids(reply["choices"][0]))
        self.usage += self._policy.prices.usage(len(token_ids), len(ids))
        return ids, None

    async def _watched(self, body: Mapping[str, Any], on_text: Callable[[str], None]) -> list[int]:
        ids: list[int] = []

        def read(event: Mapping[str, Any]) -> list[tuple[list[int], str]]:
            return [(_token_ids(choice), choice.get("text") or "") for choice in event.get("choices", [])]

        async with aclosing(self._policy.endpoint.stream("/completions", body, read)) as events:
            async for choices in events:
                for new, text in choices:
                    ids += new
                    on_text(text)
        return ids


def _token_ids(choice: Mapping[str, Any]) -> list[int]:
    ids = choice.get("token_ids")
    if ids is None:
        raise PolicyError(
            "the server returns no token ids: use vLLM 0.10.2 or newer, or leave out --tokenizer to talk by messages"
        )
    return [int(token) for token in ids]


class ChatPolicy(EndpointPolicy):
    """A model behind `/chat/completions`."""

    def open(self, request: Request) -> Session:
        return _ChatSession(self, request)


class _ChatSession(_EndpointSession):
    """Sampled text and results go back as assistant and user messages.

    The only stop string is the heading of a result: stopping at a fence would need a message that can be continued.
    What a model writes after its code is cut off by the state machine.
    """

    def __init__(self, policy: ChatPolicy, request: Request) -> None:
        super().__init__(request)
        self._policy = policy
        limits = replace(request.limits, result_max_tokens=CHARACTERS_A_TOKEN * request.limits.result_max_tokens)
        self.interaction = open_text("\n\n".join(message["content"] for message in request.messages), limits)

    async def _sample(self, token_ids: list[int], command: Generate) -> Sampled:
        room = self.request.sampling.response_tokens - self.usage.sampled_tokens
        if room <= 0:
            return [], None, True
        body = {
            "model": self._policy.name,
            "messages": self._messages(),
            "max_tokens": room,
            "temperature": self.request.sampling.temperature,
            "top_p": self.request.sampling.top_p,
            "seed": self.request.seed,
            "stop": [RESULT_PREFIX],
        }
        if self.request.on_text:
            text, cut, usage = await self._watched(body, self.request.on_text)
        else:
            text, cut, usage = await self._policy.endpoint.ask("/chat/completions", body, _chat_reply)
        self.usage += self._policy.prices.usage(*usage)
        return TextCodec().encode(text), None, cut

    def _messages(self) -> list[dict[str, str]]:
        messages = [dict(message) for message in self.request.messages]
        for turn in self.interaction.trajectory.turns:
            if turn.text:
                messages.append({"role": "assistant", "content": turn.text})
            if turn.call is not None and turn.call.inserted_text:
                messages.append({"role": "user", "content": turn.call.inserted_text.strip()})
        return messages

    async def _watched(self, body: dict[str, Any], on_text: Callable[[str], None]) -> tuple[str, bool, tuple[int, int]]:
        pieces: list[str] = []
        finish, usage = "", (0, 0)
        body = {**body, "stream_options": {"include_usage": True}}
        async with aclosing(self._policy.endpoint.stream("/chat/completions", body, _chat_event)) as events:
            async for text, ending, counted in events:
                pieces.append(text)
                finish, usage = ending or finish, counted or usage
                on_text(text)
        text = "".join(pieces)
        return text, finish == "length", usage if usage[1] else (0, len(text) // CHARACTERS_A_TOKEN)


def _chat_reply(reply: Mapping[str, Any]) -> tuple[str, bool, tuple[int, int]]:
    """Text, whether the server's budget cut it, and (prompt, sampled) tokens."""
    choice = reply["choices"][0]
    text = choice["message"].get("content") or ""
    if not isinstance(text, str):
        raise TypeError("a reply without text")
    usage = _counted(reply.get("usage")) or (0, len(text) // CHARACTERS_A_TOKEN)
    return text, choice.get("finish_reason") == "length", usage


def _chat_event(event: Mapping[str, Any]) -> tuple[str, str, tuple[int, int] | None]:
    """Text, finish reason and (prompt, sampled) tokens of a streamed event, as far as it holds them."""
    choices = event.get("choices") or []
    text = "".join((choice.get("delta") or {}).get("content") or "" for choice in choices)
    ending = next((choice["finish_reason"] for choice in choices if choice.get("finish_reason")), "")
    return text, ending, _counted(event.get("usage"))


def _counted(usage: Mapping[str, Any] | None) -> tuple[int, int] | None:
    return (int(usage["prompt_tokens"]), int(usage["completion_tokens"])) if usage else None
