"""Token boundaries of a record's text, from its ids and the policy's tokenizer.

A browser counts text in UTF-16 code units, so lengths are in those. Left out: colours (`assets/viewer/spans.js`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Decode = Callable[[Sequence[int]], str]

BROKEN = "\ufffd"
"""What a tokenizer gives for a part of a character."""
LONGEST_CHARACTER = 8
"""Tokens that may spell one character together: four bytes, and room for what is joined to it."""


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


class Boundaries:
    """Cuts texts at token boundaries. Ids that were seen before are looked up."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._known: dict[int, str] = {}

    @classmethod
    def of_policy(cls, folder: Path) -> Boundaries:
        """With the tokenizer in a policy's folder. Needs transformers; raises OSError or ValueError without one."""
        from transformers import AutoTokenizer

        from r1ci_plugin.codec import TokenizerCodec

        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        return cls(TokenizerCodec(tokenizer).decode)

    def decode(self, ids: Sequence[int]) -> str:
        return self._decode(ids)

    def lengths(self, ids: Sequence[int], text: str) -> list[int] | None:
        """Units of `text` that each id spells; None if the ids are another tokenizer's and spell something else.

        Where several ids spell one character together, the last of them gets it all and the others 0.
        """
        lengths: list[int] = []
        place = start = 0
        for end in range(1, len(ids) + 1):
            piece = self._piece(ids[start:end])
            if not text.startswith(piece, place) and end - start < LONGEST_CHARACTER and end < len(ids):
                lengths.append(0)
                continue
            if not text.startswith(piece, place):
                return None
            lengths.append(units(piece))
            place += len(piece)
            start = end
        return lengths if place == len(text) else None

    def _piece(self, ids: Sequence[int]) -> str:
        if len(ids) > 1:
            return self._decode(ids)
        if ids[0] not in self._known:
            self._known[ids[0]] = self._decode(ids)
        return self._known[ids[0]]
