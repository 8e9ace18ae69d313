"""Decide whether the tokens just sampled end their requests: stop strings, stop tokens, EOS.

Decoding text at every token would cost more than a tiny policy's forward pass. So every vocabulary is asked once which
tokens can finish a stop string (their text holds its last character, or is part of a character); only a row that has
just sampled such a token is decoded. The check reads newly sampled text only, and the whole of it: exact, as the first
token that completes the string is always looked at. Left out: length limits (`batcher.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

_PARTIAL = "\N{REPLACEMENT CHARACTER}"  # what a tokenizer writes for a token that is only part of a character
_BATCH = 4096


class StopStrings:
    """Finds stop strings in sampled tokens. `tokenizer` is a Hugging Face tokenizer (its `decode` is used)."""

    def __init__(self, tokenizer: Any, vocab_size: int) -> None:
        self._tokenizer = tokenizer
        self._vocab_size = vocab_size
        self._texts: list[str] | None = None
        self._tables: dict[tuple[str, ...], np.ndarray] = {}

    def finishers(self, stop: tuple[str, ...]) -> np.ndarray:
        """(V,) bool: the tokens after which one of `stop` may just have been completed."""
        table = self._tables.get(stop)
        if table is None:
            last = {s[-1] for s in stop}
            table = np.array([_PARTIAL in t or any(c in t for c in last) for t in self._token_texts()])
            self._tables[stop] = table
        return table

    def found(self, stop: tuple[str, ...], sampled: list[int]) -> bool:
        """Whether the text of `sampled` (all new tokens of a request) holds one of `stop`."""
        text = self._decode([sampled])[0]
        return any(s in text for s in stop)

    def _token_texts(self) -> list[str]:
        if self._texts is None:
            # Decoded after a neighbour: some decoders drop the space of a first token.
            texts: list[str] = []
            for start in range(0, self._vocab_size, _BATCH):
                ids = range(start, min(start + _BATCH, self._vocab_size))
                texts.extend(self._decode([[i, i] for i in ids]))
            self._texts = texts
        return self._texts

    def _decode(self, rows: Iterable[list[int]]) -> list[str]:
        if self._tokenizer is None:
            raise ValueError("stop strings need a tokenizer: give the engine one, or use stop_token_ids")
        decode = self._tokenizer.decode
        return [decode(row, skip_special_tokens=True, clean_up_tokenization_spaces=False) for row in rows]
