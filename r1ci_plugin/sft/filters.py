"""What of the synthesized trajectories a policy is to learn from: filters with reasons, and the choice among the rest.

    chosen = choose(records, FilterSettings())
    chosen.kept        # records, in the order of their keys
    chosen.dropped     # key -> why

First every trajectory is judged by itself, by rules that can be switched off one by one; then the set is cut: a cap a
task, the target, and least shares of trajectories with several turns, with a change between words and code, and with a
repair. Pure functions of records. Left out: reading and writing sets (`training_set.py`), whether code computes
(`hard_coded.py`).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from r1ci_plugin.protocol import fences, outside
from r1ci_plugin.record import Record
from r1ci_plugin.sft.hard_coded import atoms, literal_share, prints_without_computing

BEYOND = "beyond what"
"""How the reasons begin for what had to go so that a kind keeps its least share."""

CHARS_A_TOKEN = 3
"""For lengths in tokens where no tokenizer is given: low, so that the estimate is high."""


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """Every rule, and its switch. A rule is off where its value is False, 0 or None."""

    correct: bool = True
    """The verdict is correct [stated]."""
    well_formed: bool = True
    """The format rule of the reward (`Trajectory.is_well_formed`)."""
    max_tokens: int = 8192
    """Of the whole trajectory, prompt included."""
    min_words: int = 8
    """An answer needs code that ran, or as many words of reasoning."""
    max_literal_share: float | None = 0.8
    """Code may hold at most this share of the answer as a literal that is not in the question; see `hard_coded`."""
    duplicates: bool = True
    """One trajectory of those that say and run the same about the same question."""
    per_task: int = 70
    """[stated]"""
    target: int = 6500
    """Trajectories in the set [stated]."""
    multi_turn: float = 0.5
    """Least share of trajectories with a code call [ours; the paper raises it on purpose]."""
    switching: float = 0.1
    """Least share of trajectories that solve in words and in code [ours]."""
    repairing: float = 0.05
    """Least share of trajectories in which code failed and later code ran [ours]."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The set, and why every other trajectory is not in it."""

    kept: tuple[Record, ...]
    dropped: dict[str, str] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, int]:
        """How many were dropped for each reason, the most frequent first."""
        return dict(Counter(self.dropped.values()).most_common())


def estimated_tokens(record: Record) -> int:
    """Length of a record in tokens where there is no tokenizer to count with."""
    texts = [turn.text + (turn.call.inserted_text if turn.call else "") for turn in record.trajectory.turns]
    return (len(record.question.prompt) + sum(map(len, texts))) // CHARS_A_TOKEN


def choose(
    records: Iterable[Record],
    settings: FilterSettings,
    *,
    length: Callable[[Record], int] = estimated_tokens,
    seed: int = 0,
) -> Chosen:
    """Judge, then cut. length: tokens of a trajectory with its prompt. The same records give the same set."""
    dropped: dict[str, str] = {}
    good: list[Record] = []
    said: set[str] = set()
    for record in sorted(records, key=lambda record: record.key):
        reason = why_dropped(record, settings, length) or _why_duplicate(record, settings, said)
        if reason:
            dropped[record.key] = reason
        else:
            good.append(record)
    kept = _cut(good, settings, dropped, seed)
    return Chosen(tuple(sorted(kept, key=lambda record: record.key)), dropped)


def why_dropped(
    record: Record, settings: FilterSettings, length: Callable[[Record], int] = estimated_tokens
) -> str | None:
    """Why a trajectory is not to be learned from, or None. Looks at nothing but the record."""
    outcome = record.trajectory.outcome
    if record.is_lost or outcome in (None, "length"):
        return f"it has no end ({outcome})"  # no switch: it cannot be rendered
    if settings.correct and record.acc < 1.0:
        return "the answer is not correct"
    if settings.well_formed and not record.trajectory.is_well_formed():
        return "the format is not kept"
    if settings.min_words and not reasons(record, settings.min_words):
        return "an answer without reasoning"
    if settings.max_literal_share is not None and is_hard_coded(record, settings.max_literal_share):
        return "code that holds the answer"
    if settings.max_tokens and length(record) > settings.max_tokens:
        return "too long"
    return None


def reasons(record: Record, min_words: int) -> bool:
    """Whether something leads to the answer: code that ran to its end, or `min_words` words beside the answer."""
    if any(call.result is not None and call.result.status == "ok" for call in record.trajectory.calls):
        return True
    answer = set(atoms(record.trajectory.answer or ""))
    words = [atom for turn in record.trajectory.turns for atom in _words(turn.text) if atom not in answer]
    return len(words) >= min_words


