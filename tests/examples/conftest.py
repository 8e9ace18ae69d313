"""The modules of examples/miniature, which are scripts beside each other and no package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "miniature"
NAMES = ("protocol", "pieces", "result", "analysis", "figures", "page", "shared", "training", "study", "commands")


@pytest.fixture(scope="session")
def miniature() -> Iterator[SimpleNamespace]:
    """By name, such as `miniature.analysis`."""
    sys.path.insert(0, str(FOLDER))
    try:
        modules: dict[str, ModuleType] = {name: importlib.import_module(name) for name in NAMES}
        yield SimpleNamespace(**modules)
    finally:
        sys.path.remove(str(FOLDER))
        for name in NAMES:
            sys.modules.pop(name, None)
