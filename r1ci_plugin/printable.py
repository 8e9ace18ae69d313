"""Text of a model, a script or a server, made safe for a terminal.

Left out: markup of rich, which callers switch off where they print such text.
"""

from __future__ import annotations

_C0 = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
_C1 = dict.fromkeys([0x7F, *range(0x80, 0xA0)], "\N{REPLACEMENT CHARACTER}")
_ORDER = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\N{REPLACEMENT CHARACTER}")
_SHOWN = {**_C0, **_C1, **_ORDER}


def printable(text: str) -> str:
    """The text with what could steer a terminal shown instead: control characters but line end and tab, by which a
    screen is cleared or its title set, and marks that turn the order of the letters about.
    """
    return text.translate(_SHOWN)
