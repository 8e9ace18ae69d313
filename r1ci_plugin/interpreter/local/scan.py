"""Which warm template suits a snippet, by its imports. A wrong guess costs time, never correctness.

A fork costs more the larger the template is, so the smallest one that has what the snippet imports is chosen. The
text is only searched: parsing hostile text could exhaust the process that does it. For the same reason no two parts of
a pattern that follow each other may match the same characters: the search would take the square of the text's length.
"""

from __future__ import annotations

import re

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\w+)(?:\.[\w.]*)?[ \t]+import\b|import[ \t]+([^\n#;]+))", re.MULTILINE)
_INLINE = re.compile(r"[;:][ \t]*(?:from|import)[ \t]+(\w+)|(?:__import__|import_module)\([ \t]*['\"](\w+)")
_LARGE = frozenset({"scipy", "sympy", "networkx", "mpmath"})
_SEARCHED = 64 << 10


def template_for(code: str) -> str:
    """`stdlib`, `numpy`, or `full`."""
    head = code[:_SEARCHED]
    names = {word for pair in _INLINE.findall(head) for word in pair if word}
    for source, listed in _IMPORT.findall(head):
        names |= (
            {source} if source else {part.strip().partition(" ")[0].partition(".")[0] for part in listed.split(",")}
        )
    if names & _LARGE:
        return "full"
    return "numpy" if "numpy" in names else "stdlib"
