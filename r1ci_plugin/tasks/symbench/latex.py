"""Comparing short exact answers written in LaTeX: numbers, fractions, roots, multiples of pi, tuples, sets, words.

Here is what surrounds values: spaces, units, boxes, brackets, percent signs, `x = `. Values are read by `exact.py`;
nothing is handed to a computer algebra system, whose parsers run the text they read. Left out: extracting an answer
from a longer text.
"""

from __future__ import annotations

import re
from collections.abc import Set
from fractions import Fraction

from r1ci_plugin.tasks.answers import Unparseable
from r1ci_plugin.tasks.symbench import exact
from r1ci_plugin.tasks.symbench.units import UNITS

MAX_CHARS = 200
_DECORATION = re.compile(
    r"\\left|\\right|\\!|\\,|\\;|\\ |\\?\$|\^\{?\\circ\}?|\\degree|°|"
    r"(?<![A-Za-z0-9])\s+|\s+(?![A-Za-z0-9])"
)
_WORDS_BEHIND = re.compile(r"(?<=[0-9)}i])(?:\s|\\[,; ])*\\(?:text|mathrm|mbox|textrm)\{([a-z .]*)\}(?:\^\{?[23]\}?)?")
"""Words in a command for text behind a value."""
_ROOT_SIGN = re.compile(r"√\s*([0-9]+(?:\.[0-9]+)?)")
_PYTHON_NAME = re.compile(r"(?<![\\A-Za-z])(sqrt|pi)(?![A-Za-z])")
_WORDS = re.compile(r"\\(?:text|mathrm|textbf)\{(.*)\}")
_BRACKETS = re.compile(r"(\(|\[|\\\{)(.*)(\)|\]|\\\})", re.DOTALL)
_THOUSANDS = re.compile(r"[^,]*[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])[^,]*")
_UNIT = re.compile(
    r"(?<=[0-9)}i])\s*(?:(?:square|sq|cubic)\.?\s*)?(?:units?|[ckm]?m|inch(?:es)?|feet|ft|degrees?|dollars?|ways)(?:\^\{?[23]\}?)?$"
)
_NAMED = re.compile(r"[A-Za-z]\s*=(?!.*=)")


def normalised(text: str, units: Set[str] | None = None) -> str:
    """Without what does not change the meaning: spaces, sizes of brackets, units in words, degree signs, dollar
    signs. Words other than `units` stay; all go without it, as is right for a truth, where they are units."""
    body = text.strip().removesuffix(".").replace("²", "^2").replace("³", "^3")
    boxed = re.fullmatch(r"\\boxed\{(.*)\}", body)
    body = _WORDS_BEHIND.sub(
        lambda words: "" if units is None or set(re.findall("[a-z]+", words[1])) <= units else words[0],
        boxed[1] if boxed else body,
    )
    body = _ROOT_SIGN.sub(r"\\sqrt{\1}", _DECORATION.sub("", body)).replace("√", "\\sqrt")
    body = body.replace("π", "\\pi").replace("−", "-").replace("{,}", ",")
    return _PYTHON_NAME.sub(r"\\\1", body.replace("dfrac", "frac").replace("tfrac", "frac"))


def same(truth: str, answer: str, units: Set[str] = UNITS) -> bool:
    """Whether the answer equals the truth; one of the units behind it, or of the words behind the truth, does not
    matter. Raises Unparseable for texts that cannot be short exact answers."""
    if len(answer) > MAX_CHARS:
        raise Unparseable(f"an exact answer of {len(answer)} characters")
    gold, got = normalised(truth), normalised(answer, units | set(re.findall("[a-z]+", truth)))
    if gold == got:
        return True
    if words := _WORDS.fullmatch(gold):
        said = _WORDS.fullmatch(got)
        return (said[1] if said else got).strip("() ").casefold() == words[1].strip("() ").casefold()
    if not got.isascii():
        raise Unparseable("not an exact value")
    if "=" not in gold and (name := _NAMED.match(got)):
        got = got[name.end() :]
    if not re.search(r"(?<![\\A-Za-z])[A-Za-z]", gold):
        got = _UNIT.sub("", got)
    return _equal_lists(gold, got)


def _equal_lists(gold: str, got: str) -> bool:
    """Tuples, intervals and lists value by value; sets in any order. Texts without brackets are lists of one."""
    (open_, items, close), (other_open, other_items, other_close) = _items(gold), _items(got)
    found = [_values(item) for item in other_items]
    try:
        wanted = [_values(item) for item in items]
    except Unparseable:  # a truth of another kind, which only equal texts meet
        return False
    if (open_, close, len(wanted)) != (other_open, other_close, len(found)):
        return False
    if open_ != "\\{":
        return all(_meet(one, other) for one, other in zip(wanted, found, strict=True))
    for one in wanted:
        match = next((other for other in found if _meet(one, other)), None)
        if match is None:
            return False
        found.remove(match)
    return True


def _items(text: str) -> tuple[str, list[str], str]:
    """Opening bracket, what the commas outside inner brackets part, and closing bracket."""
    match = _BRACKETS.fullmatch(text)
    body = match[2] if match else text
    pieces, depth = [""], 0
    for sign in body:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(sign, 0)
        if depth < 0:  # the outer brackets are no pair, as in (1)(2)
            return "", [text], ""
        if sign == "," and not depth and (match or not _THOUSANDS.fullmatch(text)):
            pieces.append("")
        else:
            pieces[-1] += sign
    if match and (len(pieces) > 1 or match[1] == "\\{"):
        return match[1], pieces, match[3]
    return ("", [text], "") if match else ("", pieces, "")


def _values(item: str) -> list[exact.Value]:
    """The readings of one value: a percentage may be meant as a number or as its hundredth."""
    body = item.removesuffix("%").removesuffix("\\")
    if re.search(r"(?<![\\A-Za-z])[A-Za-z]{3}|[0-9]\s+[0-9]", body):
        raise Unparseable("words have no place in an exact value")
    value = exact.read(body)
    hundredth = exact.quotient(value, exact.rational(100))
    return [value, hundredth] if body != item else [value]


def _meet(one: list[exact.Value], other: list[exact.Value]) -> bool:
    return any(value.equals(reading) for value in one for reading in other)


def fraction(value: Fraction | int) -> str:
    """An exact number: an integer, or \\frac in lowest terms."""
    value = Fraction(value)
    sign = "-" if value < 0 else ""
    return str(value) if value.denominator == 1 else f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def surd(square: Fraction | int, factor: Fraction | int = 1) -> str:
    """`factor` times the root of `square`, both positive, with the square factors pulled out of the root."""
    square, factor = Fraction(square), Fraction(factor)
    radicand = square.numerator * square.denominator
    factor /= square.denominator
    divisor = 2
    while divisor * divisor <= radicand:
        while radicand % (divisor * divisor) == 0:
            radicand //= divisor * divisor
            factor *= divisor
        divisor += 1
    return fraction(factor) if radicand == 1 else times(factor, f"\\sqrt{{{radicand}}}")


def times(factor: Fraction | int, unit: str) -> str:
    """A multiple of a unit such as \\pi or a root."""
    factor = Fraction(factor)
    if factor.denominator == 1:
        return unit if factor == 1 else f"{factor}{unit}"
    return f"\\frac{{{unit if factor.numerator == 1 else f'{factor.numerator}{unit}'}}}{{{factor.denominator}}}"
