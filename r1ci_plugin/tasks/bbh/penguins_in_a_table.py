"""Penguins in a table: a small table, changes to it, and a question on a value, an extreme, a count, a sum or the
order of names.
"""

from __future__ import annotations

from random import Random
from typing import Any

from r1ci_plugin.tasks.base import Draft, Payload, task
from r1ci_plugin.tasks.bbh.common import OptionTask, around, letter_of, shuffled
from r1ci_plugin.tasks.bbh.lexicon import NAMES, listed

_COLUMNS = ("age", "height", "weight")
_UNITS = {"age": "years", "height": "cm", "weight": "kg"}
_RANGES = {"age": (1, 20), "height": (40, 120), "weight": (5, 40)}
_GIRAFFES = {"age": (1, 25), "height": (300, 560), "weight": (500, 1200)}
_ROWS = {1: (5, 5), 2: (6, 6), 3: (6, 8), 4: (7, 10), 5: (10, 16)}
"""Level to the least and greatest number of penguins."""
_CHANGES = {1: 0, 2: 1, 3: 1, 4: 2, 5: 4}
_MOST = {"age": "oldest", "height": "tallest", "weight": "heaviest"}
_LEAST = {"age": "youngest", "height": "shortest", "weight": "lightest"}
_QUESTIONS = {
    1: ("value", "extreme"),
    2: ("value", "extreme", "count"),
    3: ("value", "extreme", "count", "alphabet", "sum"),
    4: ("extreme", "count", "alphabet", "sum", "nth"),
    5: ("count", "sum", "nth", "both"),
}
"""Level to the kinds of questions."""
_OPTIONS = 5
_SUM_WINDOW = 25
_ORDINALS = listed("first second third fourth fifth sixth seventh eighth ninth tenth eleventh")

Row = list[Any]
"""`[name, age, height, weight]`."""


@task(
    "bbh/penguins_in_a_table",
    summary="Answer a question on a table that is changed first",
    capabilities=("math", "order"),
    answer_kind="option",
    levels=5,
    knobs="5, 6, 6-8, 7-10, 10-16 penguins; 0, 1, 1, 2, 4 changes; from values to counts with two conditions; "
    "giraffes beside them from level 4",
    source="BIG-Bench Hard penguins_in_a_table, rules written anew",
    default_level=3,
    chance=1 / _OPTIONS,
    answer_in_prompt=True,
    family="penguins_in_a_table",
)
class PenguinsInATable(OptionTask):
    def generate(self, rng: Random, level: int) -> Draft:
        kind = rng.choice(_QUESTIONS[level])
        while True:  # hardly ever more than once: few tables have no such question
            names = iter(rng.sample(NAMES, 40))
            rows = [_row(rng, next(names), _RANGES) for _ in range(rng.randint(*_ROWS[level]))]
            changes = _changes(rng, rows, next(names), _CHANGES[level])
            if asked := _choice(rng, _changed(rows, changes), kind):
                break
        question, options = asked
        giraffes = [_row(rng, next(names), _GIRAFFES) for _ in range(4)] if level >= 4 else []
        prompt = _prompt(rows, giraffes, changes, question)
        return self.choice(prompt, shuffled(rng, options), rows=rows, changes=changes, question=question)

    def oracle(self, payload: Payload) -> str:
        return letter_of(
            payload["options"], _answer(_changed(payload["rows"], payload["changes"]), payload["question"])
        )


def _row(rng: Random, name: str, ranges: dict[str, tuple[int, int]]) -> Row:
    return [name, *(rng.randint(*ranges[column]) for column in _COLUMNS)]


def _changes(rng: Random, rows: list[Row], newcomer: str, count: int) -> list[list[Any]]:
    """`["add", row]`, `["delete", name]` or `["set", name, column, value]`; one newcomer at most, every name at most
    once."""
    kinds = rng.sample(("add", "delete", "set"), min(count, 3)) + ["set"] * (count - 3)
    names = rng.sample([row[0] for row in rows], count)
    changes: list[list[Any]] = []
    for kind, name in zip(kinds, names, strict=True):
        column = rng.choice(_COLUMNS)
        value = rng.randint(*_RANGES[column])
        changes.append(
            {"add": ["add", _row(rng, newcomer, _RANGES)], "delete": ["delete", name]}.get(
                kind, ["set", name, column, value]
            )
        )
    return changes


def _changed(rows: list[Row], changes: list[list[Any]]) -> list[Row]:
    rows = [list(row) for row in rows]
    for kind, what, *how in changes:
        if kind == "add":
            rows.append(list(what))
        elif kind == "delete":
            rows = [row for row in rows if row[0] != what]
        else:
            (row,) = [row for row in rows if row[0] == what]
            row[1 + _COLUMNS.index(how[0])] = how[1]
    return rows


