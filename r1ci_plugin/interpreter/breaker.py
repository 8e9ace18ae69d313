"""What a remote executor knows of one endpoint: how much it may be given, and whether it is to be trusted now.

Concurrency grows by one for each round of successes and is halved by overload; the breaker opens after failures in a
row or when most of the latest calls failed, and is closed again by a probe that ran real code. Pure: the clock is
given. Left out: HTTP (`remote`).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

FIRST_LIMIT = 8
_MOST = 512
_FAILURES_IN_A_ROW = 5
_LATEST = 20
_FIRST_REST_S, _LONGEST_REST_S = 2.0, 8.0
"""A probe costs one call; a server that is back and not used costs all of its slots."""


@dataclass
class Endpoint:
    """One server. Times are in seconds of any one clock."""

    url: str
    outstanding: int = 0
    limit: int = FIRST_LIMIT
    opened_at: float | None = None
    """Since when it has not been used; None: it is in use."""
    _slowed_at: float = -math.inf
    _rest_s: float = _FIRST_REST_S
    _successes: int = 0
    _in_a_row: int = 0
    _latest: deque[bool] = field(default_factory=lambda: deque(maxlen=_LATEST))

    @property
    def load(self) -> float:
        return self.outstanding / self.limit

    @property
    def has_room(self) -> bool:
        return self.opened_at is None and self.outstanding < self.limit

    def wants_probe(self, now: float) -> bool:
        """Whether it has rested long enough to be tried."""
        return self.opened_at is not None and now - self.opened_at >= self._rest_s

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._latest.append(True)
        self._successes += 1
        if self._successes >= self.limit:
            self._successes = 0
            self.limit = min(self.limit + 1, _MOST)

    def overloaded(self, now: float, sent: float) -> None:
        """A call that was sent at `sent` found it too slow or too busy. One burst of such calls halves it once."""
        if sent >= self._slowed_at:
            self._successes = 0
            self.limit = max(1, self.limit // 2)
            self._slowed_at = now

    def failed(self, now: float) -> None:
        """A call was lost there."""
        self._in_a_row += 1
        self._latest.append(False)
        mostly_failing = len(self._latest) == _LATEST and self._latest.count(False) * 2 > _LATEST
        if self.opened_at is None and (self._in_a_row >= _FAILURES_IN_A_ROW or mostly_failing):
            self.opened_at = now

    def probed(self, well: bool, now: float) -> None:
        """The probe came back."""
        if well:
            self.opened_at, self._rest_s, self._in_a_row = None, _FIRST_REST_S, 0
            self._latest.clear()
        else:
            self.opened_at, self._rest_s = now, min(self._rest_s * 2, _LONGEST_REST_S)
