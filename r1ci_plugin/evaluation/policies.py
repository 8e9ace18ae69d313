"""What answers: a policy opens a session for a conversation, and the session samples what its state machine asks for.

    session = policy.open(Request(messages, key, limits, sampling))
    trajectory = await drive(session.interaction, session.sample, run)

`EmbeddedPolicy` is the rollout engine of the CPU back end in this process, tokens in and tokens out. Policies behind an
address are in `endpoint_policies.py`. Left out: which messages (`agents.py`), what is done with many answers
(`runner.py`).
"""

from __future__ import annotations

import logging
import os
import warnings
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import Self

from r1ci_plugin.codec import TextCodec, TokenizerCodec
from r1ci_plugin.config import Limits
from r1ci_plugin.drive import Sampled
from r1ci_plugin.installing import install
from r1ci_plugin.record import Usage, policy_name
from r1ci_plugin.threads import sleep_while_waiting
from r1ci_plugin.trajectory import Generate, Interaction

Message = dict[str, str]
"""`role` (user or assistant) and `content`."""


class PolicyError(RuntimeError):
    """The policy cannot answer at all: wrong address, model or key. The message says what to do. Ends a run."""


class PolicyUnavailable(RuntimeError):
    """This answer could not be had, another try may work. The answer is lost, the run goes on."""


class ContextFull(RuntimeError):
    """A server has no room for the conversation and what is asked for on top of it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are sampled."""

    temperature: float = 0.6
    response_tokens: int = 4096
    """Of a whole trajectory, execution results included."""
    top_p: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """A conversation for a policy to continue."""

    messages: Sequence[Message]
    key: str
    """Names the answer: its draws are seeded by it, and a server keeps its prefix."""
    limits: Limits
    sampling: Sampling
    on_text: Callable[[str], None] | None = None
    """Is told sampled text as it comes."""

    @property
    def seed(self) -> int:
        """31 bits that every process derives alike from the key."""
        return zlib.crc32(self.key.encode()) & 0x7FFFFFFF


class Session(ABC):
    """One conversation: its state machine, what samples for it, and what that took so far."""

    interaction: Interaction

    def __init__(self, request: Request) -> None:
        self.request = request
        self.usage = Usage()

    @abstractmethod
    async def sample(self, token_ids: list[int], command: Generate) -> Sampled:
        """Continue the conversation. Raises PolicyUnavailable, PolicyError."""


class Policy(ABC):
    """A model that answers. Use it as an async context manager."""

    name: str
    """For records: a folder's name, or the model's name at its address."""

    @abstractmethod
    def open(self, request: Request) -> Session:
        """A session for a conversation. Raises PromptTooLong if there is no room to answer."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:  # noqa: B027
        """Let go of what the policy holds."""


class PromptTooLong(ValueError):
    """The conversation fills the policy's context."""

    def __init__(self, prompt_ids: list[int], reason: str) -> None:
        super().__init__(reason)
        self.prompt_ids = prompt_ids


class EmbeddedPolicy(Policy):
    """A small policy in this process, by the rollout engine of the CPU back end. Needs the extra `train`.

    folder: a Hugging Face folder. Raises PolicyError where it holds no policy.
    """

    def __init__(self, folder: Path, *, max_model_len: int | None = None, max_num_seqs: int = 64) -> None:
        self.name = policy_name(str(folder))
        _keep_quiet()
        sleep_while_waiting()  # the engine shares the processors with interpreter slots and verifiers
        try:
            from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine
            from r1ci_plugin.rollout.cpu.models import load_policy
            from r1ci_plugin.rollout.shared import codec_for
        except ImportError as error:
            raise PolicyError(
                f"a policy in this process needs torch and verl ({error}): {install('train')}, "
                "or name a server with --base-url"
            ) from None
        try:
            model, tokenizer = load_policy(folder)
            self.codec: TokenizerCodec = codec_for(tokenizer, lambda: str(folder))
            self._engine = EmbeddedEngine(model, tokenizer, max_model_len=max_model_len, max_num_seqs=max_num_seqs)
        except ValueError as error:
            raise PolicyError(str(error)) from None

    def open(self, request: Request) -> Session:
        return _EmbeddedSession(self, request, self._engine)

    async def __aexit__(self, *_: object) -> None:
        self._engine.close()


def _keep_quiet() -> None:
    """Libraries tell of engines that are not used and of weights being read: nothing that a person asked for."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("VERL_LOGGING_LEVEL", "WARNING")
    warnings.filterwarnings("ignore", category=UserWarning, module=r"verl\.workers\.engine")
    logging.getLogger().setLevel(max(logging.WARNING, logging.getLogger().level))
    with suppress(ImportError):
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()


def open_tokens(codec: TokenizerCodec, request: Request, context_tokens: int | None) -> Interaction:
    """The state machine of a conversation in a policy's own tokens. Raises PromptTooLong."""
    prompt_ids = codec.encode_prompt(request.messages)
    try:
        return Interaction(
            codec,
            prompt_ids,
            request.limits,
            response_tokens=request.sampling.response_tokens,
            context_tokens=context_tokens,
        )
    except ValueError as error:
        raise PromptTooLong(prompt_ids, str(error)) from None


def open_text(prompt: str, limits: Limits) -> Interaction:
    """The state machine of a conversation in mere text, where a token is a character.

    The response has no bound here: budgets are the policy's, in its own tokens.
    """
    codec = TextCodec()
    interaction = Interaction(codec, codec.encode(prompt), limits, response_tokens=1 << 40)
    interaction.trajectory.transport = "messages"
    return interaction


STREAM_TOKENS = 8
"""Tokens sampled between two looks at the text, where somebody watches."""


class _EmbeddedSession(Session):
    def __init__(self, policy: EmbeddedPolicy, request: Request, engine: Any) -> None:
        super().__init__(request)
        self._codec, self._engine = policy.codec, engine
        self.interaction = open_tokens(policy.codec, request, engine.max_model_len)

    async def sample(self, token_ids: list[int], command: Generate) -> Sampled:
        ids: list[int] = []
        log_probs: list[float] = []
        step = STREAM_TOKENS if self.request.on_text else command.max_tokens
        while len(ids) < command.max_tokens:
            asked = min(step, command.max_tokens - len(ids))
            generation = await self._engine.generate(
                [*token_ids, *ids], self._parameters(asked, command), self.request.key
            )
            ids += generation.token_ids
            log_probs += generation.log_probs
            self._watch(ids, len(generation.token_ids))
            if len(generation.token_ids) < asked or self._has_ended(ids, len(generation.token_ids), command):
                break
        self.usage += Usage(1, len(token_ids), len(ids))
        return ids, log_probs

    def _parameters(self, max_tokens: int, command: Generate) -> dict[str, Any]:
        sampling = self.request.sampling
        return {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": max_tokens,
            "stop": list(command.stop),
            "stop_token_ids": sorted(self._codec.eos_ids),
            "seed": self.request.seed,
        }

    def _has_ended(self, ids: list[int], new: int, command: Generate) -> bool:
        """Whether the last `new` ids, as many as were asked for, happen to end at a stop."""
        return ids[-1] in self._codec.eos_ids or any(
            stop in self._codec.decode(ids[-new - len(stop) :]) for stop in command.stop
        )

    def _watch(self, ids: list[int], new: int) -> None:
        if self.request.on_text and new:
            before = self._codec.decode(ids[:-new])
            whole = self._codec.decode([token for token in ids if token not in self._codec.eos_ids])
            self.request.on_text(whole[len(before) :])
