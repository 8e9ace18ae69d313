"""Groups that follow the policy: every question that training knows goes where its current pass rate puts it. Pure.

Questions of group 0 stay there, and questions of which nothing is known stay where they are. Left out: when this is
done (`schedule.py`), what is known (`ledger.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r1ci_plugin.curriculum.groups import Grouping
from r1ci_plugin.curriculum.ledger import Ledger
from r1ci_plugin.curriculum.manifest import LEFT_OUT
from r1ci_plugin.curriculum.potential import form_of


def regrouped(
    groups: NDArray[np.int8],
    rows: Iterable[tuple[str, str]],
    ledger: Ledger,
    grouping: Grouping,
    chance_of: Callable[[str], float],
) -> NDArray[np.int8]:
    """New groups of all rows, by the thresholds of `grouping` at the ledger's current pass rates.

    groups: of every row. rows: question id and task of every row. chance_of: chance level of a task.
    """
    fresh: NDArray[np.int8] = groups.copy()
    value: Any = form_of(grouping.form).value  # plain floats will do: a fading pass rate is not exact anyway
    for row, (question_id, task) in enumerate(rows):
        rate = ledger.current_rate(question_id)
        if rate is not None and groups[row] != LEFT_OUT:
            fresh[row] = grouping.group_at(value(rate, chance_of(task)))
    return fresh
