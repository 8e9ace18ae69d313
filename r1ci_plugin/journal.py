"""An append-only file of JSON lines by key: what a run that is killed at any moment has written, it still has.

    with Journal(folder / "trajectories.jsonl") as journal:
        if record.key not in journal:
            journal.append(record.to_dict())

One process writes at a time (a lock says so in one line). A line that was cut by a crash is dropped when the file is
opened again, so that its key is done anew and nothing is doubled. Left out: what the lines mean (`record.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self


class JournalInUse(RuntimeError):
    """Another process writes the file."""


class JournalDamaged(ValueError):
    """A line that is not the last one cannot be read: what follows it would be lost without a word."""


class Journal:
    """The file's keys and their places; lines are read back from disk, not kept in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._file: int | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            self._file = None
            raise JournalInUse(f"another process writes {self.path}: wait for it, or name another folder") from None
        self._index()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.fsync(self._file)
            os.close(self._file)
            self._file = None

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def append(self, line: Mapping[str, Any]) -> None:
        """Add a line, in one write, whole or not at all. Raises ValueError if its `key` is there already."""
        assert self._file is not None, "the journal is not open"
        key = line["key"]
        if key in self._places:
            raise ValueError(f"{key} is in {self.path} already")
        data = encode_line(line)
        start = os.lseek(self._file, 0, os.SEEK_END)
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:  # a full disk: a shorter line that still fits must not follow half of this one
            os.ftruncate(self._file, start)
            raise
        self._places[key] = (start, len(data))

    def get(self, key: str) -> dict[str, Any]:
        """The line of a key. Raises KeyError."""
        assert self._file is not None, "the journal is not open"
        start, length = self._places[key]
        line: dict[str, Any] = json.loads(os.pread(self._file, length, start))
        return line

    def _index(self) -> None:
        """Find all keys; cut off a torn last line."""
        assert self._file is not None
        place = 0
        with open(os.dup(self._file), "rb") as file:
            file.seek(0)
            for data in file:
                key = _key_of(data)
                if key is None:
                    break
                self._places[key] = (place, len(data))
                place += len(data)
            torn = file.seek(0, os.SEEK_END) - place
        if torn:
            rest = os.pread(self._file, torn, place)
            if b"\n" in rest[:-1]:
                raise _damaged(self.path, place)
            os.ftruncate(self._file, place)


def encode_line(line: Mapping[str, Any]) -> bytes:
    """A line as it stands in the file, its end included."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a journal that may still be written to; a torn last line is left out. Raises JournalDamaged."""
    place = 0
    with path.open("rb") as file:
        for data in file:
            if _key_of(data) is None:
                if data.endswith(b"\n") and file.readline():
                    raise _damaged(path, place)
                return
            place += len(data)
            yield json.loads(data)


def text_lines(path: Path) -> Iterator[str]:
    """The lines of a file of JSON lines by another writer. Only a line feed ends a line: JSON may hold separators such
    as U+2028, at which `str.splitlines` would cut. The last one may be cut anywhere, also within a character."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for text in file:
            yield text.removesuffix("\n")


def _damaged(path: Path, place: int) -> JournalDamaged:
    return JournalDamaged(f"{path} is damaged at byte {place}: that is no line of JSON with a key")


def _key_of(data: bytes) -> str | None:
    """The key of a line, None if it is torn."""
    if not data.endswith(b"\n"):
        return None
    try:
        key = json.loads(data)["key"]
    except (ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, str) else None
