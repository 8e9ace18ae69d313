"""The browser that pages are tested in: what its fixture promises to the tests that use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def _write(folder: Path, body: str) -> Path:
    file = folder / "page.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><title>t</title>{body}", encoding="utf-8")
    return file


def test_a_page_is_read_typed_into_and_pictured(page: Any, tmp_path: Path) -> None:
    script = "document.onkeydown = (event) => { document.querySelector('p').textContent += event.key }"
    page.open(_write(tmp_path, f"<input><p>keys: </p><script>{script}</script>"), "#here")
    page.press("j", "Escape", "ArrowDown")
    assert page.texts("p") == ["keys: jEscapeArrowDown"]
    page.type("input", "ab")
    assert page.run("return document.querySelector('input').value + location.hash") == "ab#here"
    page.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_errors_of_a_page_are_seen(page: Any, tmp_path: Path) -> None:
    page.open(_write(tmp_path, "<script>setTimeout(() => nothing.here)</script><img src='missing.png'>"))
    page.wait("return document.readyState === 'complete'")
    errors = " ".join(page.errors())
    assert "nothing is not defined" in errors and "missing.png" in errors
    assert [address.rpartition("/")[2] for address in page.requests()] == ["missing.png"]


def test_a_page_sees_the_colour_scheme_that_is_asked_for(page: Any, tmp_path: Path) -> None:
    page.open(_write(tmp_path, ""))
    dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
    assert page.run(dark) is False
    page.scheme("dark")
    assert page.run(dark) is True


@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_without_a_browser_tests_skip_or_fail_where_one_is_required(
    tmp_path: Path, required: str, outcome: str
) -> None:
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_page.py").write_text("def test_page(page):\n    pass\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "test_page.py"]
    environment = {"PATH": "/nonexistent", "PYTHONPATH": ":".join(sys.path), "R1CI_REQUIRE_BROWSER": required}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert outcome in done.stdout
    assert "install chromium" in done.stdout
