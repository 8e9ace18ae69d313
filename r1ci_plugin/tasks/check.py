"""Checks that hold for every task of every suite: what `r1ci tasks check` and the shared test run over the registry.

A check is a function from (task, samples) to True or to a sentence that says what fails. Left out: what only one task
can know, such as a second way to compute its answers; that is in the tests of the task.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt
from statistics import mean

from r1ci_plugin.tasks.base import Question, Task, Verdict
from r1ci_plugin.tasks.hostile import HOSTILE
from r1ci_plugin.tasks.registry import get_task

CAPABILITIES = {"math", "spatial", "logical", "order", "optimisation", "search"}
LUCK = 0.05
"""Share of questions that a blind or copied answer may solve, on top of the task's stated chance."""

Finding = bool | str
"""True, or what fails."""


@dataclass(frozen=True)
class Samples:
    """The questions the checks of one task share, with the oracle's answers."""

    task: Task
    per_level: int
    distinct_of: int

    @cached_property
    def solved(self) -> list[tuple[Question, str]]:
        """`per_level` questions of every level, with the oracle's answers."""
        levels = range(1, self.task.info.levels + 1)
        questions = [self.task.make(seed, level) for level in levels for seed in range(self.per_level)]
        return [(question, self.task.solve(question)) for question in questions]

    @cached_property
    def default_level(self) -> list[Question]:
        return [self.task.make(seed) for seed in range(self.distinct_of)]

    def lucky_share(self, answers: Callable[[Question], Iterable[str]]) -> float:
        """The share of questions for which any of the answers is right."""
        hits = [
            any(self.task.verify(question, answer).score for answer in answers(question)) for question, _ in self.solved
        ]
        return mean(hits)


def facts_are_sound(task: Task, samples: Samples) -> Finding:
    info = task.info
    if not set(info.capabilities) <= CAPABILITIES or not info.capabilities:
        return f"capabilities {info.capabilities} are not among {sorted(CAPABILITIES)}"
    if not 1 <= info.default_level <= info.levels:
        return f"default level {info.default_level} is not in 1..{info.levels}"
    missing = [name for name in ("summary", "answer_kind", "knobs", "source", "licence") if not getattr(info, name)]
    return f"no {', '.join(missing)}" if missing else True


def same_seed_gives_the_same_question(task: Task, samples: Samples) -> Finding:
    changed = [q.seed for q, _ in samples.solved if task.make(q.seed, q.difficulty) != q]
    return f"seeds {changed[:5]} give another question the second time" if changed else True


def oracle_is_right(task: Task, samples: Samples) -> Finding:
    for question, answer in samples.solved:
        verdict = task.verify(question, answer)
        if verdict.outcome != "correct":
            return f"seed {question.seed} level {question.difficulty}: {verdict.outcome}, {verdict.reason}"
    return True


def right_answers_are_far_below_the_cap(task: Task, samples: Samples) -> Finding:
    longest = max(len(answer) for _, answer in samples.solved)
    cap = task.info.max_answer_chars
    return True if 4 * longest <= cap else f"a right answer has {longest} characters, answers of {cap} are read"


def oracle_reads_only_the_question(task: Task, samples: Samples) -> Finding:
    if task.info.human_label:
        return True
    for question, answer in samples.solved[:: samples.per_level]:
        public = {key: value for key, value in question.payload.items() if key != "answer"}
        if task.solve(replace(question, payload=public)) != answer:
            return f"seed {question.seed} level {question.difficulty}: another answer without the stored one"
    return True


def questions_survive_json(task: Task, samples: Samples) -> Finding:
    for question, answer in samples.solved[:: samples.per_level]:
        restored = Question.from_dict(json.loads(json.dumps(question.to_dict(), allow_nan=False)))
        if restored.to_dict() != question.to_dict() or task.verify(restored, answer) != task.verify(question, answer):
            return f"seed {question.seed} level {question.difficulty} changes through JSON"
    return True


def typeset_answers_are_right(task: Task, samples: Samples) -> Finding:
    """Bold, quoted, fenced or in LaTeX, or with a final full stop, a right answer is still right."""
    return _framed_answers_are(True, TYPESET, task, samples)


def hedged_answers_are_wrong(task: Task, samples: Samples) -> Finding:
    """Two answers for one are none, even if one of them is right."""
    return _framed_answers_are(False, HEDGED, task, samples)