def is_hard_coded(record: Record, max_literal_share: float) -> bool:
    """Whether code that gave the answer had it from the start: no earlier or other call computed it."""
    answer = record.trajectory.answer or ""
    verdicts = []
    for call in record.trajectory.calls:
        output = call.result.stdout if call.result is not None else ""
        if not _holds(output, answer):
            continue
        verdicts.append(
            prints_without_computing(call.code, output, answer)
            or literal_share(call.code, answer, record.question.prompt) > max_literal_share
        )
        if not verdicts[-1]:
            return False  # computed: later code may check it by its value
    return any(verdicts)


def is_multi_turn(record: Record) -> bool:
    """There is a code call, so there is more than one turn."""
    return len(record.trajectory.turns) > 1


def is_switching(record: Record, min_words: int = 25) -> bool:
    """The question is worked on in words and in code: words propose an answer before the first code runs, or at least
    `min_words` words follow the last result.
    """
    turns = record.trajectory.turns
    if len(turns) < 2:
        return False
    before = _words(turns[0].text)
    proposed = len(before) >= 4 and _holds(" ".join(before), record.trajectory.answer or "")
    return proposed or len(_words(turns[-1].text)) >= min_words


def is_repairing(record: Record) -> bool:
    """Code failed, and later code ran to its end."""
    status = [call.result.status for call in record.trajectory.calls if call.result is not None]
    failed = next((place for place, name in enumerate(status) if name != "ok"), len(status))
    return "ok" in status[failed:]


def digest(record: Record) -> str:
    """Equal for trajectories that say and run the same about the same question, white space aside."""
    texts = [re.sub(r"\s+", " ", turn.text).strip() for turn in record.trajectory.turns]
    return hashlib.sha256("\0".join([record.question.question_id, *texts]).encode()).hexdigest()


def _why_duplicate(record: Record, settings: FilterSettings, said: set[str]) -> str | None:
    if not settings.duplicates:
        return None
    key = digest(record)
    if key in said:
        return "said before"
    said.add(key)
    return None


def _cut(good: Sequence[Record], settings: FilterSettings, dropped: dict[str, str], seed: int) -> list[Record]:
    """Cap every task, then bring the set to the target and the shares."""
    kept: list[Record] = []
    for task, records in _by_task(good).items():
        ordered = _in_turn(records, Random(f"{seed}|{task}"))
        cap = settings.per_task or len(ordered)
        kept += ordered[:cap]
        dropped.update({record.key: "over the cap of its task" for record in ordered[cap:]})
    Random(f"{seed}|set").shuffle(kept)
    size = settings.target or len(kept)
    shares = (
        (is_repairing, settings.repairing, "repairs"),
        (is_switching, settings.switching, "words with code"),
        (is_multi_turn, settings.multi_turn, "several turns"),
    )
    for is_kind, share, why in shares:
        kept, over = _with_share(kept, is_kind, share, size)
        dropped.update({record.key: f"{BEYOND} the share of {why} allows" for record in over})
    dropped.update({record.key: "over the target" for record in kept[size:]})
    return kept[:size]


def _with_share(
    records: list[Record], is_kind: Callable[[Record], bool], share: float, size: int
) -> tuple[list[Record], list[Record]]:
    """(kept, dropped): all of the kind, and no more of the others than leave the kind its share.

    As many of the kind as a set of `size` needs come first, so that the cut to the target takes what follows them.
    """
    if not share:
        return records, []
    kind = [record for record in records if is_kind(record)]
    others = [record for record in records if not is_kind(record)]
    allowed = int(min(len(records), len(kind) * (1 - share) / share + 1e-9))
    needed, dropped = kind[: math.ceil(min(size, len(records)) * share)], others[allowed:]
    placed = {id(record) for record in (*needed, *dropped)}
    return [*needed, *(record for record in records if id(record) not in placed)], dropped


def _in_turn(records: Sequence[Record], rng: Random) -> list[Record]:
    """Shuffled, and the forms in turn, so that a cap leaves every form its part."""
    forms: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        forms[record.form].append(record)
    for form in sorted(forms):
        rng.shuffle(forms[form])
    return [record for row in _rows([forms[form] for form in sorted(forms)]) for record in row]


def _rows(columns: Sequence[list[Record]]) -> Iterator[list[Record]]:
    for place in range(max(map(len, columns), default=0)):
        yield [column[place] for column in columns if place < len(column)]


def _by_task(records: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[record.question.task].append(record)
    return dict(sorted(found.items()))


def _holds(text: str, answer: str) -> bool:
    wanted = atoms(answer)
    return bool(wanted) and f" {' '.join(wanted)} " in f" {' '.join(atoms(text))} "


def _words(text: str) -> tuple[str, ...]:
    """Of a turn, without its fenced blocks."""
    return atoms(outside(text, fences(text)))
