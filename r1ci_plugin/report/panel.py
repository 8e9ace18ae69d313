"""A panel of the report: a figure, how to read it, and the numbers it shows as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from r1ci_plugin.report.theme import Theme

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers; floats are shown with three decimals, None as a dash."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Panel:
    """`draw` fills a matplotlib figure in the colours of a theme."""

    slug: str
    """Names the PNG and the anchor."""
    title: str
    text: str
    """How to read it, in a sentence or two."""
    table: Table
    draw: Callable[[Figure, Theme], None]
    height: float = 3.2
    """Inches, at a width of `theme.WIDTH`."""


@dataclass(frozen=True, slots=True)
class Section:
    """Panels on one subject."""

    slug: str
    title: str
    panels: Sequence[Panel]
