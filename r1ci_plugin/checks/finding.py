"""What a check says: one thing looked at, and the command that mends it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` is the command that mends it, empty where nothing is broken."""

    what: str
    ok: bool
    mend: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ok(what: str) -> Finding:
    return Finding(what, True)


def broken(what: str, mend: str) -> Finding:
    return Finding(what, False, mend)
