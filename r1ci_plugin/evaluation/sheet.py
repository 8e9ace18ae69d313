"""A sheet for people, as Markdown or a table of the terminal, and lines for programs as CSV.

Left out: what stands in them (`layouts.py`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from r1ci_plugin.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

Cell = str | int | float | None
"""Text is shown as it is, a number in the format of its column, None as nothing."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and the format of the numbers below it (as of `format`); text columns have none."""

    heading: str
    format: str = ""

    @classmethod
    def interval(cls, level: float) -> Column:
        """For `interval_text`."""
        return cls(f"{level:.0%} interval", "s")


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
        """For the terminal. Where it is narrow, headings and names are wrapped, numbers never are."""
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        texts = [self._texts(row) for row in self.rows]
        table = Table(title=escape(self.title), caption=escape("\n".join(self.notes)), caption_justify="left")
        table.box, table.pad_edge = box.SIMPLE_HEAD, False
        for place, column in enumerate(self.columns):
            widest = max((len(row[place]) for row in texts if row), default=0)
            if column.format:
                table.add_column(escape(column.heading), justify="right", min_width=widest)
            else:
                table.add_column(escape(column.heading), overflow="fold")
        for row in texts:
            if row:
                table.add_row(*map(escape, row))
            else:
                table.add_section()
        return table

    def _texts(self, row: Sequence[Cell]) -> list[str]:
        return [printable(_text(cell, column)) for cell, column in zip(row, self.columns, strict=True)] if row else []


def csv_of(lines: Sequence[Mapping[str, Any]]) -> str:
    """A heading and all lines, numbers unrounded; what a line does not have stays empty."""
    names = list(dict.fromkeys(name for line in lines for name in line))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


def interval_text(low: float | None, high: float | None, form: str = ".1f") -> str | None:
    """Two shares as one cell in per cent, such as `35.9 to 72.4`."""
    return None if low is None or high is None else f"{format(100 * low, form)} to {format(100 * high, form)}"


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
