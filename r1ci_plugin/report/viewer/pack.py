"""Records as blocks of text that a browser inflates: a small index of all, and bodies in chunks, one at a time.

Blocks are JSON, compressed (zlib) and spelled in base64, whose alphabet holds nothing that could end a block or begin
markup. Ten thousand trajectories so take a few megabytes, and opening the page inflates only the index. Left out: what
the blocks say (`row.py`, `body.py`), the page around them (`page.py`).
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from r1ci_plugin.record import Record
from r1ci_plugin.report.viewer.body import body_of
from r1ci_plugin.report.viewer.row import row_of
from r1ci_plugin.report.viewer.tokens import Boundaries

CHUNK_CHARS = 200_000
"""JSON of a chunk: small enough to inflate within a frame or two, large enough to compress well."""


@dataclass(slots=True)
class Packed:
    """What a page holds of a run."""

    index: str = ""
    chunks: list[str] = field(default_factory=list)
    trajectories: int = 0


class _Packer:
    def __init__(self, boundaries: Boundaries | None) -> None:
        self._boundaries = boundaries
        self._rows: list[dict[str, Any]] = []
        self._starts: list[int] = []
        self._open: list[str] = []
        self._chunks: list[str] = []
        self._keys: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        row = row_of(record)
        self._keys[record.key] += 1
        if (times := self._keys[record.key]) > 1:
            row["key"] = f"{record.key} ({times})"  # keys are unique in a file, not in a folder of files
        if not self._open:
            self._starts.append(len(self._rows))
        self._rows.append(row)
        self._open.append(_json(body_of(record, self._boundaries)))
        if sum(map(len, self._open)) >= CHUNK_CHARS:
            self._close_chunk()

    def finish(self) -> Packed:
        if self._open:
            self._close_chunk()
        columns = {name: [row[name] for row in self._rows] for name in (self._rows[0] if self._rows else ())}
        index = _block(_json({"count": len(self._rows), "starts": self._starts, "columns": columns}))
        return Packed(index, self._chunks, len(self._rows))

    def _close_chunk(self) -> None:
        self._chunks.append(_block(f"[{','.join(self._open)}]"))
        self._open = []


def pack(records: Iterable[Record], boundaries: Boundaries | None = None) -> Packed:
    """Pack records in order; with `boundaries`, token by token."""
    packer = _Packer(boundaries)
    for record in records:
        packer.add(record)
    return packer.finish()


def _json(data: object) -> str:
    """ASCII alone, so that halves of surrogate pairs reach the browser as they are; null for what is no number."""
    try:
        return json.dumps(data, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_finite(data), separators=(",", ":"), allow_nan=False)


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def _block(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode("ascii")
