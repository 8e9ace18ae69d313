"""Between text and token ids: a policy's tokenizer, seen as the interaction needs it.

Foreign text (questions, execution results) is encoded so that it can never form a control token: the spelling of every
added token is broken up before the tokenizer sees it. Sampled ids are only ever decoded, never encoded again. Works
with any byte-level tokenizer of transformers, by duck typing: this module imports neither torch nor transformers. Left
out: which tokens are sampled or inserted, and in which order (`trajectory.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

_PROBE = "<<<1>>> \t X = [ 'a' , \"\u00e4\U0001f40d\" ] . n't \n\n```\n "
"""Text that only a byte-level tokenizer gives back unchanged."""
_SHORT = 64
"""Characters of a text whose ids are worth keeping."""


class Codec(Protocol):
    """What the state machine needs of a tokenizer."""

    eos_ids: frozenset[int]
    """Every token that ends a turn when it is sampled."""

    def encode(self, text: str) -> list[int]:
        """Ids of foreign text: none is a control token, and `decode` gives the text back, as the tokenizer has it."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The exact text of the ids, control tokens included."""
        ...


class TextCodec:
    """A codec without a tokenizer, for transports that carry text only: a token, also of a budget, is a character."""

    eos_ids: frozenset[int] = frozenset()

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


def end_tokens(*sources: Any) -> frozenset[int]:
    """All ids that end a response, by generation config, model config and tokenizer. Engine and codec both ask here: a
    token that ends a response for one of them alone would leave its trajectory without an end."""
    ids: set[int] = set()
    for source in sources:
        eos = getattr(source, "eos_token_id", None)
        ids.update([eos] if isinstance(eos, int) else eos or [])
    return frozenset(ids)


class TokenizerCodec:
    """A transformers tokenizer with a chat template.

    tokenizer: a `PreTrainedTokenizerBase`. more_eos: ids that end a turn beside the tokenizer's own, those
    of the model's configs (`end_tokens`).
    Raises ValueError if the tokenizer has no chat template or no end-of-text token, or changes the text it is given.
    """

    def __init__(self, tokenizer: Any, more_eos: Iterable[int] = ()) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ValueError("the policy's tokenizer has no chat template: use an instruction-tuned policy or add one")
        if tokenizer.eos_token_id is None:
            raise ValueError("the policy's tokenizer has no end-of-text token")
        self._tokenizer = tokenizer
        self._backend = getattr(tokenizer, "backend_tokenizer", None)
        self.eos_ids = frozenset({int(tokenizer.eos_token_id), *map(int, more_eos)})
        literals = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, literals)) or r"(?!)")
        self._prompts = lru_cache(maxsize=256)(self._encode_prompt)
        self._short_texts = lru_cache(maxsize=1024)(self._encode)
        if self.decode(self.encode(_PROBE)) != _PROBE:
            raise ValueError("the policy's tokenizer changes text: it must be a byte-level one")

    def encode(self, text: str) -> list[int]:
        # what frames a result is short and always the same, and so are many results
        return list(self._short_texts(text) if len(text) <= _SHORT else self._encode(text))

    def _encode(self, text: str) -> tuple[int, ...]:
        ids: list[int] = []
        for piece in self._inert_pieces(self._normal(text)):  # a batch would be slower and start threads
            ids += self._ids(piece)
        return tuple(ids)

    def _ids(self, text: str) -> list[int]:
        """As the tokenizer encodes; past what it prepares for every call, where nobody has left it a truncation."""
        backend = self._backend
        if backend is None or backend.truncation or backend.padding:
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
            return ids
        return list(backend.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        if self._backend is not None:  # what the tokenizer itself calls, having looked at every id
            text: str = self._backend.decode(list(ids), skip_special_tokens=False)
        else:
            text = self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def encode_prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """Ids of the chat up to where the policy starts to speak.

        Contents are foreign text; only the template makes control tokens. The trajectories of a question ask for the
        same prompt one after the other, so the last ones are kept.
        """
        return list(self._prompts(tuple(tuple(message.items()) for message in messages)))

    def _encode_prompt(self, items: tuple[tuple[tuple[str, str], ...], ...]) -> tuple[int, ...]:
        messages = [dict(message) for message in items]
        marks = [f"\x02{index}\x03" for index in range(len(messages))]
        chat = [{**message, "content": mark} for message, mark in zip(messages, marks, strict=True)]
        rendered: str = self._tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        ids: list[int] = []
        for message, mark in zip(messages, marks, strict=True):
            before, found, rendered = rendered.partition(mark)
            if not found or mark in rendered:
                raise ValueError("the policy's chat template drops, repeats or reorders messages")
            ids += self._template(before) + self.encode(message["content"].strip())
        return (*ids, *self._template(rendered))

    def _template(self, text: str) -> list[int]:
        return self._ids(text) if text else []

    def _normal(self, text: str) -> str:
        """The text as the tokenizer will see it: normalised only later, it could still spell an added token."""
        text = text.encode("utf-8", "replace").decode("utf-8")  # JSON can hold halves of surrogate pairs
        normalizer = getattr(self._backend, "normalizer", None)
        return text if normalizer is None else str(normalizer.normalize_str(text))

    def _inert_pieces(self, text: str) -> list[str]:
        """The text in pieces, none of which spells an added token."""
        pieces: list[str] = []
        start = 0
        while match := self._control.search(text, start):
            pieces.append(text[start : match.start() + 1])
            start = match.start() + 1
        return [piece for piece in [*pieces, text[start:]] if piece]
