"""Where the scripts are kept by task, and how they take operands from a prompt. Left out: the scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

Script = Callable[[str], str]
SCRIPTS: dict[str, Script] = {}
"""Task name to the function that writes its script."""


def script(*names: str) -> Callable[[Script], Script]:
    """Declare the script of one task, or of several that ask alike."""

    def add(function: Script) -> Script:
        SCRIPTS.update(dict.fromkeys(names, function))
        return function

    return add


def find(pattern: str, prompt: str) -> tuple[str, ...]:
    """The groups of a pattern that the prompt must contain. Raises ValueError if a prompt was reworded without its
    script.
    """
    match = re.search(pattern, prompt, re.DOTALL)
    if not match:
        raise ValueError(f"the prompt does not match {pattern!r}: {prompt[:80]!r}")
    return match.groups()


def rows(text: str) -> str:
    """A block of lines as the literal of a text over several lines, to be split by the script."""
    return f'"""{text.strip()}"""'
