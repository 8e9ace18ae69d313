"""Typed parsers for answer texts: from what a model wrote inside the marker to a value that can be compared exactly.

Every parser takes a stripped text and returns a value or raises `Unparseable` with a reason a person can read. They are
linear in the length of the text, never evaluate it, and read only ASCII digits (and the minus sign of typesetting as
minus): look-alikes are unparseable. Left out: what makes an answer right, which is each task's `check`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_DIGITS = 400
"""Longer numerals are refused before conversion, which is quadratic in their length."""

_INTEGER = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.0+)?")
_DECIMAL = re.compile(r"[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_FRACTION = re.compile(r"([+-]?[0-9]+)\s*/\s*([0-9]+)|([+-]?)\\[dt]?frac\{(-?[0-9]+)\}\{([0-9]+)\}")
_TIMES_TEN = re.compile(r"\s*(?:\\times|\\cdot|[*x×·])\s*10(?:\^|\*\*)[({]?([+-]?[0-9]{1,2})[)}]?$")
_OPTION = re.compile(r"\(?([A-Za-z])\)?[.:]?(?:\s+(.*))?", re.DOTALL)
_TYPESET = {"times": "*", "cdot": "*", "div": "/", "left": "", "right": ""}
_SIGNS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "÷": "/", "\N{MINUS SIGN}": "-"})
_INTEGER_KEY = re.compile(r"(?<=[{,])\s*([0-9]{1,9})\s*:")
_NUMBERED = re.compile(r"\A[0-9]{1,4}[.)]\s+")


class Unparseable(ValueError):
    """The answer text cannot be read as the kind of answer the question asks for."""


def integer(text: str) -> int:
    """`-1,024`, `+7`, `7.0` and `$7` are read; `7.5`, `1e3`, words and several numbers are not."""
    body = _plain_number(text)
    if not _INTEGER.fullmatch(body):
        raise Unparseable(f"not an integer: {_quote(text)}")
    return int(body.split(".")[0].replace(",", ""))


def rational(text: str) -> Fraction:
    """An integer, decimal, exponent form (two exponent digits at most, also `* 10^4`) or fraction (`a/b` or in LaTeX),
    as an exact value.
    """
    body = _TIMES_TEN.sub(r"e\1", _plain_number(text))
    if _DECIMAL.fullmatch(body):
        return Fraction(Decimal(body.replace(",", "")))
    match = _FRACTION.fullmatch(_without_thousands(body))
    if match:
        sign, top, bottom = ("", match[1], match[2]) if match[1] else match.groups()[2:]
        if int(bottom):
            return Fraction(int(top), int(bottom)) * (-1 if sign == "-" else 1)
    raise Unparseable(f"not a number: {_quote(text)}")


def plain_operators(text: str) -> str:
    """Typeset signs of arithmetic, of LaTeX or Unicode, as those of ASCII."""
    return re.sub(r"\\(times|cdot|div|left|right)(?![A-Za-z])", lambda sign: _TYPESET[sign[1]], text).translate(_SIGNS)


def label(text: str, labels: Sequence[str] | Mapping[str, str]) -> str:
    """One of a small set of labels, any case, with or without quotes and a final full stop.

    `labels` may map accepted spellings (lower case) to canonical labels.
    """
    accepted = labels if isinstance(labels, Mapping) else {name.lower(): name for name in labels}
    body = _bare(text).lower()
    if body not in accepted:
        raise Unparseable(f"not one of {', '.join(sorted(set(accepted.values())))}: {_quote(text)}")
    return accepted[body]


YES_NO: dict[str, str] = {"yes": "Yes", "no": "No"}
TRUE_FALSE: dict[str, str] = {"true": "True", "false": "False"}


def option(text: str, options: Mapping[str, str]) -> str:
    """The letter of a multiple-choice answer: `(B)`, `B`, `B.`, `(B) the text`, or the text of exactly one option.

    A letter next to the text of another option is a contradiction and unparseable. Keys of `options` are single capital
    letters.
    """
    body = _bare(text)
    by_text = [letter for letter, words in options.items() if _fold(words) == _fold(body)]
    if len(by_text) == 1:
        return by_text[0]
    match = _OPTION.fullmatch(body)
    if not match or match[1].upper() not in options:
        raise Unparseable(f"not one of the options {', '.join(options)}: {_quote(text)}")
    letter, words = match[1].upper(), match[2]
    if words and _fold(words) != _fold(options[letter]):
        raise Unparseable(f"the letter {letter} and the text {_quote(words)} do not belong together")
    return letter


def words(text: str) -> list[str]:
    """A sequence of words separated by spaces, commas or semicolons, or a list in brackets; quotes around items are
    dropped.
    """
    body = text.strip()
    if len(body) >= 2 and body[0] + body[-1] in ("[]", "()"):
        body = body[1:-1]
    items = re.split(r"[\s,;]+", body.strip())
    return [item.strip("\"'`") for item in items if item.strip("\"'`")]


def integers(text: str) -> list[int]:
    """A flat sequence of integers separated by spaces, commas, semicolons or line ends, in any or no brackets."""
    return [integer(item) for item in re.sub(r"[\[\](){},;]", " ", text).split()]


def grid(text: str) -> list[list[str]]:
    """Rows on lines (or in inner brackets), cells separated by spaces or commas; quotes around cells are dropped."""
    body = text.strip()
    if body.startswith("["):
        body = re.sub(r"\]\s*,?\s*\[", "\n", body).replace("[", " ").replace("]", " ")
    rows = [words(line) for line in body.splitlines()]
    return [row for row in rows if row]


def lines(text: str) -> list[str]:
    """Texts on lines of their own, numbered or not, or a JSON list of texts; empty ones are left out."""
    items = text.splitlines()
    if text.startswith("["):
        items = json_value(text)
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise Unparseable("not a list of texts")
    return [_NUMBERED.sub("", item.strip()) for item in items if item.strip()]


def json_value(text: str) -> Any:
    """A JSON value, or a Python one of lists, dicts, texts in single quotes and numbers. NaN, infinities, repeated
    keys, and nesting beyond what the parser bears are unparseable.
    """
    try:
        return _json(text)
    except Unparseable:
        if '"' in text or "\\" in text:
            raise
        return _json(_INTEGER_KEY.sub(r'"\1":', text.replace("'", '"')))


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=integer)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"not JSON: {error or type(error).__name__}") from None


def text(answer: str) -> str:
    """A verbatim text: one pair of matching quotes around it is dropped, nothing else."""
    body = answer.strip()
    if len(body) >= 2 and body[0] == body[-1] and body[0] in "\"'`":
        return body[1:-1]
    return body


MAX_LAYERS = 3
_FENCED = re.compile(r"```[a-z]*\n(.*)\n[ \t]*```", re.DOTALL)
_LAYERS = (
    *(("**", "**"), ("`", "`"), ('"', '"'), ("'", "'"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")),
    *((r"\boxed{", "}"), (r"\text{", "}"), ("", ".")),
)


def peeled(answer: str) -> Iterator[str]:
    """What remains of an answer without what typesets the whole of it, layer by layer: a fence, bold, quotes,
    backticks, LaTeX, a final full stop. For an answer that was not right as it stands."""
    body = answer.strip()
    for _ in range(MAX_LAYERS):
        inner = _without_layer(body)
        if not inner:
            return
        yield inner
        body = inner


def _without_layer(body: str) -> str:
    """Empty where nothing stands around the text, or nothing within."""
    if fenced := _FENCED.fullmatch(body):
        return fenced[1].strip()
    for opening, closing in _LAYERS:
        if len(body) > len(opening) + len(closing) and body.startswith(opening) and body.endswith(closing):
            return body[len(opening) : len(body) - len(closing)].strip()
    return ""


def _plain_number(text: str) -> str:
    body = _bare(text).removeprefix("$").strip()
    if len(body) > MAX_DIGITS:
        raise Unparseable(f"a number of {len(body)} characters")
    return body.replace("\N{MINUS SIGN}", "-")


def _without_thousands(body: str) -> str:
    return re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", "", body)


def _bare(answer: str) -> str:
    """Without a final full stop and one pair of matching quotes."""
    body = text(answer)
    return text(body.removesuffix(".")) if body.endswith(".") else body


def _fold(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip().rstrip(".").casefold()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Unparseable("a JSON object repeats a key")
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise Unparseable(f"{name} is not a value")


def _quote(text: str, limit: int = 60) -> str:
    return repr(text if len(text) <= limit else f"{text[: limit - 3]}...")
