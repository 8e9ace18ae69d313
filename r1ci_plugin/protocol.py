"""The interaction format: the words around a question, what counts in a sampled turn, how an execution result is shown.

    user:       head prompt + question
    assistant:  words ... ```python\n code \n```\n            <- sampled: one turn
                Code Execution Results:\n output \n\n          <- inserted: the result of the turn's code call
                words ... <<<answer>>>                         <- sampled: the final turn

A turn is read from *sampled* text alone, so nothing that code prints can open a block, imitate a result or give an
answer. Everything here is a pure function of text; the order of events is `trajectory.py`, tokens are `codec.py`. Bump
`PROTOCOL` whenever the same question or result would be rendered to other text: data built under another version is
refused.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from r1ci_plugin.interpreter.executor import ExecResult

PROTOCOL = "r1ci/1"

ANSWER_PLACEHOLDER = "your answer"
"""What stands in the marker in the head prompt: an echo of it is no answer."""

HEAD_PROMPT = f"""\
Work out the answer to the question below, step by step.
You can think in words, and you can let Python compute: write one complete script in a block that opens with a line \
```python and closes with a line ```. The script has to print what you want to know. Its output is then given to you \
behind "Code Execution Results:", and you go on from there. You may run up to 8 scripts; every script starts afresh.
Use words where words are enough, and code where it computes, searches or checks better.
When you are sure, write the final answer, and nothing but it, in this marker: <<<{ANSWER_PLACEHOLDER}>>>

