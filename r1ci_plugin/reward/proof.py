"""The proof before a run: of every task in its data, a worker solves a question and must find the solution correct.

It runs in the process that starts the run, before Ray: a broken verifier ends it there with one line, and no reward
worker has begun. Left out: the proof of a whole data set (`data/check.py`), the test itself (`pool.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.compute as compute
import pyarrow.parquet as parquet

from r1ci_plugin.config import VerifierSettings
from r1ci_plugin.data.row import decode
from r1ci_plugin.reward.blocking import BlockingVerifierPool
from r1ci_plugin.reward.pool import PoolBroken, SelfTestFailed
from r1ci_plugin.tasks import Question

WORKERS = 2
"""So that one slow solution does not hold up the others; a run's own number of workers says nothing here."""


def fault(files: Iterable[Path], settings: VerifierSettings) -> str:
    """What is wrong with the verifiers of these parquet files, in one line; empty if nothing is."""
    try:
        questions = {question.task: question for file in files for question in one_of_each_task(file)}
        with BlockingVerifierPool(WORKERS, settings.deadline_s, warm=sorted(questions)) as pool:
            pool.self_test(questions.values())
    except (ValueError, SelfTestFailed, PoolBroken) as error:
        return str(error)
    return ""


def one_of_each_task(file: Path) -> Iterator[Question]:
    """The first question of every task in a file. Raises ValueError where a row holds none."""
    column = parquet.read_table(file, columns=["data_source"])["data_source"]
    table = parquet.ParquetFile(file)
    firsts = sorted(compute.index(column, name).as_py() for name in compute.unique(column))
    start = 0
    for group in range(table.num_row_groups):
        end = start + table.metadata.row_group(group).num_rows
        if wanted := [first - start for first in firsts if start <= first < end]:
            truths = table.read_row_group(group, columns=["reward_model.ground_truth"])["reward_model"]
            for place in wanted:
                yield decode(truths[place]["ground_truth"].as_py())
        start = end
