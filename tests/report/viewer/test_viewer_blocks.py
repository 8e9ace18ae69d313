"""What the page holds of a record: nothing of its text is lost, cut wrongly, or able to leave its block."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.protocol import fences, parse_turn
from r1ci_plugin.record import TrainingFacts
from r1ci_plugin.report.viewer import pack
from r1ci_plugin.report.viewer.body import body_of, segments
from r1ci_plugin.report.viewer.pack import CHUNK_CHARS
from r1ci_plugin.report.viewer.row import row_of
from r1ci_plugin.report.viewer.tokens import Boundaries, units
from r1ci_plugin.tasks import Verdict

MAKE_TEXT = st.lists(
    st.sampled_from(
        [
            "```python\n",
            "```\n",
            "```json\n",
            "  ```\n",
            "print(1)\n",
            "words",
            "\n",
            "<<<4>>>",
            "<<<",
            "\U0001f40d",
            "\r\n",
        ]
    )
).map("".join)


def _opened(block: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(block)))


def _pieces(text: str, cuts: list[tuple[str, int]]) -> list[tuple[str, str]]:
    """The stretches, cut as a browser cuts: in UTF-16."""
    data, place, pieces = text.encode("utf-16-le", "surrogatepass"), 0, []
    for kind, length in cuts:
        pieces.append((kind, data[2 * place : 2 * (place + length)].decode("utf-16-le", "surrogatepass")))
        place += length
    return pieces


@given(MAKE_TEXT)
def test_segments_cover_a_turn_and_agree_with_the_protocol(text: str) -> None:
    answer = parse_turn(text).answer
    pieces = _pieces(text, segments(text, answer))
    assert "".join(piece for _, piece in pieces) == text
    blocks = [block.body for block in fences(text) if block.is_python and "\n" not in block.body.rstrip("\n")]
    python = [piece.strip() for kind, piece in pieces if kind == "python"]
    assert all(body.strip() in python for body in blocks if body.strip())
    assert [kind for kind, _ in pieces].count("answer") == (answer is not None)


def test_a_turn_is_cut_into_words_code_and_answer() -> None:
    text = "I think.\n```python\nprint(1)\n```\nSo <<< 1 >>> it is."
    assert _pieces(text, segments(text, "1")) == [
        ("words", "I think.\n"), ("fence", "```python\n"), ("python", "print(1)\n"), ("fence", "```\n"),
        ("words", "So "), ("answer", "<<< 1 >>>"), ("words", " it is."),
    ]  # fmt: skip


BYTES = Boundaries(lambda ids: bytes(ids).decode("utf-8", "replace"))


@given(st.text())
def test_every_token_has_its_length_and_together_they_are_the_text(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    lengths = BYTES.lengths(list(text.encode()), text)
    assert lengths is not None and len(lengths) == len(text.encode())
    assert [length for length in lengths if length] == [units(character) for character in text]


def test_ids_of_another_tokenizer_give_no_boundaries() -> None:
    assert BYTES.lengths(list(b"hello"), "hellO") is None
    assert BYTES.lengths(list(b"hell"), "hello") is None


def test_a_body_shows_the_result_as_the_policy_read_it(make_record: Callable[..., Any]) -> None:
    body = body_of(make_record(), Boundaries(lambda ids: "".join(map(chr, ids))))
    call = body["turns"][0]["call"]
    assert call["shown"] == "42" and call["result"]["isolation"] == "ns"
    assert sum(call["lengths"]) == units(call["inserted_text"])
    assert body["prompt"]["text"] == "AB"


def test_records_survive_packing_in_order_over_many_chunks(make_record: Callable[..., Any]) -> None:
    records = [make_record(number, prompt="x" * (CHUNK_CHARS // 3) + str(number)) for number in range(10)]
    packed = pack(records)
    index, chunks = _opened(packed.index), [_opened(chunk) for chunk in packed.chunks]
    assert index["count"] == packed.trajectories == 10
    assert [body["key"] for chunk in chunks for body in chunk] == index["columns"]["key"]
    assert [len(chunk) for chunk in chunks][:3] == [3, 3, 3] and index["starts"] == [0, 3, 6, 9]


def test_keys_that_meet_in_one_page_are_told_apart(make_record: Callable[..., Any]) -> None:
    assert _opened(pack([make_record(1), make_record(1)]).index)["columns"]["key"] == ["key-1", "key-1 (2)"]


def test_blocks_hold_nothing_that_could_end_them(make_record: Callable[..., Any]) -> None:
    packed = pack([make_record(texts=("</script><!-- \ud800 \0",), training=TrainingFacts(1, 1, "g", float("nan")))])
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]+", block) for block in (packed.index, *packed.chunks))
    body = _opened(packed.chunks[0])[0]
    assert body["turns"][0]["text"] == "</script><!-- \ud800 \0"
    assert body["training"]["reward"] is None


def test_a_lost_trajectory_has_no_verdict_in_the_list(make_record: Callable[..., Any]) -> None:
    record = make_record(outcome="lost", verdict=None)
    assert row_of(record)["verdict"] == "lost"
    assert row_of(replace(make_record(), verdict=Verdict.wrong("no")))["verdict"] == "wrong"
