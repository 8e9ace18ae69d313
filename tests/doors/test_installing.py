"""Messages name an installation that finds this package and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from r1ci_plugin import installing

ROOT = Path(__file__).parents[2]


def test_a_checkout_is_installed_from_where_it_lies() -> None:
    assert installing.install("train") == f"pip install -e '{ROOT}[train]'"
    assert installing.install_again().endswith(f"-e '{ROOT}'")


def test_a_wheel_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installing, "__file__", str(tmp_path / "site-packages" / "r1ci_plugin" / "installing.py"))
    assert installing.install("gpu") == "pip install 'r1ci_plugin[gpu]'"


def test_no_text_names_the_package_alone() -> None:
    """It is on no index: pip would find nothing, or what somebody else has put there."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "r1ci_plugin").rglob("*.py")]
    alone = re.compile(r"pip install (-\S+ )*['\"]?r1ci_plugin")
    named = [file.name for file in files if alone.search(file.read_text(encoding="utf-8"))]
    assert named == ["installing.py"]
