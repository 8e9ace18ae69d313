"""Which columns people see: the sheets of a table of rows, of a comparison and of behaviour.

Left out: the numbers (`tables.py`, `comparison.py`, `behaviour.py`), the forms a sheet takes (`sheet.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from r1ci_plugin.evaluation.behaviour import Behaviour
from r1ci_plugin.evaluation.comparison import Comparison, Difference
from r1ci_plugin.evaluation.scores import EFFORT
from r1ci_plugin.evaluation.sheet import Cell, Column, Sheet
from r1ci_plugin.evaluation.tables import Row

KINDS = ("task", "suite", "capability", "overall")

EFFORT_COLUMNS = {
    "turns": Column("turns", ".1f"),
    "calls": Column("code calls", ".1f"),
    "sampled_tokens": Column("tokens", ".0f"),
    "prompt_tokens": Column("prompt tokens", ".0f"),
    "wall_s": Column("time, s", ".1f"),
    "cost": Column("cost", ".4f"),
}


def table_sheet(title: str, rows: Sequence[Row], level: float = 0.95, *, with_cost: bool = False) -> Sheet:
    """Accuracy with interval, pass@k, chance and effort; means of an answer, macro for several tasks."""
    ks = sorted({k for row in rows for k in row.pass_at})
    with_cost = with_cost or any(row.total_cost for row in rows)
    effort = [name for name in EFFORT if name != "prompt_tokens" and (name != "cost" or with_cost)]
    columns = [
        *(Column(""), Column("questions", "d"), Column("answers", "d"), Column("lost", "d")),
        *(Column("accuracy", ".1%"), Column(f"{level:.0%} low", ".1%"), Column("high", ".1%")),
        *(Column(f"pass@{k}", ".1%") for k in ks),
        Column("chance", ".0%"),
        *(EFFORT_COLUMNS[name] for name in effort),
    ]
    sheet = Sheet(title, columns)
    for kind in KINDS:
        block: list[Sequence[Cell]] = [_cells(row, ks, effort) for row in rows if row.kind == kind]
        sheet.rows += [(), *block] if block and sheet.rows else block
    if any(row.lost for row in rows):
        sheet.notes.append("Lost trajectories (infrastructure) are in no rate.")
    if any(row.chance for row in rows):
        sheet.notes.append("chance: what the best blind guess earns, where that is 5 % or more.")
    return sheet


def _cells(row: Row, ks: Sequence[int], effort: Sequence[str]) -> list[Cell]:
    return [
        *(row.name, row.questions, row.answers, row.lost or None),
        *(row.accuracy, row.low, row.high),
        *(row.pass_at.get(k) for k in ks),
        row.chance or None,
        *(row.effort[name] for name in effort),
    ]


def comparison_sheet(a: str, b: str, comparison: Comparison, level: float = 0.95) -> Sheet:
    """Accuracies of both, the difference with interval, and p."""
    columns = [
        *(Column(""), Column("questions", "d"), Column("A", ".1%"), Column("B", ".1%"), Column("B - A", "+.1%")),
        *(Column(f"{level:.0%} low", "+.1%"), Column("high", "+.1%"), Column("p", ".4f"), Column("p, adjusted", ".4f")),
    ]
    sheet = Sheet(f"A: {a}   B: {b}", columns)
    for kind in KINDS:
        block: list[Sequence[Cell]] = [_difference_cells(line) for line in comparison.differences if line.kind == kind]
        sheet.rows += [(), *block] if block and sheet.rows else block
    sheet.notes.append("p: sign-flip permutation test on questions. Adjusted: Holm, over the tasks.")
    if comparison.only_a or comparison.only_b:
        sheet.notes.append(f"Left out, answered by one alone: {comparison.only_a} of A, {comparison.only_b} of B.")
    return sheet


def _difference_cells(line: Difference) -> list[Cell]:
    adjusted = line.p_adjusted if line.kind == "task" else None
    return [line.name, line.questions, line.a, line.b, line.difference, line.low, line.high, line.p, adjusted]


def behaviour_sheet(behaviours: Mapping[str, Behaviour]) -> Sheet:
    """A line for every measure, a column for every contender."""
    lines = {name: one.to_dict() for name, one in behaviours.items()}
    sheet = Sheet("behaviour", [Column(""), *(Column(name, ".3g") for name in lines)])
    for measure in dict.fromkeys(measure for line in lines.values() for measure in line):
        sheet.rows.append([measure.replace("_", " "), *(line[measure] for line in lines.values())])
    return sheet
