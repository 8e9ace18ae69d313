"""Gathers the memory of a warm template in huge pages: a fork copies page tables, and a huge page is one entry of them
instead of 512.

It is done once, when everything is loaded, so no process grows by it. Left out: memory that is got later.
"""

from __future__ import annotations

import ctypes

from .kernel import libc

_COLLAPSE = 25
_HUGE = 2 << 20


def gather() -> None:
    """Collapse whatever can be. Does nothing where the kernel lacks it: Linux before 6.1, or no huge pages."""
    with open("/proc/self/maps") as file:
        ranges = [line.split() for line in file]
    for place, access, _, _, _, *name in ranges:
        if access != "rw-p" or name not in ([], ["[heap]"]):
            continue
        start, end = (int(bound, 16) for bound in place.split("-"))
        for block in range(-(-start // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE):
            libc.madvise(ctypes.c_void_p(block), ctypes.c_size_t(_HUGE), _COLLAPSE)
