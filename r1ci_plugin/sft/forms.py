"""The ways in which a teacher is told to work on a question, so that what a policy learns from is not all of one kind.

A form is an instruction that follows the question in the teacher's prompt only. The policy that learns from the
trajectory reads the plain prompt of the rollout, so it learns to choose by itself. Left out: the scripted teacher's way
to follow a form (`teacher.py`), which trajectories really did (`filters.py` looks at what was said and run).
"""

from __future__ import annotations

from r1ci_plugin.evaluation.agents import Agent, Answered, Context, ask
from r1ci_plugin.protocol import render_prompt
from r1ci_plugin.tasks import Question

FORMS: dict[str, str] = {
    "free": "",
    "guess": "Answer this question at once, in one sentence, without steps and without code.",
    "text": "Work on this question in words alone, step by step, without code.",
    "code": "Solve this question by code from the start: a few words on how, then the script.",
    "text_then_code": (
        "Begin this question in words: work towards an answer step by step. When words become long or unsure, say so "
        "and change to code that works it out from the question."
    ),
    "code_then_text": (
        "Begin this question by code. When you have seen what it gives, judge in words whether that can be right and "
        "finish the solution by reasoning, step by step."
    ),
    "check": (
        "First work out an answer to this question in words and say what it is, without the final marker. Then write "
        "a script that works the answer out from the question anew, and compare. If they differ, find out why."
    ),
    "repair": (
        "Write the first script for this question as a quick draft. When it fails, or when its output cannot be right, "
        "say in words what is wrong and write the whole repaired script."
    ),
}
"""Form to instruction."""

TEACHER_FORMS = ("free", "text_then_code", "code_then_text", "check", "repair")
"""What a language model is asked for by default [stated: free, and forms that force changes between words and code]."""

_RULE = "Never write a script that only prints an answer you already have."


def teacher_prompt(question: Question, form: str) -> str:
    """What the teacher reads. Raises KeyError for a form that does not exist."""
    instruction = FORMS[form]
    return render_prompt(question.prompt) + (f"\n\n{instruction} {_RULE}" if instruction else "")


class Teacher(Agent):
    """The trained way, behind a prompt that says which form to follow (`Context.form`)."""

    name = "teacher"

    async def answer(self, question: Question, context: Context, key: str) -> Answered:
        return await context.converse(ask(teacher_prompt(question, context.form or "free")), key)
