"""The HTML file around the packed records: template, scripts and style in one, under a policy that forbids the rest.

The content policy names the one script and the one style by their hashes and allows nothing else: no other script, no
address to load from or send to, no text parsed as HTML. So even a mistake in the scripts could not run what a model
wrote. Left out: what the scripts do (`assets/viewer`).
"""

from __future__ import annotations

import base64
import hashlib
import os
from importlib import resources
from pathlib import Path

from r1ci_plugin import __version__
from r1ci_plugin.report.viewer.pack import Packed

SCRIPTS = (
    "dom.js",
    "icons.js",
    "words.js",
    "store.js",
    "filters.js",
    "link.js",
    "highlight.js",
    "spans.js",
    "turns.js",
    "detail.js",
    "group.js",
    "facets.js",
    "list.js",
    "search.js",
    "keys.js",
    "main.js",
)
"""In the order in which they read each other's names; together they are one script."""
STYLES = (
    "colours.css",
    "base.css",
    "layout.css",
    "facets.css",
    "list.css",
    "detail.css",
    "turns.css",
    "spans.css",
    "group.css",
)


def write_page(file: Path, packed: Packed, *, title: str) -> None:
    """Write the page; a file that is there stays whole until the new one is. Needs jinja2 (extra `report`)."""
    from jinja2 import Environment
    from markupsafe import Markup

    style = "\n".join(map(_asset, STYLES))
    script = '"use strict";\n(() => {\n' + "\n".join(map(_asset, SCRIPTS)) + "\n})();\n"
    for text, end in ((style, "</style"), (script, "</script"), (script, "<!--")):
        if end in text:
            raise ValueError(f"an asset of the viewer holds {end!r}, which would end its element")
    template = Environment(autoescape=True).from_string(_asset("viewer.html.j2"))
    stream = template.stream(
        title=title,
        version=__version__,
        policy=content_policy(script, style),
        style=Markup(style),  # the package's own files
        script=Markup(script),
        packed=packed,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("wb") as out:
        stream.dump(out, encoding="utf-8", errors="replace")
    os.replace(partial, file)


def content_policy(script: str, style: str) -> str:
    """The content security policy that allows these two texts and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return (resources.files("r1ci_plugin") / "assets" / "viewer" / name).read_text(encoding="utf-8")
