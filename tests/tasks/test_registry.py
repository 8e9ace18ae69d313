"""The one shared test over the whole registry: what must hold for every task, whatever its suite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from random import Random

import pytest

from r1ci_plugin.tasks import (
    Draft,
    Payload,
    Question,
    Task,
    TaskInfo,
    UnknownTask,
    Unparseable,
    Verdict,
    get_task,
    list_tasks,
    task_names,
)
from r1ci_plugin.tasks.answers import integer
from r1ci_plugin.tasks.check import checks, digest
from r1ci_plugin.tasks.registry import SUITES

NAMES = task_names()


@pytest.mark.parametrize("name", NAMES)
def test_task_passes_every_shared_check(name: str) -> None:
    failed = {check: finding for check, finding in checks(get_task(name), quick=True).items() if finding is not True}
    assert not failed


def test_names_are_unique_and_in_stable_order() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert [name for suite in SUITES for name in sorted(n for n in NAMES if n.startswith(f"{suite}/"))] == NAMES
    assert [info.name for info in list_tasks()] == NAMES


def test_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownTask, match="symbench/game24"):
        get_task("symbench/game42")


def test_questions_are_the_same_in_another_process_with_another_hash_seed() -> None:
    code = (
        "import json; from r1ci_plugin.tasks import task_names; from r1ci_plugin.tasks.check import digest;"
        "print(json.dumps(digest(task_names(), seeds=(0,))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(other.stdout.splitlines()[-1]) == digest(NAMES, seeds=(0,))


def test_difficulty_outside_the_levels_is_refused() -> None:
    for info in list_tasks():
        for difficulty in (0, info.levels + 1):
            with pytest.raises(ValueError, match="difficulty"):
                get_task(info.name).make(0, difficulty)


class Sound(Task):
    """A little task that passes; the classes below break it in one way each."""

    def generate(self, rng: Random, level: int) -> Draft:
        a, b = rng.randrange(10 ** (level + 2)), rng.randrange(10 ** (level + 2))
        return Draft(f"What is {a} + {b}?", {"a": a, "b": b, "answer": a + b})

    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(integer(answer), payload["a"] + payload["b"])

    def oracle(self, payload: Payload) -> str:
        return str(payload["a"] + payload["b"])


class Forgetful(Sound):
    def generate(self, rng: Random, level: int) -> Draft:
        return super().generate(Random(), level)


class Mistaken(Sound):
    def oracle(self, payload: Payload) -> str:
        return str(payload["a"] - payload["b"])


class Peeking(Sound):
    def solve(self, question: Question) -> str:
        return str(question.payload.get("answer", 7))


class Unstorable(Sound):
    def generate(self, rng: Random, level: int) -> Draft:
        draft = super().generate(rng, level)
        return Draft(draft.prompt, {**draft.payload, "pair": (1, 2)})


class Generous(Sound):
    def check(self, payload: Payload, answer: str) -> Verdict:
        integer(answer)
        return Verdict.correct()


class Leaking(Sound):
    def generate(self, rng: Random, level: int) -> Draft:
        draft = super().generate(rng, level)
        return Draft(f"{draft.prompt} Hint: {draft.payload['answer']}.", draft.payload)


class Evaluating(Sound):
    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(float(answer), payload["answer"])


class Brittle(Sound):
    def check(self, payload: Payload, answer: str) -> Verdict:
        if not answer.isdecimal():
            raise Unparseable("not a number")
        return (
            Verdict.compare(answer, self.oracle(payload)) if len(answer) == len(self.oracle(payload)) else self.fail()
        )

    def fail(self) -> Verdict:
        raise RuntimeError("another length")


class Literal(Sound):
    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(answer, self.oracle(payload))

    def verify(self, question: Question, answer: str) -> Verdict:
        return self.check(question.payload, answer)


class Finding(Sound):
    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.correct() if self.oracle(payload) in answer.split() else Verdict.wrong("not found")


class Narrow(Sound):
    def generate(self, rng: Random, level: int) -> Draft:
        return super().generate(Random(rng.randrange(20)), level)


class Flat(Sound):
    def generate(self, rng: Random, level: int) -> Draft:
        return super().generate(rng, 2)


def failing_checks(broken: type[Task]) -> set[str]:
    info = TaskInfo("test/sum", "Add", ("math",), "integer", levels=3, knobs="digits", source="here", family="sum")
    return {name for name, finding in checks(broken(info)).items() if finding is not True}


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (Forgetful, "same_seed_gives_the_same_question"),
        (Mistaken, "oracle_is_right"),
        (Peeking, "oracle_reads_only_the_question"),
        (Unstorable, "questions_survive_json"),
        (Literal, "typeset_answers_are_right"),
        (Finding, "hedged_answers_are_wrong"),
        (Generous, "other_answers_are_wrong"),
        (Generous, "trivial_answers_are_wrong"),
        (Leaking, "answers_are_not_in_the_prompt"),
        (Evaluating, "hostile_answers_are_harmless"),
        (Brittle, "damaged_answers_are_harmless"),
        (Narrow, "questions_are_distinct"),
        (Flat, "difficulty_moves_the_size"),
    ],
)
def test_each_shared_check_catches_the_defect_it_is_for(broken: type[Task], check: str) -> None:
    assert check in failing_checks(broken)


def test_a_sound_task_passes_all_checks() -> None:
    assert failing_checks(Sound) == set()
