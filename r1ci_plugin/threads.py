"""How OpenMP's threads wait in a process, and how many of them a forward pass takes.

OpenMP hands every operation to all threads and waits for the last. Threads that spin between two operations take the
next at once, but starve every other process of the machine; threads that sleep have to be woken, which costs more than
their share of a small operation. So in a job, whose processes share the processors, threads sleep and a small pass
runs on one; a process that nobody told to sleep has the machine for itself and uses all.

Measured with the seed policy's shape on two processors, milliseconds a decode step of 5 / 19 / 76 rows: two spinning
threads 1.4 / 2.2 / 6.4, two sleeping ones 3.5 / 4.9 / 9.8, one thread 1.7 / 3.1 / 11.7; of 19 rows beside a second such
engine: 30, 3.6 and 3.2. Left out: threads of training (`rollout/cpu/engine.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_POLICY, _SLEEP = "OMP_WAIT_POLICY", "PASSIVE"
_WORTH_WAKING = 64
"""Tokens of a pass (rows times positions) from which sleeping threads are worth waking."""
_asked_too_late = False


def sleep_while_waiting() -> None:
    """Let idle threads sleep, in this process if torch is not loaded yet, and in those that it starts.

    What the environment says already stays.
    """
    global _asked_too_late
    if _POLICY not in os.environ:
        _asked_too_late = "torch" in sys.modules  # which loads OpenMP, which reads the environment once
        os.environ[_POLICY] = _SLEEP


@contextmanager
def one_thread() -> Iterator[None]:
    """Start no threads for what this thread does meanwhile: with more of them than processors, none spins any more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def take_threads(tokens: int, most: int) -> None:
    """Run this thread's next operations, over `tokens` tokens, on one thread or on `most`."""
    import torch

    sleeping = os.environ.get(_POLICY, "").upper() == _SLEEP and not _asked_too_late
    torch.set_num_threads(1 if sleeping and tokens < _WORTH_WAKING else most)
