"""What a policy, a script or a file name says is shown and never runs, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.record import Note, Record, TrainingFacts
from r1ci_plugin.report.viewer import pack, write_page
from r1ci_plugin.report.viewer.page import SCRIPTS
from r1ci_plugin.tasks import Verdict

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "</textarea></style><svg onload=\"document.title='owned'\">",
    "<!--<script>",
    "<a href=\"javascript:document.title='owned'\">link</a>",
    "javascript:document.title='owned'",
    "{{ 7 * 7 }} {% raw %} ${document.title='owned'} `",
    "\u202e fdp.exe \u2066hidden\u2069",
    "nul \0 bell \x07 escape \x1b[31m",
    "half \ud800 of a pair",
    "__proto__ constructor hasOwnProperty",
    "]]> &lt;b&gt; &amp; %3Cscript%3E",
)


def _saying(text: str, make_record: Callable[..., Record]) -> Record:
    """A record that says it everywhere. (A question is our own text: it is well-formed Unicode.)"""
    own = text.encode("utf-8", "replace").decode()
    code = f"{text}\n```python\nprint('''{text}''')\n```\n"
    result = ExecResult("error", stdout=text, stderr=text, isolation=text, backend=text, endpoint=text, reason=text)
    return make_record(
        texts=(code, f"```{text}\n{text}\n```\n<<<{text}>>>"), results=(result,), answer=text, key=text, agent=text,
        task=f"{own}/{own}", prompt=own, policy=text, form=text, verdict=Verdict.wrong(text),
        notes=(Note(text, text),), training=TrainingFacts(1, 1, text, 0.5, {text: 1.0}, 0.5),
    )  # fmt: skip


@pytest.mark.parametrize("fragment", ["", "#view=group&colour=mask"])
def test_hostile_text_is_shown_and_does_not_run(
    page: Any, tmp_path: Path, make_record: Callable[..., Record], fragment: str
) -> None:
    file = tmp_path / "view.html"
    write_page(file, pack(_saying(text, make_record) for text in HOSTILE), title=HOSTILE[1])
    page.open(file, fragment)
    title = page.run("return document.title")
    assert title.startswith(HOSTILE[1])
    for text in HOSTILE:
        plain = max(re.split(r"[^\x20-\x7e]", text), key=len)
        page.wait("return document.querySelector('#detail .turn')?.textContent.includes(arguments[0])", plain)
        assert page.run("return document.querySelectorAll('img, iframe, a, object, [onerror], [onload]').length") == 0
        page.press("j")
    assert page.run("return document.querySelectorAll('script').length") == 3  # a chunk, the index, the page's own
    page.press("m", "Home", "g", "j")
    page.type("#search", "owned")
    page.wait("return location.hash.includes('q=owned') && document.querySelector('#progress').hidden")
    assert page.run("return document.title") == title
    assert page.requests() == []
    assert page.errors() == []


def test_characters_that_hide_or_reorder_text_are_drawn(
    page: Any, tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    write_page(
        tmp_path / "view.html", pack([make_record(texts=("a\u202eb\0c\u200bd",), results=(), answer=None)]), title="t"
    )
    page.open(tmp_path / "view.html")
    page.wait("return document.querySelector('#detail .turn') !== null")
    assert page.texts(".turn .hidden-character") == ["RLO", "00", "ZWSP"]


def test_huge_texts_show_their_ends_until_asked(page: Any, tmp_path: Path, make_record: Callable[..., Record]) -> None:
    text = "begin" + "x" * 200_000 + "end"
    write_page(tmp_path / "view.html", pack([make_record(texts=(text,), results=(), answer=None)]), title="t")
    page.open(tmp_path / "view.html")
    page.wait("return document.querySelector('.turn .more') !== null")
    length = "return document.querySelector('.turn .words').textContent.length"
    assert page.run(length) < 25_000
    assert page.texts(".turn .more") == ["show 180,008 more characters"]
    page.click(".turn .more")
    assert page.run(length) == len(text)


@pytest.mark.parametrize(
    "attack",
    [
        "const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.body.append(s)",
        "document.body.innerHTML = '<img src=x onerror=\"document.title = 1\">'",
        "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
        "return fetch('data:text/plain,x')",
        "const i = new Image(); i.src = 'https://example.com/' + document.title; document.body.append(i)",
    ],
)
def test_the_content_policy_stops_what_a_mistake_in_the_scripts_would_let_through(
    page: Any, tmp_path: Path, make_record: Callable[..., Record], attack: str
) -> None:
    write_page(tmp_path / "view.html", pack([make_record()]), title="t")
    page.open(tmp_path / "view.html")
    page.wait("return document.querySelector('#detail .turn') !== null")
    script = (
        "document.addEventListener('securitypolicyviolation', () => { window.stopped = true });"
        f"try {{ await (async () => {{ {attack} }})() }} catch (error) {{ window.stopped = true }}"
    )
    page.run(f"(async () => {{ {script} }})()")
    page.wait("return window.stopped === true")
    assert page.run("return document.title").startswith("t ")
    assert page.errors()


def test_the_scripts_have_no_way_to_parse_or_run_text() -> None:
    import r1ci_plugin

    folder = Path(r1ci_plugin.__file__).parent / "assets" / "viewer"
    assert {file.name for file in folder.glob("*.js")} == set(SCRIPTS)
    for file in folder.glob("*.js"):
        text = file.read_text(encoding="utf-8")
        for way in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "fetch(",
        ):
            assert way not in text, f"{file.name} uses {way}"
