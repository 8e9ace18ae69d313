"""The teacher that needs no network: it plays the policy's side of a trajectory from a script.

It speaks in a few forms, which differ in when it thinks in words and when it runs code. Its words and its scripts
compute from the operands in the prompt, the scripts are run for real, and what it answers after a result is what the
script printed. Left out: the scripts (`scripts/`), the words (`words.py`), running scripts, and keeping only what
verifies (`filters.py`).
"""

from __future__ import annotations

from random import Random
from typing import Literal

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.sft.scripts import SCRIPTS
from r1ci_plugin.sft.words import WORDS
from r1ci_plugin.tasks import Question, get_task

Form = Literal[
    "guess",  # an answer without its steps, for the seed policy alone
    "text",  # worked out in words
    "code",  # by one script
    "check",  # an answer, then a script that checks it
    "repair",  # by a script that fails, and its repair
]


def forms_of(task: str) -> tuple[Form, ...]:
    """The forms in which the teacher can answer a task so that there is something to learn; none without a script."""
    if task not in SCRIPTS:
        return ()
    return ("text", "code", "check", "repair") if task in WORDS else ("code", "check", "repair")


class ScriptedTeacher:
    """The turns of one trajectory about one question. `form` decides the way; `rng` only varies a planted mistake."""

    def __init__(self, question: Question, form: Form, rng: Random) -> None:
        if question.task not in SCRIPTS:
            raise ValueError(f"the scripted teacher has no script for {question.task}")
        if form == "text" and question.task not in WORDS:
            raise ValueError(f"the scripted teacher has no words for {question.task}")
        self._question = question
        self._form = form
        self._rng = rng
        self._results: list[ExecResult] = []

    def observe(self, result: ExecResult) -> None:
        """Tell the teacher what its last script gave."""
        self._results.append(result)

    def speak(self) -> str:
        """The text of the next turn, without an end-of-text token."""
        if self._form == "guess":
            return _answered("I work it out in words: it is {answer}.", self._guess())
        if self._form == "text":
            return _answered(*WORDS[self._question.task](self._question.prompt))
        if not self._results:
            return self._first_script()
        last = self._results[-1]
        if last.status == "ok":
            return _answered("The script says {answer}.", last.stdout.strip())
        return f"The script has a mistake. I mend it.\n{self._block()}"

    def _first_script(self) -> str:
        if self._form == "check":
            return f"I think it is {self._guess()}. I check it by a script.\n{self._block()}"
        if self._form == "repair":
            return f"I compute it.\n{_fence(self._broken())}"
        return f"I compute it.\n{self._block()}"

    def _guess(self) -> str:
        return get_task(self._question.task).solve(self._question)

    def _script(self) -> str:
        return SCRIPTS[self._question.task](self._question.prompt)

    def _block(self) -> str:
        return _fence(self._script())

    def _broken(self) -> str:
        """The script with one slip: a misspelled name or a lost bracket."""
        code = self._script()
        if self._rng.random() < 0.5:
            return code.replace("print(", "prnit(", 1)
        return code.rstrip().removesuffix(")") + "\n"


def _answered(words: str, answer: str) -> str:
    return f"{words.replace('{answer}', answer)}\n<<<{answer}>>>"


def _fence(code: str) -> str:
    return f"```python\n{code}```\n"
