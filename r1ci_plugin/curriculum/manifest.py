"""The manifest: which question is in which potential group, with every number behind it. Pure.

    manifest.parquet   what training reads: one row a question, the fields of `Entry`
    manifest.tsv       the same as text, sorted by question id, made to be compared with `diff`

A question in group 0 is left out of training, and the entry says why. The digest names the very assignment of
questions to groups; checkpoints and metrics carry it. Without a manifest every question is in group 1. Left out:
building one from counts (`build.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

LEFT_OUT = 0
"""The group of questions that are in no stage."""

_SCHEMA = pa.schema(
    [
        ("question_id", pa.string()),
        ("task", pa.string()),
        ("difficulty", pa.int64()),
        ("n", pa.int64()),
        ("right", pa.int64()),
        ("p", pa.float64()),
        ("p_low", pa.float64()),
        ("p_high", pa.float64()),
        ("potential", pa.float64()),
        ("potential_low", pa.float64()),
        ("potential_high", pa.float64()),
        ("group", pa.int64()),
        ("left_out", pa.string()),
    ]
)
_RULE = b"r1ci_rule"


class ManifestError(ValueError):
    """The manifest is missing, unreadable or does not fit the data."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A question of the manifest. Only id and group are needed by training."""

    question_id: str
    group: int
    """1 is the highest potential; 0: left out."""
    task: str = ""
    difficulty: int = 0
    n: int = 0
    right: int = 0
    p: float = 0.0
    p_low: float = 0.0
    p_high: float = 1.0
    potential: float = 0.0
    potential_low: float = 0.0
    potential_high: float = 1.0
    left_out: str = ""
    """Why it is in group 0, empty otherwise."""


@dataclass(frozen=True)
class Manifest:
    """Entries sorted by question id, and the rule that made the groups, for people."""

    entries: tuple[Entry, ...]
    rule: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """16 hex digits that name this assignment of questions to groups."""
        return digest([(entry.question_id, entry.group) for entry in self.entries])

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        return {entry.question_id: entry for entry in self.entries}

    @cached_property
    def groups(self) -> dict[str, int]:
        """The group of every question that is in a stage."""
        return {entry.question_id: entry.group for entry in self.entries if entry.group != LEFT_OUT}

    @property
    def sizes(self) -> dict[int, int]:
        """Questions of every group there is, in order."""
        return dict(sorted(Counter(entry.group for entry in self.entries).items()))

    def group_of(self, question_ids: Sequence[str]) -> list[int]:
        """The group of every question. Raises ManifestError for one that the manifest does not know."""
        missing = [name for name in question_ids if name not in self.by_id]
        if missing:
            raise ManifestError(
                f"{len(missing)} of {len(question_ids)} questions are not in the manifest, e.g. {missing[0]}: "
                "measure them and build the manifest from this data"
            )
        return [self.by_id[name].group for name in question_ids]


def make_manifest(entries: Iterable[Entry], rule: dict[str, Any] | None = None) -> Manifest:
    """A manifest of entries in any order. Raises ManifestError for none at all, a question twice, a negative group."""
    ordered = tuple(sorted(entries, key=lambda entry: entry.question_id))
    twice = [one.question_id for one, other in pairwise(ordered) if one.question_id == other.question_id]
    if twice:
        raise ManifestError(f"{len(twice)} questions are in the manifest twice, e.g. {twice[0]}")
    if not ordered or min(entry.group for entry in ordered) < LEFT_OUT:
        raise ManifestError("a manifest needs at least one question, and no group is below 0")
    return Manifest(ordered, rule or {})


def load_manifest(path: str | Path) -> Manifest:
    """Read a parquet manifest; columns beside `question_id` and `group` may be missing. Raises ManifestError."""
    try:
        table = parquet.read_table(path)
        columns = [entry.name for entry in fields(Entry) if entry.name in table.column_names]
        rows = table.select(columns).to_pylist()
        rule = json.loads((table.schema.metadata or {}).get(_RULE, b"{}"))
        return make_manifest((Entry(**row) for row in rows), rule)
    except (OSError, ValueError, TypeError) as error:
        raise ManifestError(f"cannot read the manifest {path}: {error}") from error


def write_manifest(manifest: Manifest, path: Path) -> tuple[Path, Path]:
    """Write the parquet file and the text file beside it; gives both paths. The same bytes for the same manifest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = _SCHEMA.with_metadata({_RULE: json.dumps(manifest.rule, sort_keys=True).encode()})
    parquet.write_table(pa.Table.from_pylist([asdict(entry) for entry in manifest.entries], schema=schema), path)
    text = path.with_suffix(".tsv")
    text.write_text(to_text(manifest), encoding="utf-8")
    return path, text


def to_text(manifest: Manifest) -> str:
    """The manifest as lines of tab-separated values after a few comment lines."""
    head = [
        f"# r1ci manifest {manifest.digest}",
        *(f"# {key}: {json.dumps(value)}" for key, value in sorted(manifest.rule.items())),
        "# questions by group: " + ", ".join(f"{group}: {size}" for group, size in manifest.sizes.items()),
        "\t".join(_SCHEMA.names),
    ]
    rows = ("\t".join(_cell(getattr(entry, name)) for name in _SCHEMA.names) for entry in manifest.entries)
    return "\n".join([*head, *rows]) + "\n"


def digest(items: Sequence[object]) -> str:
    """16 hex digits that name a sequence of printable things."""
    return hashlib.sha256("\n".join(map(str, items)).encode()).hexdigest()[:16]


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
