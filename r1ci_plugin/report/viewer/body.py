"""One record as the browser shows it whole: its turns cut into words, code, other blocks and the answer.

The interaction format is read here, by `protocol.py`, so that the page needs no reader of its own. Lengths are in
UTF-16 code units, as a browser counts. Left out: what lists and filters need (`row.py`), blocks (`pack.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from r1ci_plugin.protocol import RESULT_PREFIX, Fence, fences, parse_turn, render_result
from r1ci_plugin.record import Record
from r1ci_plugin.report.viewer.tokens import Boundaries, units
from r1ci_plugin.trajectory import CodeCall, Turn

Segment = tuple[str, int]
"""Kind and length of a stretch of a turn's text: `words`, `fence`, `python`, `block` or `answer`."""
_Cut = tuple[str, int, int]
"""Kind, start and end of a stretch, in characters."""


def body_of(record: Record, boundaries: Boundaries | None) -> dict[str, Any]:
    """JSON-able. With boundaries, texts that have ids also have `lengths`, one for each id."""
    trajectory, question = record.trajectory, record.question
    has_ids = trajectory.transport == "tokens"
    answers = [*[None] * (len(trajectory.turns) - 1), trajectory.answer]
    body: dict[str, Any] = {
        "key": record.key,
        "question": question.to_dict(),
        "question_id": question.question_id,
        "verdict": asdict(record.verdict) if record.verdict is not None else None,
        "usage": asdict(record.usage),
        "notes": [asdict(note) for note in record.notes],
        "training": asdict(record.training) if record.training is not None else None,
        "turns": [
            _turn(turn, answer, boundaries, has_ids=has_ids)
            for turn, answer in zip(trajectory.turns, answers, strict=False)
        ],
        "outcome": trajectory.outcome,
        "answer": trajectory.answer,
        "reason": trajectory.reason,
        "transport": trajectory.transport,
        "prompt_tokens": len(trajectory.prompt_ids) if has_ids else 0,
    }
    if boundaries is not None and body["prompt_tokens"]:
        prompt = boundaries.decode(trajectory.prompt_ids)
        body["prompt"] = _with_lengths({"text": prompt, "ids": trajectory.prompt_ids}, prompt, boundaries)
    return body


def segments(text: str, answer: str | None) -> list[Segment]:
    """A turn's text cut into stretches that cover it. The last marker outside fences that holds `answer` is one."""
    blocks = fences(text)
    starts = [0, *(block.end for block in blocks)]
    ends = [*(block.start for block in blocks), len(text)]
    gaps = list(zip(starts, ends, strict=True))
    marked = _marker(text, answer, gaps)
    cuts = _words(*gaps[0], marked)
    for block, gap in zip(blocks, gaps[1:], strict=True):
        cuts += [*_block(text, block), *_words(*gap, marked)]
    return [(kind, units(text[start:end])) for kind, start, end in cuts if end > start]


def _turn(turn: Turn, answer: str | None, boundaries: Boundaries | None, *, has_ids: bool) -> dict[str, Any]:
    parsed = parse_turn(turn.text)
    shown: dict[str, Any] = {"text": turn.text, "segments": segments(turn.text, answer)}
    if parsed.imitates_result:
        shown["imitates_result"] = True
    if parsed.open_block:
        shown["open_block"] = True
    if has_ids:
        shown["ids"] = turn.ids
    if has_ids and boundaries is not None:
        shown["end"] = boundaries.decode(turn.ids).removeprefix(turn.text)
        shown = _with_lengths(shown, turn.text + shown["end"], boundaries)
    if turn.call is not None:
        shown["call"] = _call(turn.call, boundaries if has_ids else None)
    return shown


def _call(call: CodeCall, boundaries: Boundaries | None) -> dict[str, Any]:
    """`shown` is the result as the policy read it, or would have; `inserted_text` is what stands in the context."""
    data: dict[str, Any] = {"code": call.code, "inserted_text": call.inserted_text}
    if call.result is not None:
        data["result"] = call.result.to_dict()
        _, found, body = call.inserted_text.partition(f"{RESULT_PREFIX}\n")
        failed = call.result.is_infrastructure_failure
        data["shown"] = body.rstrip("\n") if found else "" if failed else render_result(call.result)
    if boundaries is not None and call.inserted_ids:
        data = _with_lengths({**data, "ids": call.inserted_ids}, call.inserted_text, boundaries)
    return data


def _with_lengths(data: dict[str, Any], text: str, boundaries: Boundaries) -> dict[str, Any]:
    """`data`, which holds the ids of `text`, with the length of each; without where they are no spelling of it."""
    lengths = boundaries.lengths(data["ids"], text)
    return {**data, "lengths": lengths} if lengths is not None else data


def _marker(text: str, answer: str | None, gaps: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    if answer is None:
        return None
    pattern = re.compile(rf"<<<\s*{re.escape(answer)}\s*>>>")
    found = [match.span() for gap in gaps for match in pattern.finditer(text, *gap)]
    return found[-1] if found else None


def _words(start: int, end: int, marked: tuple[int, int] | None) -> list[_Cut]:
    if marked is None or not start <= marked[0] < end:
        return [("words", start, end)]
    return [("words", start, marked[0]), ("answer", *marked), ("words", marked[1], end)]


def _block(text: str, block: Fence) -> list[_Cut]:
    """The opening line, what is between, and the closing line."""
    opened = min(text.find("\n", block.start) + 1 or block.end, block.end)
    closing = max(opened, text.rfind("\n", opened, block.end - 1) + 1) if block.closed else block.end
    kind = "python" if block.is_python else "block"
    return [("fence", block.start, opened), (kind, opened, closing), ("fence", closing, block.end)]