Question:
"""

STOP = "```\n"
"""Generation stops behind this string, kept in the output. (A bare fence would stop at the *opening* line.)"""

RESULT_PREFIX = "Code Execution Results:"
NO_OUTPUT = "(The script ran and printed nothing.)"

_FENCE_LINE = re.compile(r"^(?P<indent>[ \t]*)`{3,}(?:(?P<label>[^`<>\n]*)$|(?=>{3}))", re.MULTILINE)
"""The second form, ```>>>, ends a marker with the fence in it."""
_OPEN_RUN = re.compile(r"<{3,}")
_CLOSE_RUN = re.compile(r">{3,}")


def render_prompt(question: str) -> str:
    """The content of the user message for a bare question."""
    return HEAD_PROMPT + question.strip()


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block of a text. Offsets are in characters."""

    language: str
    """All that stands behind the opening backticks: only exactly `python` is a code block."""
    body: str
    """The lines between, without the indent of the opening line."""
    start: int
    end: int
    """Behind the closing line and its line end; the length of the text if the block is open."""
    closed: bool

    @property
    def is_python(self) -> bool:
        return self.language == "python"


@dataclass(frozen=True, slots=True)
class ParsedTurn:
    """What counts in the sampled text of one turn."""

    code: str | None
    """The first complete Python block, None if there is none."""
    code_end: int
    """Offset behind that block's closing line, 0 without code."""
    markers: tuple[str, ...]
    """Non-empty answers in markers outside fences, which may hold a fence; an echo of the placeholder is as good as
    empty."""
    python_blocks: int
    """Complete Python blocks."""
    open_block: bool
    """The text ends inside a Python block."""
    imitates_result: bool
    """The text writes the words before an execution result itself, anywhere but in a Python block."""

    @property
    def answer(self) -> str | None:
        return self.markers[-1] if self.markers else None


def parse_turn(text: str) -> ParsedTurn:
    """Read one turn's sampled text (without its end-of-text token)."""
    blocks = fences(text)
    python = [block for block in blocks if block.is_python]
    complete = [block for block in python if block.closed]
    return ParsedTurn(
        code=complete[0].body if complete else None,
        code_end=complete[0].end if complete else 0,
        markers=tuple(answer for answer in _answers(text, blocks) if not _is_empty(answer)),
        python_blocks=len(complete),
        open_block=len(python) > len(complete),
        imitates_result=RESULT_PREFIX in outside(text, python),
    )


def fences(text: str) -> list[Fence]:
    """All fenced blocks in order.

    A block is opened by a line of three or more backticks and a language or none, and closed by a line of only
    backticks. One that is no script may also be closed by ```>>>, which ends a marker as well. A block that stands
    indented, as in a list, is closed at its own indent or left of it; so backticks further right, as in the docstrings
    of a script, close nothing. Backticks in the middle of a line and `~~~` are plain text.
    Lines may end with \\r\\n.
    """
    found: list[Fence] = []
    opening: re.Match[str] | None = None
    for line in _FENCE_LINE.finditer(text):
        if opening is None:
            opening = None if line["label"] is None else line
        elif _closes(line, opening):
            found.append(_fence(text, opening, line))
            opening = None
    if opening is not None:
        found.append(_fence(text, opening, None))
    return found


def outside(text: str, blocks: list[Fence], filler: str = "") -> str:
    """The text without the blocks, or with a filler for each of their characters."""
    kept, position = [], 0
    for block in blocks:
        kept += [text[position : block.start], filler * (block.end - block.start)]
        position = block.end
    return "".join([*kept, text[position:]])


def markers(text: str) -> list[str]:
    """Contents of all `<<<...>>>`, stripped, in order.

    A marker begins with the first three of a run of `<` and ends with the last three of a run of `>`, so that answers
    may themselves begin with `<` or end with `>` (bracket sequences do) and may hold `<<` or `>`. Where a run of three
    or more stands inside an answer, the innermost marker counts: a stray `<<<` in the words before does not swallow the
    answer. Answers may span lines.
    """
    return [text[start:end].strip() for start, end in _marked(text)]


def render_result(result: ExecResult) -> str:
    """What the model reads of an execution result, without prefix. A failure of the infrastructure has no words."""
    if result.is_infrastructure_failure:
        raise ValueError("an infrastructure failure is not shown to the model: the trajectory is lost")
    parts = [part.strip("\n") for part in (result.stdout, result.stderr, _ending(result)) if part.strip()]
    return "\n".join(parts) or NO_OUTPUT


def frame_result(body: str, *, after: str) -> str:
    """The inserted text for a rendered result, behind the sampled text `after`, which may lack its line end."""
    return f"{'' if after.endswith(chr(10)) else chr(10)}{RESULT_PREFIX}\n{body}\n\n"


def cut_notice(left_out: int) -> str:
    """Stands where the middle of a long result was cut; `left_out` is in characters."""
    return f"\n[... {left_out} characters of output left out ...]\n"


def _ending(result: ExecResult) -> str:
    """One sentence on how a script ended, where output and traceback do not say it."""
    sentences = {
        "timeout": f"TimeoutExpired: the script was stopped after {result.run_s:.0f} seconds.",
        "memory": "MemoryError: the script was stopped because it used too much memory.",
        "output_limit": "The script was stopped because it printed too much.",
        "disk_limit": "The script was stopped because it wrote too much to disk.",
        "killed": f"The script was stopped by signal {result.signal}.",
        "rejected": f"The script was not run: {result.reason}.",
    }
    silent_failure = f"The script ended with exit code {result.exit_code}."
    if result.status == "error" and not result.stderr.strip():
        return silent_failure
    return sentences.get(result.status, "")


def _closes(line: re.Match[str], opening: re.Match[str]) -> bool:
    if len(line["indent"]) > len(opening["indent"]):
        return False
    if line["label"] is None:  # ```>>>
        return bool(opening["label"].strip() != "python")
    return not line["label"].strip()


def _fence(text: str, opening: re.Match[str], closing: re.Match[str] | None) -> Fence:
    body = text[opening.end() + 1 : closing.start() if closing else len(text)]
    if opening["indent"]:
        body = re.sub(f"^{opening['indent']}", "", body, flags=re.MULTILINE)
    end = closing.end() if closing else len(text)
    if text.startswith("\n", end):
        end += 1
    return Fence(opening["label"].strip(), body, opening.start(), end, closing is not None)


def _marked(text: str) -> Iterator[tuple[int, int]]:
    """Where the contents of markers start and end."""
    position = 0
    while close := _CLOSE_RUN.search(text, position):
        openings = [run.start() for run in _OPEN_RUN.finditer(text, position, close.start())]
        if openings:
            yield openings[-1] + 3, close.end() - 3
        position = close.end()


def _answers(text: str, blocks: list[Fence]) -> list[str]:
    """Contents of markers that stand outside fences. A grid or a list may stand in a fence of its own within the
    marker, a script may not."""
    scripts = [block.start for block in blocks if block.is_python]
    return [
        text[start:end].strip()
        for start, end in _marked(outside(text, blocks, filler=" "))
        if bisect_left(scripts, start) == bisect_left(scripts, end)
    ]


def _is_empty(answer: str) -> bool:
    return answer.casefold() in ("", ANSWER_PLACEHOLDER)
