"""math_geometry and math_counting_probability: short exact answers, in the manner of the MATH set.

The public set is data (`official.py` reads it). The questions made here are from our own templates, with exact truth:
the offline default. Answers are compared as exact values; the words of the templates are in `math_templates.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from r1ci_plugin.tasks.base import Draft, Payload, Task, TaskInfo, Verdict, task
from r1ci_plugin.tasks.symbench import latex
from r1ci_plugin.tasks.symbench.math_templates import COUNTING, GEOMETRY
from r1ci_plugin.tasks.symbench.templates import Template, draw
from r1ci_plugin.tasks.symbench.units import words_behind

GROWTH = {1: 1, 2: 4, 3: 8, 4: 16, 5: 40}
TEMPLATES: dict[str, Sequence[Template]] = {"geometry": GEOMETRY, "counting": COUNTING}


@task(
    "symbench/math_geometry",
    params={"subject": "geometry"},
    summary="Solve a geometry problem with an exact answer",
    capabilities=("math", "spatial"),
    answer_kind="latex",
    levels=5,
    knobs="ranges of numbers 1, 4, 8, 16, 40 times as wide",
    source="own templates in the manner of MATH; official questions with `official.math_subject`",
    family="math_geometry",
    membership="stated",
)
@task(
    "symbench/math_counting_probability",
    params={"subject": "counting"},
    summary="Solve a counting or probability problem with an exact answer",
    capabilities=("math", "logical"),
    answer_kind="latex",
    levels=5,
    knobs="ranges of numbers 1, 4, 8, 16, 40 times as wide",
    source="own templates in the manner of MATH; official questions with `official.math_subject`",
    family="math_counting_probability",
    membership="stated",
)
class MathProblem(Task):
    def __init__(self, info: TaskInfo, subject: str) -> None:
        super().__init__(info)
        self.templates = TEMPLATES[subject]

    def generate(self, rng: Random, level: int) -> Draft:
        question, payload = draw(rng, self.templates, GROWTH[level])
        form = r"Answer with the exact value; write \frac{2}{3} or 2/3 for a fraction, \sqrt{2} for a root, \pi for pi."
        return Draft(f"{question} {form}", payload)

    def check(self, payload: Payload, answer: str) -> Verdict:
        truth = self.oracle(payload)
        if latex.same(truth, answer, words_behind(payload, self.templates)):
            return Verdict.correct()
        return Verdict.wrong(f"expected {truth}, got {answer[:80]}")

    def oracle(self, payload: Payload) -> str:
        """The formula of the template; for an official question, where the label is the only truth, the label."""
        return str(payload["label"] if "label" in payload else self.templates[payload["template"]].answer(payload))
