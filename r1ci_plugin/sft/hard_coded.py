"""Does a script compute the answer, or does it only print one that was worked out elsewhere?

Two measures on the syntax tree of a script whose output holds the answer, in *atoms* (words and numbers, so that
brackets, commas and line ends do not matter):

- underived: what the script prints without computing anything, from literals put in a layout (joined, formatted, read
  from a name or a function that holds only such, looped over). If that holds the answer, the answer was hard-coded.
- literal share: how much of the answer stands in the script's literals without standing in the question, as the
  longest run of atoms. A grid that is copied from the question and completed has a small share, an answer typed in and
  printed under some condition has 1.

The text of a script is parsed, never run. It may be hostile: what would take long to follow (names of names of names,
answers or literals without end) is looked at only as far as the bounds below. Left out: judging trajectories
(`filters.py`).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache

Atoms = tuple[str, ...]

LAYOUT_CALLS = frozenset(
    [
        *("str", "repr", "int", "float", "list", "tuple", "dict", "Fraction", "Decimal", "enumerate", "items"),
        *("dumps", "pprint", "join", "format", "strip", "rstrip", "lstrip", "split", "splitlines", "replace"),
        *("upper", "lower", "title", "capitalize"),
    ]
)
"""Calls that lay out or read what they are given; all others count as computing."""

PRINTS = frozenset({"print", "write", "pprint"})
DISTINCTIVE_CHARS = 4
"""An answer of fewer letters and digits stands in many a script by chance."""

ANSWER_ATOMS, LITERAL_ATOMS = 2_000, 50_000
"""Of an answer, and of the literals of a script: more are not looked at."""
MOST_STEPS = 100_000
"""Nodes that are visited in following names; a script that needs more counts as computing."""

ATOM = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")


def atoms(text: str) -> Atoms:
    """Words and numbers of a text, in lower case and in order; single signs where there is nothing else."""
    return tuple(ATOM.findall(text.lower())) or tuple(re.sub(r"\s", "", text))


def literal_share(code: str, answer: str, prompt: str) -> float:
    """Longest run of the answer's atoms in the literals of the code that is no run of the question, as a share of the
    answer, 0..1. 0 for code that does not parse, and for answers too short to tell.
    """
    nodes = _parsed(code)
    wanted = atoms(answer)[:ANSWER_ATOMS]
    if len("".join(wanted)) < DISTINCTIVE_CHARS:
        return 0.0
    return _longest_foreign_run(wanted, _literals(nodes)[:LITERAL_ATOMS], atoms(prompt)) / len(wanted)


def prints_without_computing(code: str, output: str, answer: str) -> bool:
    """Whether the answer is in what the script prints from mere literals, and nowhere else in its output."""
    nodes = _parsed(code)
    wanted = atoms(answer)
    if not nodes or not wanted:
        return False
    try:
        underived = _Underived(nodes).printed()
    except (_TooLong, RecursionError):
        return False
    in_literals = _count(wanted, underived)
    return in_literals > 0 and _count(wanted, atoms(output)) <= in_literals


class _TooLong(Exception):
    """Following the names of a script takes more than MOST_STEPS."""


class _Underived:
    """What a script prints from literals alone.

    A name is underived if every value it is given is; a function if it has one return and that is. What stands below a
    condition is decided by that condition, and so is every name that is set there.
    """

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self._module = nodes[0]
        self._values: dict[str, list[ast.expr]] = {}
        self._returned: dict[str, list[ast.expr]] = {}
        self._computed: set[str] = set()
        self._steps = 0
        for node in nodes:
            self._note(node)

    def printed(self) -> Atoms:
        """The atoms of all underived output, in order."""
        found: list[str] = []
        assert isinstance(self._module, ast.Module)
        for call in self._reached(self._module.body):
            if call.args and all(self._is_underived(part) for part in call.args):
                found += [atom for part in call.args for atom in self._atoms(part)]
        return tuple(found)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            self._bind(node.target, node.iter)
        elif isinstance(node, ast.AugAssign):
            self._computed.update(_names(node.target))
        elif isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Constant):
            inside = [leaf for leaf in ast.walk(node) if isinstance(leaf, ast.Assign)]
            self._computed.update(name for leaf in inside for target in leaf.targets for name in _names(target))
        elif isinstance(node, ast.FunctionDef):
            self._computed.update(argument.arg for argument in node.args.args)
            returned = [
                leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Return) and leaf.value is not None
            ]
            self._returned.setdefault(node.name, []).extend(returned)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        for name in _names(target):
            self._values.setdefault(name, []).append(value)

    def _reached(self, body: Sequence[ast.stmt]) -> Iterator[ast.Call]:
        """The calls that print, but for those below something computed."""
        for statement in body:
            if isinstance(statement, ast.If | ast.While):
                if self._is_underived(statement.test):
                    yield from self._reached([*statement.body, *statement.orelse])
            elif isinstance(statement, ast.For):
                if self._is_underived(statement.iter):
                    yield from self._reached(statement.body)
            elif isinstance(statement, ast.Try):
                if not any(_prints(handler) for handler in statement.handlers):
                    yield from self._reached([*statement.body, *statement.orelse, *statement.finalbody])
            elif isinstance(statement, ast.FunctionDef | ast.With):
                yield from self._reached(statement.body)
            elif isinstance(statement, ast.Expr) and _prints(statement):
                yield from (
                    node for node in ast.walk(statement) if isinstance(node, ast.Call) and _called(node) in PRINTS
                )

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise _TooLong

    def _is_underived(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> bool:
        self._step()
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Name):
            return self._all_underived(node.id, self._values, seen)
        if isinstance(node, ast.Call):
            return self._call_is_underived(node, seen)
        if isinstance(node, ast.BinOp):  # texts put together, but no arithmetic
            parts = [node.left, node.right]
            return isinstance(node.op, ast.Add | ast.Mod) and self._is_text(node.left) and self._all(parts, seen)
        if isinstance(node, ast.Subscript):  # one of several literals
            return isinstance(node.slice, ast.Constant) and self._is_underived(node.value, seen)
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.USub | ast.UAdd) and self._is_underived(node.operand, seen)
        if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
            return not any(part.ifs for part in node.generators) and self._all(
                [node.elt, *(part.iter for part in node.generators)], seen
            )
        if isinstance(
            node, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.JoinedStr | ast.FormattedValue | ast.Starred
        ):
            return self._all([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)], seen)
        return False

    def _all(self, nodes: Sequence[ast.expr], seen: frozenset[str]) -> bool:
        return all(self._is_underived(node, seen) for node in nodes if not isinstance(node, ast.expr_context))

    def _all_underived(self, name: str, table: dict[str, list[ast.expr]], seen: frozenset[str]) -> bool:
        if name in seen or name in self._computed or name not in table:
            return False
        return self._all(table[name], seen | {name})

    def _call_is_underived(self, node: ast.Call, seen: frozenset[str]) -> bool:
        name = _called(node)
        if name in self._returned:
            return len(self._returned[name]) == 1 and self._all_underived(name, self._returned, seen)
        owner = [node.func.value] if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value) else []
        return name in LAYOUT_CALLS and self._all([*owner, *node.args], seen)

    def _is_text(self, node: ast.expr, depth: int = 0) -> bool:
        self._step()
        if isinstance(node, ast.JoinedStr):
            return True
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str)
        if isinstance(node, ast.BinOp):
            return self._is_text(node.left, depth)
        if isinstance(node, ast.Name) and depth < 5:
            return any(self._is_text(value, depth + 1) for value in self._values.get(node.id, ()))
        return isinstance(node, ast.Call) and _called(node) in ("str", "repr", "join", "format", "dumps")

    def _atoms(self, node: ast.AST, depth: int = 0) -> Iterator[str]:
        """The atoms of the literals that make up an underived value, in order."""
        self._step()
        if isinstance(node, ast.Constant):
            yield from atoms(_spelled(node))
        elif isinstance(node, ast.Name) and depth < 5:
            for value in self._values.get(node.id, ()):
                yield from self._atoms(value, depth + 1)
        elif isinstance(node, ast.Call) and _called(node) in self._returned and depth < 5:
            for value in self._returned[_called(node)]:
                yield from self._atoms(value, depth + 1)
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
            for part in node.generators:
                yield from self._atoms(part.iter, depth)
        else:
            for child in ast.iter_child_nodes(node):
                yield from self._atoms(child, depth)


@lru_cache(maxsize=1)  # both measures look at the same script, one after the other
def _parsed(code: str) -> tuple[ast.AST, ...]:
    """All nodes of the syntax tree, the module first; none for code that does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tuple(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ()


def _literals(nodes: Sequence[ast.AST]) -> Atoms:
    """The atoms of all literals, in the order of the text."""
    constants = [node for node in nodes if isinstance(node, ast.Constant) and not isinstance(node.value, bool | None)]
    constants.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(atom for text in map(_spelled, constants) if text.strip() for atom in atoms(text))


def _spelled(node: ast.Constant) -> str:
    """The value as it would be printed. Whole numbers beyond what Python prints (4300 digits) as nothing."""
    try:
        return str(node.value)
    except ValueError:
        return ""


def _longest_foreign_run(wanted: Atoms, literals: Atoms, prompt: Atoms) -> int:
    """Length of the longest run of `wanted` that is in `literals` and not in `prompt`."""
    code, question = _joined(literals), _joined(prompt)
    best = end = 0
    for start in range(len(wanted)):
        end = max(end, start)
        while end < len(wanted) and _joined(wanted[start : end + 1]) in code:
            end += 1
        if end - start > best and _joined(wanted[start:end]) not in question:
            best = end - start
    return best


def _count(run: Atoms, text: Atoms) -> int:
    """How often a text holds a run; where the run is too long to be there by chance, whatever parts its letters."""
    if len("".join(run)) >= DISTINCTIVE_CHARS:
        return "".join(text).count("".join(run))
    return sum(text[start : start + len(run)] == run for start in range(len(text) - len(run) + 1))


def _prints(node: ast.AST) -> bool:
    return any(isinstance(leaf, ast.Call) and _called(leaf) in PRINTS for leaf in ast.walk(node))


def _joined(run: Sequence[str]) -> str:
    return "\0" + "\0".join(run) + "\0"


def _called(node: ast.Call) -> str:
    """The last name of what is called, empty where it has none."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("json", "sys", "stdout", "fractions", "decimal", "pprint")


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
