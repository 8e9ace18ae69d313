"""What a check says: one thing looked at, and the command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    ok: bool
    mend: str = ""
    """The command that mends it, empty where nothing is broken."""
    is_told: bool = False
    """Said when a run starts, also where nothing is broken."""

    def to_dict(self) -> dict[str, Any]:
        return {"what": self.what, "ok": self.ok, "mend": self.mend}


def ok(what: str, *, is_told: bool = False) -> Finding:
    return Finding(what, True, is_told=is_told)


def broken(what: str, mend: str) -> Finding:
    return Finding(what, False, mend)
