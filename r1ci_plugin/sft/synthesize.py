"""Which trajectories are synthesized: fresh questions of the training tasks, each in a form; and the scripted teacher
as a policy, so that the runner of every evaluation serves it too.

Left out: asking, retries, budgets, records (`evaluation/runner.py`), choosing among the records (`filters.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from r1ci_plugin.codec import TextCodec
from r1ci_plugin.drive import Sampled
from r1ci_plugin.evaluation.policies import Policy, Request, Session, open_text
from r1ci_plugin.evaluation.runner import Job
from r1ci_plugin.record import Usage
from r1ci_plugin.sft.forms import teacher_prompt
from r1ci_plugin.sft.teacher import Form, ScriptedTeacher, forms_of
from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.trajectory import Generate

FIRST_SEED = 2_000_000_000
"""Questions for fine-tuning have seeds from here on; `r1ci data build` and the seed policy's corpus stay below."""
MAX_PER_TASK = 1_000_000
ATTEMPTS = 20
"""Draws for one question that is new; tasks with few questions give fewer than asked for."""

SCRIPTED = "scripted"
"""Name of the teacher that needs no network."""


def jobs_for(
    tasks: Sequence[str],
    per_task: int,
    forms: Mapping[str, Sequence[str]],
    *,
    samples: int = 1,
    levels: Sequence[int] = (),
    temperature: float = 1.0,
    seed: int = 0,
    excluded: frozenset[str] = frozenset(),
) -> list[Job]:
    """Jobs for `per_task` questions of every task, each level in the task's forms by turns, each asked `samples` times.

    forms: those of each task; a task without any is left out. excluded: ids of questions that must not be asked, such
    as those of a data set for RL. The same arguments give the same jobs.
    """
    jobs: list[Job] = []
    for name in tasks:
        if not forms.get(name):
            continue
        questions = fresh_questions(name, per_task, levels=levels, seed=seed, excluded=excluded)
        turns: Counter[int] = Counter()
        for question in questions:
            form = forms[name][turns[question.difficulty] % len(forms[name])]
            turns[question.difficulty] += 1
            jobs += [Job(question, "teacher", sample, temperature, form) for sample in range(samples)]
    return jobs


def fresh_questions(
    task: str, count: int, *, levels: Sequence[int] = (), seed: int = 0, excluded: frozenset[str] = frozenset()
) -> list[Question]:
    """Up to `count` questions of a task, no two alike and none excluded, its levels in equal parts."""
    if count > MAX_PER_TASK:
        raise ValueError(f"at most {MAX_PER_TASK} questions of a task, not {count}")
    info = get_task(task).info
    wanted = [level for level in levels if level <= info.levels] or list(range(1, info.levels + 1))
    found: dict[str, Question] = {}
    for number in range(count):
        for attempt in range(ATTEMPTS):
            place = FIRST_SEED + (seed * MAX_PER_TASK + number) * ATTEMPTS + attempt
            question = get_task(task).make(place, wanted[number % len(wanted)])
            if question.question_id not in excluded and question.question_id not in found:
                found[question.question_id] = question
                break
    return list(found.values())


def scripted_forms(tasks: Sequence[str], wanted: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """The wanted forms that the scripted teacher can take for each task, a form named twice counting twice; where none
    is wanted, all from which there is something to learn.
    """
    own: dict[str, tuple[str, ...]] = {name: forms_of(name) for name in tasks}
    if not wanted:
        return own
    # a guess teaches nothing, so forms_of leaves it out; whatever has a script can be guessed as well
    able = {name: {*forms, "guess"} if forms else set() for name, forms in own.items()}
    return {name: tuple(form for form in wanted if form in able[name]) for name in tasks}


def question_ids(folder: Path) -> frozenset[str]:
    """Ids of all questions in a data set of `r1ci data build`; empty where there is none."""
    import pyarrow.parquet as parquet

    ids: set[str] = set()
    for file in sorted(folder.glob("*.parquet")):
        if "extra_info" in parquet.read_schema(file).names:
            ids.update(info["question_id"] for info in parquet.read_table(file)["extra_info"].to_pylist())
    return frozenset(ids)


class ScriptedPolicy(Policy):
    """The scripted teacher behind the interface of all policies. It knows its questions by their prompts.

    Its replies are characters, not tokens, and cost nothing.
    """

    name = SCRIPTED

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._asked = {teacher_prompt(job.question, job.form): job for job in jobs}

    def open(self, request: Request) -> Session:
        job = self._asked[request.messages[0]["content"]]
        return _ScriptedSession(request, job)


class _ScriptedSession(Session):
    def __init__(self, request: Request, job: Job) -> None:
        super().__init__(request)
        form: Form = job.form  # type: ignore[assignment]  # the teacher refuses what it does not know
        self._teacher = ScriptedTeacher(job.question, form, Random(request.key))
        self._told = 0
        self.interaction = open_text(request.messages[0]["content"], request.limits)

    async def sample(self, token_ids: list[int], command: Generate) -> Sampled:
        calls = self.interaction.trajectory.calls
        for call in calls[self._told :]:
            if call.result is not None:
                self._teacher.observe(call.result)
        self._told = len(calls)
        self.usage += Usage(requests=1)
        return TextCodec().encode(self._teacher.speak()), None
