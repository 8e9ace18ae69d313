"""How tables look that have to fit into 80 columns: no lines between columns, one space between them.

Left out: what the tables say (the command that prints them).
"""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD

FITTING: dict[str, Any] = {"box": SIMPLE_HEAD, "pad_edge": False, "padding": 0}
"""Keyword arguments of rich's Table."""
