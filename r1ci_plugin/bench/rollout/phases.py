"""Barriers for the ways of doing a step that wait for each other: all sample, then all run code, then all sample."""

from __future__ import annotations

import asyncio
from typing import Literal

Mode = Literal["async", "stepwise", "inline"]
"""`async` is what the plugin does; the others are what it is compared with (`timeline.py`)."""
Kind = Literal["sample", "code"]


class Phases:
    """Lets trajectories pass only when every live one stands before something; then all that want the same go on."""

    def __init__(self, trajectories: int) -> None:
        self._live = trajectories
        self._last: Kind = "code"
        self._parked: dict[Kind, list[asyncio.Future[None]]] = {"sample": [], "code": []}

    async def wait(self, kind: Kind) -> None:
        """Stand before it until everyone does."""
        turn = asyncio.get_running_loop().create_future()
        self._parked[kind].append(turn)
        self._open()
        await turn

    def leave(self) -> None:
        """A trajectory has ended."""
        self._live -= 1
        self._open()

    def _open(self) -> None:
        if not self._live or sum(map(len, self._parked.values())) < self._live:
            return
        other: Kind = "code" if self._last == "sample" else "sample"
        self._last = other if self._parked[other] else self._last
        released, self._parked[self._last] = self._parked[self._last], []
        for turn in released:
            turn.set_result(None)
