"""The report: one HTML file that needs nothing else, and a PNG of every figure beside it.

No script, nothing from the network: figures are inline SVG in the page's own colours, and light and dark are a matter
of CSS. Names of runs and tasks come from files, so the template escapes everything that is not drawn by ourselves. Left
out: what is shown (`panels/`, `summary.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path

from r1ci_plugin import __version__
from r1ci_plugin.report import summary, theme
from r1ci_plugin.report.panel import Cell, Panel, Section
from r1ci_plugin.report.panels import behaviour, evaluation, learning, potential, tasks
from r1ci_plugin.report.sources import Sources
from r1ci_plugin.report.timeline import Timeline

PAGE = "index.html"
FIGURES = "figures"


def sections(sources: Sources) -> list[Section]:
    """What these sources have something to show for: no panel is without numbers, no section without panels."""
    timeline = Timeline(sources.runs)
    found = [
        learning.section(timeline),
        tasks.section(timeline),
        evaluation.section(sources.evaluations),
        behaviour.section(timeline),
        potential.section(sources.placements),
        behaviour.machinery(timeline),
    ]
    kept = [
        replace(section, panels=[panel for panel in section.panels if panel.table.rows])
        for section in found
        if section is not None
    ]
    return [section for section in kept if section.panels]


def write_report(
    folder: Path, sources: Sources, on_panel: Callable[[str], None] = lambda title: None
) -> tuple[Path, list[Path]]:
    """Write `folder/index.html` and `folder/figures/*.png`; gives the page and the figures. `on_panel` hears each title
    when drawn.

    Needs matplotlib and jinja2 (extra `report`).
    """
    shown = sections(sources)
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    drawn: dict[str, str] = {}
    for section in shown:
        for panel in section.panels:
            drawn[panel.slug] = _draw(panel, folder)
            on_panel(panel.title)
    page = folder / PAGE
    partial = folder / f"{PAGE}.partial"
    partial.write_text(_render(sources, shown, drawn), encoding="utf-8", errors="replace")
    os.replace(partial, page)  # a report that is open in a browser is whole at every moment
    return page, [folder / FIGURES / f"{slug}.png" for slug in sorted(drawn)]


def _draw(panel: Panel, folder: Path) -> str:
    theme.png(panel, folder / FIGURES / f"{panel.slug}.png")
    return theme.svg(panel)


def _render(sources: Sources, shown: Sequence[Section], drawn: dict[str, str]) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    files = resources.files("r1ci_plugin") / "assets" / "report"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = _cell
    timeline = Timeline(sources.runs)
    return environment.from_string((files / "page.html.j2").read_text(encoding="utf-8")).render(
        style=Markup((files / "page.css").read_text(encoding="utf-8")),  # the package's own file
        svg={slug: Markup(text) for slug, text in drawn.items()},  # matplotlib escapes what it draws
        names=list(dict.fromkeys([run.name for run in sources.runs] + [entry.run for entry in sources.evaluations])),
        sources=sources,
        bands=timeline.bands,
        facts=summary.facts(sources, timeline),
        sections=shown,
        figures=FIGURES,
        version=__version__,
        made=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _cell(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else value