def _choice(rng: Random, rows: list[Row], kind: str) -> tuple[list[Any], list[str]] | None:
    """A question of this kind and its options; None if the table has none.

    Of questions with several answers five are drawn, and the one asked is any of them: to whoever has not read it, no
    option is likelier than another.
    """
    columns = rng.sample(_COLUMNS, 2)
    if kind == "sum":
        question = ["sum", columns[0]]
        return question, [str(n) for n in around(int(_answer(rows, question)), _OPTIONS, _SUM_WINDOW, rng)]
    if kind in ("extreme", "nth"):
        if not (places := _places(rows, columns[0], kind)):
            return None
        question = [kind, columns[0], rng.choice(places)]
        return question, _with_names(rng, rows, _answer(rows, question))
    questions: dict[str, list[Any]] = {}
    for _ in range(50):
        question = _question(rng, rows, kind, columns)
        questions.setdefault(_answer(rows, question), question)
        if len(questions) == _OPTIONS:
            return rng.choice(list(questions.values())), list(questions)
    return None


def _places(rows: list[Row], column: str, kind: str) -> list[Any]:
    """What may be asked for in the order of this column: ends that one penguin holds alone, or the second to fifth
    place (counted from 0) where no value up to it stands twice, since ranks after a tie may be counted in two ways."""
    values = sorted((row[1 + _COLUMNS.index(column)] for row in rows), reverse=True)
    if kind == "nth":
        return [place for place in range(1, 5) if all(values.count(value) == 1 for value in values[: place + 1])]
    return [word for word, value in (("most", values[0]), ("least", values[-1])) if values.count(value) == 1]


def _with_names(rng: Random, rows: list[Row], right: str) -> list[str]:
    return [right, *rng.sample([row[0] for row in rows if row[0] != right], _OPTIONS - 1)]


def _question(rng: Random, rows: list[Row], kind: str, columns: list[str]) -> list[Any]:
    """The kind of question and what it asks about, e.g. `["count", "height", "more", 80]`."""
    column, other = columns
    if kind == "alphabet":
        return ["alphabet", rng.randrange(len(rows))]
    if kind == "value":
        return ["value", rng.choice(rows)[0], column]
    bounds = [rng.choice(rows)[1 + _COLUMNS.index(name)] for name in columns]
    if kind == "count":
        return ["count", column, rng.choice(("more", "less")), bounds[0]]
    return ["both", column, bounds[0], other, bounds[1]]


def _answer(rows: list[Row], question: list[Any]) -> str:
    kind, *about = question
    if kind == "alphabet":
        return str(sorted(row[0] for row in rows)[about[0]])
    place = 1 + _COLUMNS.index(about[1] if kind == "value" else about[0])
    ranked = sorted(rows, key=lambda row: -row[place])
    if kind == "value":
        return next(str(row[place]) for row in rows if row[0] == about[0])
    if kind == "sum":
        return str(sum(row[place] for row in rows))
    if kind in ("extreme", "nth"):
        rank = about[1] if kind == "nth" else {"most": 0, "least": -1}[about[1]]
        return str(ranked[rank][0])
    if kind == "count":
        return str(sum(row[place] > about[2] if about[1] == "more" else row[place] < about[2] for row in rows))
    second = 1 + _COLUMNS.index(about[2])
    return str(sum(row[place] > about[1] and row[second] < about[3] for row in rows))


def _prompt(rows: list[Row], giraffes: list[Row], changes: list[list[Any]], question: list[Any]) -> str:
    parts = ["A table of penguins:", _table(rows)]
    if giraffes:
        parts += ["A table of giraffes:", _table(giraffes)]
    parts += [*(_told(change) for change in changes), _asked(question)]
    return "\n".join(parts)


def _table(rows: list[Row]) -> str:
    header = ", ".join(["name", *(f"{column} ({_UNITS[column]})" for column in _COLUMNS)])
    return "\n".join([header, *(", ".join(map(str, row)) for row in rows)])


def _told(change: list[Any]) -> str:
    kind, what, *how = change
    if kind == "add":
        return f"Add this penguin: {', '.join(map(str, what))}"
    if kind == "delete":
        return f"Delete the penguin {what}."
    return f"Change the {how[0]} of the penguin {what} to {how[1]}."


def _asked(question: list[Any]) -> str:
    kind, *about = question
    if kind == "value":
        return f"What is the {about[1]} of {about[0]}?"
    if kind == "alphabet":
        return f"Which penguin's name comes {_ORDINALS[about[0]]} in alphabetical order?"
    if kind == "extreme":
        return f"Which is the {(_MOST if about[1] == 'most' else _LEAST)[about[0]]} penguin?"
    if kind == "nth":
        return f"Which is the {_ORDINALS[about[1]]} {_MOST[about[0]]} penguin?"
    if kind == "sum":
        return f"What is the sum of the {about[0]}s of all penguins?"
    if kind == "count":
        return f"How many penguins have {_an(about[0])} of {about[1]} than {about[2]} {_UNITS[about[0]]}?"
    first = f"{_an(about[0])} of more than {about[1]} {_UNITS[about[0]]}"
    return f"How many penguins have {first} and {_an(about[2])} of less than {about[3]} {_UNITS[about[2]]}?"


def _an(column: str) -> str:
    return f"{'an' if column == 'age' else 'a'} {column}"
