"""Reading the official questions of gsm_hard, math_geometry and math_counting_probability from files the user has
fetched.

Nothing is downloaded here. Licences: GSM-Hard (https://huggingface.co/datasets/reasoning-machines/gsm-hard) and MATH
(https://github.com/hendrycks/math) are published under the MIT licence. What was read is identified by a SHA-256 over
file names and contents; a caller who expects a certain state of the data passes its checksum. Left out: comparing
answers (the tasks do it as for our own questions).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from r1ci_plugin.tasks.base import Question
from r1ci_plugin.tasks.symbench.units import countable

GSM_HARD_ROWS = 1319
MATH_ROWS = {"geometry": 870, "counting_and_probability": 771}
"""Rows of the public files: GSM-Hard, and the training part of the two subjects of MATH."""
TASKS = {"geometry": "symbench/math_geometry", "counting_and_probability": "symbench/math_counting_probability"}


class OfficialDataError(ValueError):
    """The files are missing, incomplete, or not the ones expected."""


def gsm_hard(path: Path, expected_sha256: str | None = None) -> list[Question]:
    """The questions of `gsmhardv2.jsonl` (fields `input` and `target`), in the order of the file."""
    _verify([path], expected_sha256)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    _count(path, len(rows), GSM_HARD_ROWS)
    return [
        _question("symbench/gsm_hard", number, row["input"], _number(row["target"])) for number, row in enumerate(rows)
    ]


def math_subject(folder: Path, subject: str, expected_sha256: str | None = None) -> list[Question]:
    """The questions of one subject folder of MATH/train (JSON files with `problem` and `solution`), ordered by file
    number."""
    if subject not in TASKS:
        raise OfficialDataError(f"unknown subject {subject!r}: one of {', '.join(TASKS)}")
    files = sorted(folder.glob("*.json"), key=lambda file: (len(file.stem), file.stem))
    _verify(files, expected_sha256)
    _count(folder, len(files), MATH_ROWS[subject])
    rows = [json.loads(file.read_text("utf-8")) for file in files]
    return [
        _question(TASKS[subject], number, row["problem"], boxed(row["solution"])) for number, row in enumerate(rows)
    ]


def checksum(files: Sequence[Path]) -> str:
    """SHA-256 over names and contents, in the given order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def boxed(solution: str) -> str:
    """What stands in the last `\\boxed{...}` of a solution. Raises OfficialDataError if there is none."""
    start = solution.rfind("\\boxed")
    if start < 0:
        raise OfficialDataError("a solution without a boxed answer")
    body = solution[start + len("\\boxed") :]
    if not body.startswith("{"):
        return body.split("$")[0].strip()
    depth = 0
    for place, sign in enumerate(body):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth == 0:
            return body[1:place]
    raise OfficialDataError("a boxed answer that does not end")


def _question(task: str, number: int, prompt: str, label: str) -> Question:
    payload = {"label": label, "official": True, "countable": sorted(countable(prompt))}
    return Question(task, number, 1, prompt.strip(), payload)


def _number(target: float | int | str) -> str:
    """A target as text. The public file writes integers as floats (`12.0`)."""
    if isinstance(target, float) and target.is_integer():
        return str(int(target))
    return re.sub(r"\.0$", "", str(target))


def _verify(files: Sequence[Path], expected: str | None) -> None:
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not files:
        raise OfficialDataError(f"no such file: {', '.join(missing) or 'the folder holds no .json files'}")
    if expected is not None and checksum(files) != expected:
        raise OfficialDataError(f"the checksum of {files[0].parent} is {checksum(files)}, not {expected}")


def _count(path: Path, found: int, expected: int) -> None:
    if found != expected:
        raise OfficialDataError(f"{path} holds {found} questions, the official data have {expected}")
