"""A worker's first verdicts pay for no import: what judging needs is there before the first clock runs."""

from __future__ import annotations

import json
import subprocess
import sys

from r1ci_plugin.tasks import get_task, list_tasks

JUDGE = """
import json, sys
from r1ci_plugin.reward.worker import respond, warm_up
questions = json.load(sys.stdin)
warm_up([], sorted({one["task"] for one in questions}))
before = set(sys.modules)
for one in questions:
    respond({**one, "deadline_s": 60.0})
    respond({**one, "deadline_s": 60.0, "answer": "nothing of the kind"})
new = {name.split(".")[0] for name in set(sys.modules) - before}
print(json.dumps({"new": sorted(new), "all": sorted(sys.modules)}))
"""


def judged(names: list[str]) -> dict[str, list[str]]:
    """Packages a fresh process imports while it judges a question of each task, and all modules it then has."""
    questions = [{"task": name, "payload": get_task(name).make(seed=1).payload} for name in names]
    done = subprocess.run(
        [sys.executable, "-c", JUDGE], input=json.dumps(questions), capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_no_verdict_waits_for_reasoning_gym() -> None:
    names = [info.name for info in list_tasks("reasoning_gym/*")]
    assert "reasoning_gym" not in judged(names)["new"]


def test_a_worker_that_judges_no_task_of_it_does_without_reasoning_gym() -> None:
    names = ["reasoning_gym/chain_sum", "reasoning_gym/simple_equations", "symbench/letters", "bbh/word_sorting"]
    assert "reasoning_gym" not in judged(names)["all"]
