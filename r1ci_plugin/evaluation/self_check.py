"""Finds code calls that test a candidate answer found earlier, by rules on words, code and results.

The paper had such calls judged by a language model (its figure on self-checking); this is an offline stand-in. A call
counts if there was something to test, an earlier result or a statement in the words, and if enough speaks for a test:
what the words announce, what the code compares, how the result reads, what the words after it conclude. How often
that is right is measured on trajectories written for the purpose: docs/behaviour.md. Code is matched, never parsed or
run, by patterns that take time in proportion to its length. Left out: other measures (`behaviour.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from r1ci_plugin.protocol import fences
from r1ci_plugin.trajectory import Trajectory, Turn

THRESHOLD = 4
"""Points a call needs, of those of `points`."""
SHOWN_AFTER = 160
"""Characters after a result that are read as its conclusion."""
SHOWN_OUTPUT = 4_000
"""Characters of a result that are read."""

_ANNOUNCED = re.compile(
    r"""\b(?:
    (?:double-?|re-?|cross-?)?check\w* | verif\w+ | confirm\w* | validat\w+ | plug\w* | substitut\w+ | replay\w*
    | recount\w* | the\ only | unique\w* | compar\w+
    | agree\w* | consistent | independent(?:ly)? | backwards | make\ sure | to\ be\ (?:sure|safe)
    | see\ (?:if|whether) | does\ (?:it|this|that|\w+)\ (?:hold|agree|work|match)
    | (?:put|insert|read|decode|multiply|encode|expand|convert|revers|rotat|go|tak)\w*\ (?:\w+\ ){0,3}?back
    | (?:decode|expand|parse|evaluate|test|run|score|simulate|execute|walk|apply|count)
        \ (?:it|this|that|these|them|my|each)
    | test\w*\ (?:the|for|whether|if|by)
    | (?:must|should)\ (?:give|return|equal|agree|come\ out|say\ the\ same|be\ (?:equal|the\ same|true|zero|0\b))
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words before a call that announce a test."""
_CONCLUDED = re.compile(
    r"""\b(?:
    agrees? | matche?s | confirm(?:s|ed) | verified | consistent | valid | legal | correct | as\ (?:well|expected) | too
    | indeed | holds? | fits? | same | no\ (?:conflict|difference|clash|contradiction)s? | satisf\w+ | missing
    | both | the\ (?:given|input|original|start) | (?:is|are)\ (?:right|wrong|fine|good)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words after a result that say how a test came out."""
_STATED = re.compile(
    r"<<<|[=:]|\b(?:so|hence|thus|therefore|answer|guess|plan|gives?|believe|say|think|must|is|are)\b", re.IGNORECASE
)
"""Words that state something a call could test."""

_TESTS = re.compile(
    r"""^[ \t]*(?:assert|raise)\b
    | print\((?![^\n]{0,300}\bif\b)[^\n]{0,300}?(?:==|!=|<=|>=|\ [<>]\ |\bis\b|\bnot\b|\ball\(|\bany\()
    | \b(?:isclose|allclose|array_equal)\(
    | ["'][^"'\n]*\b(?:ok|valid|legal|correct|right|wrong|match\w*|differ\w*|agree\w*|conflict\w*|clash\w*|consistent
        |contradiction|broken|illegal|expected|fits?|satisfied|confirmed|duplicate\w*)\b""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
"""Code that ends in a judgement: an assertion, a comparison that is printed, a message on how it went."""
_VERDICT = re.compile(r"^(?:.*\b(?:True|False)\b.*|ok\b.*|0(?:\.0)?|\[\]|set\(\)|\{\})$", re.MULTILINE)
"""A line of a result that reads like one."""
_OPERATES = re.compile(r"\b(?:for|while|if|def|lambda|assert|and|or|not|is|in)\b|[-+*/%<>]|[=!]=|\b(?!print\b)\w+\(")
"""Code that does more than to print what stands in it."""

_STRING = re.compile(r"(?<!\\)([\"'])((?:\\.|(?!\1)[^\\\n])*)\1")
_PLAIN_STRING = re.compile(rf"(?<![fF]){_STRING.pattern}")
_COMMENT = re.compile(r"#[^\n]*")
_ATOM = re.compile(r"\d+(?:\.\d+)?|[A-Za-z]{2,}")
_VALUE = re.compile(r"\d+(?:\.\d+)?|\b[A-Z]\w+|[\"'`][^\"'`\n]+[\"'`]|<<<[^<>]*>>>")
"""Of words, what may be a value: numbers, what is written large, quoted or marked."""
_SKELETON = re.compile(r"\d+(?:\.\d+)?|[\"'][^\"'\n]*[\"']|[-+*/%<>]|[=!]=")


@dataclass(frozen=True, slots=True)
class Step:
    """A code call with the words around it."""

    before: str
    code: str
    output: str
    """Empty unless the call ended well."""
    after: str


def self_checks(trajectory: Trajectory) -> list[int]:
    """The places, among the code calls, of those that test a candidate answer found earlier."""
    steps = _steps(trajectory.turns)
    return [place for place in range(len(steps)) if points(steps, place) >= THRESHOLD]


def points(steps: Sequence[Step], place: int) -> int:
    """How much speaks for the call at `place` being a test; 0 where it cannot be one."""
    step, earlier = steps[place], steps[:place]
    if not _OPERATES.search(_PLAIN_STRING.sub("''", _COMMENT.sub("", step.code))) or _is_repeated(step, earlier):
        return 0
    found = set().union(*(_atoms(one.output) - _atoms(one.code) for one in earlier))
    stated, written = _atoms(" ".join(_VALUE.findall(step.before))), _literals(step.code)
    announced, judges = bool(_ANNOUNCED.search(step.before)), bool(_TESTS.search(step.code))
    concluded = bool(_CONCLUDED.search(step.after))
    has_candidate = announced or stated & written or any(one.output for one in earlier)
    if not (has_candidate and (announced or judges or concluded)):
        return 0
    return (
        2 * announced
        + 2 * judges
        + concluded
        + bool(found & written or any(_copied(one.output, step.code) for one in earlier))
        + bool(stated & written)
        + bool(_STATED.search(step.before))
        + bool(_VERDICT.search(step.output))
        + bool((found | stated) & _atoms(step.output))
        + any(step.output and step.output == one.output for one in earlier)
    )


def _steps(turns: Sequence[Turn]) -> list[Step]:
    found = []
    for turn, following in zip_longest(turns, turns[1:], fillvalue=Turn()):
        if turn.call is not None:
            result = turn.call.result
            output = result.stdout[:SHOWN_OUTPUT] if result is not None and result.status == "ok" else ""
            found.append(Step(_words(turn.text), turn.call.code, output, _words(following.text)[:SHOWN_AFTER]))
    return found


def _words(text: str) -> str:
    """A turn's text before its first fenced block."""
    blocks = fences(text)
    return text[: blocks[0].start] if blocks else text


def _is_repeated(step: Step, earlier: Sequence[Step]) -> bool:
    """The same numbers, texts and operators in the same order: the same computation, whatever its names."""
    skeleton = _SKELETON.findall(step.code)
    return any(step.code == one.code or (skeleton and skeleton == _SKELETON.findall(one.code)) for one in earlier)


def _copied(output: str, code: str) -> bool:
    """A line of a result stands in the code as it was printed."""
    code = code.replace('"', "'")
    return any(len(line) > 3 and line in code for line in output.replace('"', "'").splitlines())


def _atoms(text: str) -> set[str]:
    """Numbers and words, in lower case."""
    return {atom.lower() for atom in _ATOM.findall(text)}


def _literals(code: str) -> set[str]:
    """The atoms of the numbers and strings of a script."""
    strings = " ".join(text for _, text in _STRING.findall(code))
    return {atom for atom in _atoms(code) if atom[0].isdigit()} | _atoms(strings)