def _framed_answers_are(right: bool, forms: Iterable[str], task: Task, samples: Samples) -> Finding:
    """Whether the oracle's answer, put in for the word ANSWER of each form, is judged so."""
    for question, answer in samples.solved[:: samples.per_level]:
        for form in forms:
            framed = form.replace("ANSWER", answer)
            if bool(task.verify(question, framed).score) != right:
                judged = "wrong" if right else "right"
                return f"seed {question.seed} level {question.difficulty}: {framed[:80]!r} is judged {judged}"
    return True


def other_answers_are_wrong(task: Task, samples: Samples) -> Finding:
    """An answer to another question of the level is right only by luck, or because it answers this question as well."""
    pairs = list(zip(samples.solved, samples.solved[1:], strict=False))
    different = [(question, other) for (question, own), (_, other) in pairs if _folded(own) != _folded(other)]
    share = mean(task.verify(question, other).score for question, other in different) if different else 0.0
    return _within_luck(task, share, len(different), "answers to other questions")


def answers_are_not_in_the_prompt(task: Task, samples: Samples) -> Finding:
    """Copying a line, a paragraph or what follows a colon solves no more than luck does."""
    if task.info.answer_in_prompt:
        return True
    share = samples.lucky_share(lambda question: copies(question.prompt))
    return _within_luck(task, share, len(samples.solved), "copies of the prompt")


def trivial_answers_are_wrong(task: Task, samples: Samples) -> Finding:
    """One fixed answer, the same for all questions, solves no more than the best blind guess."""
    shares = [samples.lucky_share(lambda question, answer=answer: [answer]) for answer in TRIVIAL]  # type: ignore[misc]
    return _within_luck(task, max(shares), len(samples.solved), f"the answer {TRIVIAL[shares.index(max(shares))]!r}")


