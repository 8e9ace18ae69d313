"""How figures look: the palette, and a panel drawn as SVG for both colour schemes or as PNG.

Colours are those of M. Okabe and K. Ito, which people with any kind of colour vision tell apart; series also differ in
marker and dash. An SVG is drawn once, in stand-in colours that become CSS variables, so that the page decides between
light and dark. Left out: what is drawn (`panels/`), the page (`page.py`).
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from r1ci_plugin.report.panel import Panel

WIDTH = 9.2
"""Inches."""
OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Blue, vermilion, bluish green, reddish purple, orange, sky blue. Black is the ink; yellow is too pale on paper."""
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)), (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)))


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they are for."""

    ink: str
    muted: str
    grid: str
    paper: str
    band: str
    series: tuple[str, ...] = OKABE_ITO

    def colour(self, number: int) -> str:
        return self.series[number % len(self.series)]


LIGHT = Theme(ink="#1d2329", muted="#5d6874", grid="#dfe3e8", paper="#ffffff", band="#eef1f5")
_STAND_INS = Theme(
    ink="#01fe01",
    muted="#01fe02",
    grid="#01fe03",
    paper="#01fe04",
    band="#01fe05",
    series=tuple(f"#01fe1{number}" for number in range(len(OKABE_ITO))),
)
_VARIABLES = {getattr(_STAND_INS, name): f"var(--{name})" for name in ("ink", "muted", "grid", "paper", "band")} | {
    colour: f"var(--series-{number})" for number, colour in enumerate(_STAND_INS.series)
}


def svg(panel: Panel) -> str:
    """The figure as an element for a page that defines the variables and `--font`."""
    out = io.StringIO()
    _draw(panel, _STAND_INS, out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"(font: [^;\"]*?px) [^;\"]*", r"\1 var(--font)", text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: var(--font)", text)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # would stand twice on a page of several figures
    element = f'<svg \\1 xmlns:xlink="http://www.w3.org/1999/xlink" role="img" aria-labelledby="{panel.slug}-title">'
    return re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', element, text, count=1)


def png(panel: Panel, file: Path) -> None:
    """The figure in light colours, 200 dots an inch."""
    _draw(panel, LIGHT, file, format="png", dpi=200, facecolor=LIGHT.paper)


def _draw(panel: Panel, theme: Theme, target: Any, **options: Any) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_settings(theme, panel.slug)):
        figure = Figure(figsize=(WIDTH, panel.height), layout="constrained")
        panel.draw(figure, theme)
        figure.savefig(target, **options)


def _settings(theme: Theme, salt: str) -> Any:
    """matplotlib's rcParams; `salt` makes the ids in an SVG depend on nothing else, so that the same data give the same
    file.
    """
    return {
        "svg.hashsalt": salt,
        "svg.fonttype": "none",
        "text.parse_math": False,  # a dollar in a run's name is a dollar
        "font.size": 9,
        "text.color": theme.ink,
        "axes.labelcolor": theme.muted,
        "axes.edgecolor": theme.grid,
        "axes.facecolor": "none",
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "axes.titlecolor": theme.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": theme.grid,
        "grid.linewidth": 0.6,
        "xtick.color": theme.grid,
        "ytick.color": theme.grid,
        "xtick.labelcolor": theme.muted,
        "ytick.labelcolor": theme.muted,
        "legend.facecolor": theme.paper,
        "legend.edgecolor": "none",
        "legend.framealpha": 0.85,
        "legend.fontsize": 8.5,
        "lines.linewidth": 1.8,
        "lines.markersize": 4.5,
    }
