"""A sheet for people, as Markdown or a table of the terminal, and lines for programs as CSV.

Left out: what stands in them (`layouts.py`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

Cell = str | int | float | None
"""Text is shown as it is, a number in the format of its column, None as nothing."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and the format of the numbers below it (as of `format`); text columns have none."""

    heading: str
    format: str = ""


@dataclass(slots=True)
class Sheet:
    """Rows of cells below columns. A row of no cells is a rule between two blocks."""

    title: str
    columns: list[Column]
    rows: list[Sequence[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Sentences below the table."""

    def markdown(self) -> str:
        """A heading, a table of GitHub's Markdown with numbers flush right, and the notes. Cells stay in their cell."""
        lines = [
            f"### {self.title}",
            "",
            _markdown_line([column.heading for column in self.columns]),
            _markdown_line(["---:" if column.format else "---" for column in self.columns]),
            *(_markdown_line([_escaped(text) for text in self._texts(row)]) for row in self.rows if row),
        ]
        return "\n".join([*lines, *([""] if self.notes else []), *self.notes, ""])

    def rich(self) -> Table:
        """For the terminal."""
        from rich.markup import escape
        from rich.table import Column as RichColumn
        from rich.table import Table

        headings = [
            RichColumn(escape(one.heading), justify="right" if one.format else "left", no_wrap=True)
            for one in self.columns
        ]
        table = Table(
            *headings, title=escape(self.title), caption=escape("\n".join(self.notes)), caption_justify="left"
        )
        for row in self.rows:
            if row:
                table.add_row(*(escape(text) for text in self._texts(row)))
            else:
                table.add_section()
        return table

    def _texts(self, row: Sequence[Cell]) -> list[str]:
        return [_text(cell, column) for cell, column in zip(row, self.columns, strict=True)]


def csv_of(lines: Sequence[Mapping[str, Any]]) -> str:
    """A heading and all lines, numbers unrounded; what a line does not have stays empty."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def _text(cell: Cell, column: Column) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else format(cell, column.format)


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """A task's or policy's name is a user's text: it must not end its cell or begin markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "|\\`<*[" else sign for sign in flat)