def hostile_answers_are_harmless(task: Task, samples: Samples) -> Finding:
    """Code, towers of powers, huge and malformed texts: never an error, never right, never slow."""
    question = samples.solved[len(samples.solved) // 2][0]
    for name, answer in HOSTILE.items():
        verdict, seconds = _timed(task, question, answer)
        if verdict.outcome == "error" or verdict.score:
            return f"{name}: {verdict.outcome}, {verdict.reason}"
        if seconds > HOSTILE_SECONDS:  # once more: the first time, something may have been imported
            _, seconds = _timed(task, question, answer)
        if seconds > HOSTILE_SECONDS:
            return f"{name}: {seconds:.2f} s"
    return True


def _timed(task: Task, question: Question, answer: str) -> tuple[Verdict, float]:
    """The verdict and its seconds of processor time, which other work on the machine does not prolong."""
    start = time.process_time()
    verdict = task.verify(question, answer)
    return verdict, time.process_time() - start


def damaged_answers_are_harmless(task: Task, samples: Samples) -> Finding:
    """The oracle's answer with one token repeated, dropped or replaced never makes the verifier fail."""
    for question, answer in samples.solved[:: samples.per_level]:
        for damaged in mutations(answer, limit=60):
            verdict = task.verify(question, damaged)
            if verdict.outcome == "error":
                return f"seed {question.seed} level {question.difficulty}, {damaged[:60]!r}: {verdict.reason}"
    return True


def questions_are_distinct(task: Task, samples: Samples) -> Finding:
    share = len({question.question_id for question in samples.default_level}) / samples.distinct_of
    return True if share >= 0.98 else f"only {share:.1%} of {samples.distinct_of} questions are distinct"


def difficulty_moves_the_size(task: Task, samples: Samples) -> Finding:
    """The hardest level's questions are longer, in prompt and payload, than the easiest level's; or much shorter, since
    some puzzles are harder the less they tell."""
    if task.info.levels == 1:
        return True
    size = {
        level: mean(_size(q) for q, _ in samples.solved if q.difficulty == level) for level in (1, task.info.levels)
    }
    easy, hard = size[1], size[task.info.levels]
    moved = hard > 1.01 * easy or hard < 0.95 * easy
    return True if moved else f"level {task.info.levels} is as large as level 1 ({hard:.0f} and {easy:.0f} characters)"


CHECKS: tuple[Callable[[Task, Samples], Finding], ...] = (
    facts_are_sound,
    same_seed_gives_the_same_question,
    oracle_is_right,
    right_answers_are_far_below_the_cap,
    oracle_reads_only_the_question,
    questions_survive_json,
    typeset_answers_are_right,
    hedged_answers_are_wrong,
    other_answers_are_wrong,
    answers_are_not_in_the_prompt,
    trivial_answers_are_wrong,
    hostile_answers_are_harmless,
    damaged_answers_are_harmless,
    questions_are_distinct,
    difficulty_moves_the_size,
)
HOSTILE_SECONDS = 0.1
"""Far above what a sound verifier needs, so that a busy machine does not fail it; the deadline of the pool is what
protects a run."""
TYPESET = (
    *("**ANSWER**", "**ANSWER**.", "`ANSWER`", '"ANSWER"', "ANSWER.", "```\nANSWER\n```"),
    *("$ANSWER$", r"\(ANSWER\)", r"\[ANSWER\]", r"\boxed{ANSWER}", r"\text{ANSWER}", r"$\boxed{ANSWER}$"),
)
HEDGED = ("ANSWER or 1", "ANSWER or ANSWER", "not ANSWER", "**ANSWER** or **1**", "`ANSWER` `1`", "$ANSWER$ and $1$")
TRIVIAL = (
    "0",
    "1",
    "2",
    "-1",
    "24",
    "[]",
    "{}",
    "A",
    "(A)",
    "B",
    "Yes",
    "No",
    "True",
    "False",
    "None",
    "Pass",
    "0, 0",
    "[0, 0, 0, 0]",
)


def checks(task: Task, quick: bool = True) -> dict[str, Finding]:
    """The name of every check to True or to what fails. Quick: 4 questions a level, 200 for distinctness; else 200 and
    1,000."""
    samples = Samples(task, 4, 200) if quick else Samples(task, 200, 1000)
    return {check.__name__: _guarded(check, task, samples) for check in CHECKS}


def class_balance(task: Task, questions: int = 100) -> tuple[str, float]:
    """The most frequent oracle answer at the default level, and its share: what the best constant guess would earn."""
    answers = Counter(task.solve(task.make(seed)) for seed in range(questions))
    answer, count = answers.most_common(1)[0]
    return answer, count / questions


def digest(names: Iterable[str], seeds: Iterable[int] = (0, 1)) -> dict[str, str]:
    """Task name to a hash of its questions and oracle answers: equal in every process and on every machine."""
    return {name: _digest(get_task(name), list(seeds)) for name in names}


def copies(prompt: str) -> Iterator[str]:
    """What somebody would write who copies a piece of the prompt: lines, paragraphs, what follows a colon, quotes."""
    yield prompt
    for paragraph in prompt.split("\n\n"):
        yield paragraph
        yield "\n".join(paragraph.splitlines()[1:])
        for line in paragraph.splitlines():
            yield line
            yield from (tail.strip(" .") for tail in line.split(":")[1:])
    yield from re.findall(r'"([^"]+)"', prompt)


def mutations(answer: str, limit: int) -> Iterator[str]:
    """Answers that differ from the given one in one token: repeated, dropped, or replaced by another one of the
    answer."""
    pieces = re.findall(r"[0-9]+|[A-Za-z]+|\s+|.", answer, re.DOTALL)
    stride = max(1, 3 * len(pieces) // limit)
    for place in range(0, len(pieces), stride):
        for replacement in ("", pieces[place] * 2, pieces[(place * 7 + 3) % len(pieces)]):
            yield "".join((*pieces[:place], replacement, *pieces[place + 1 :]))


def _guarded(check: Callable[[Task, Samples], Finding], task: Task, samples: Samples) -> Finding:
    try:
        return check(task, samples)
    except Exception as error:  # one broken task must not hide the findings of the others
        return f"{type(error).__name__}: {error}"


def _within_luck(task: Task, share: float, trials: int, what: str) -> Finding:
    """Whether a share of right answers is explained by chance, with two standard deviations of a small sample
    granted."""
    expected = LUCK + task.info.chance
    allowed = expected + 2 * sqrt(expected * max(0.0, 1 - expected) / max(1, trials))
    return True if share <= allowed else f"{what} are right in {share:.0%} of questions"


def _digest(task: Task, seeds: list[int]) -> str:
    questions = [task.make(seed, level) for level in range(1, task.info.levels + 1) for seed in seeds]
    return hashlib.sha256(json.dumps([[q.to_dict(), task.solve(q)] for q in questions]).encode()).hexdigest()


def _folded(answer: str) -> str:
    return re.sub(r"\s+", " ", answer).strip().casefold()


def _size(question: Question) -> int:
    return len(question.prompt) + len(json.dumps(question.payload))
