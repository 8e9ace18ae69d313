"""Tables of the cards in Markdown. Left out: tables of statistics (`evaluation/sheet.py`)."""

from __future__ import annotations


def table_row(*cells: object) -> str:
    """One line of a table. A bar inside a cell does not end it."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
