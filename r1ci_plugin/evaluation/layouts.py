"""Which columns people see: the sheets of a table of rows, of a comparison and of behaviour.

Left out: the numbers (`tables.py`, `comparison.py`, `behaviour.py`), the forms a sheet takes (`sheet.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from r1ci_plugin.evaluation.behaviour import Behaviour
from r1ci_plugin.evaluation.comparison import Comparison, Difference
from r1ci_plugin.evaluation.sheet import Cell, Column, Sheet, interval_text
from r1ci_plugin.evaluation.tables import Row

KINDS = ("task", "suite", "capability", "overall")

EFFORT_COLUMNS = {
    "turns": Column("turns", ".1f"),
    "calls": Column("code calls", ".1f"),
    "sampled_tokens": Column("tokens", ".0f"),
    "wall_s": Column("time, s", ".1f"),
    "cost": Column("cost", ".4f"),
}


def table_sheet(title: str, rows: Sequence[Row], level: float = 0.95) -> Sheet:
    """Accuracy with interval, pass@k, chance and effort; means of an answer, macro for several tasks.

    Columns that would say nothing (no answer lost, one answer a question, no chance, no cost) are left out.
    """
    columns: list[tuple[Column, Callable[[Row], Cell]]] = [
        (Column(""), lambda row: row.name),
        (Column("questions", "d"), lambda row: row.questions),
        *([(Column("answers", "d"), lambda row: row.answers)] if any(r.answers != r.questions for r in rows) else []),
        *([(Column("lost", "d"), lambda row: row.lost or None)] if any(row.lost for row in rows) else []),
        (Column("accuracy", ".1%"), lambda row: row.accuracy),
        (Column.interval(level), lambda row: interval_text(row.low, row.high)),
        *((Column(f"pass@{k}", ".1%"), _pass_at(k)) for k in sorted({k for row in rows for k in row.pass_at})),
        *([(Column("chance", ".0%"), lambda row: row.chance or None)] if any(row.chance for row in rows) else []),
        *((column, _effort(name)) for name, column in EFFORT_COLUMNS.items() if name != "cost" or _costs(rows)),
    ]
    sheet = Sheet(title, [column for column, _ in columns])
    _add_blocks(sheet, [(row.kind, [cell(row) for _, cell in columns]) for row in rows])
    if not rows:
        sheet.notes.append("No answer was judged: every trajectory was lost to the infrastructure.")
    if any(row.lost for row in rows):
        sheet.notes.append("lost: trajectories lost to the infrastructure, in no rate.")
    if any(row.chance for row in rows):
        sheet.notes.append("chance: what the best blind guess earns, where that is 5 % or more.")
    return sheet


def _pass_at(k: int) -> Callable[[Row], Cell]:
    return lambda row: row.pass_at.get(k)


def _effort(name: str) -> Callable[[Row], Cell]:
    return lambda row: row.effort[name]


def _costs(rows: Sequence[Row]) -> bool:
    return any(row.total_cost for row in rows)


def _add_blocks(sheet: Sheet, lines: Sequence[tuple[str, Sequence[Cell]]]) -> None:
    """Lines by their kind, with a rule between the kinds."""
    for kind in KINDS:
        block = [cells for found, cells in lines if found == kind]
        sheet.rows += [(), *block] if block and sheet.rows else block


def comparison_sheet(a: str, b: str, comparison: Comparison, level: float = 0.95) -> Sheet:
    """Accuracies of both, the difference with interval, and p."""
    columns = [
        *(Column(""), Column("questions", "d"), Column("A", ".1%"), Column("B", ".1%"), Column("B - A", "+.1%")),
        *(Column.interval(level), Column("p", ".4f"), Column("p, adjusted", ".4f")),
    ]
    sheet = Sheet(f"A: {a}   B: {b}", columns)
    _add_blocks(sheet, [(line.kind, _difference_cells(line)) for line in comparison.differences])
    sheet.notes.append("p: sign-flip permutation test on questions. Adjusted: Holm, over the tasks.")
    if comparison.only_a or comparison.only_b:
        sheet.notes.append(f"Left out, answered by one alone: {comparison.only_a} of A, {comparison.only_b} of B.")
    return sheet


def _difference_cells(line: Difference) -> list[Cell]:
    adjusted = line.p_adjusted if line.kind == "task" else None
    interval = interval_text(line.low, line.high, "+.1f")
    return [line.name, line.questions, line.a, line.b, line.difference, interval, line.p, adjusted]


def behaviour_sheet(behaviours: Mapping[str, Behaviour]) -> Sheet:
    """A line for every measure, a column for every contender."""
    lines = {name: one.to_dict() for name, one in behaviours.items()}
    sheet = Sheet("behaviour", [Column(""), *(Column(name, ".3g") for name in lines)])
    for measure in dict.fromkeys(measure for line in lines.values() for measure in line):
        values = [line[measure] for line in lines.values()]
        cells = [str(value) if isinstance(value, int) else value for value in values]
        sheet.rows.append([measure.replace("_", " "), *cells])
    return sheet
