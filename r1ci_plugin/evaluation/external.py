"""Questions from elsewhere (GPQA, AIME, a set of one's own), judged by typed verifiers like all others.

    {"prompt": "...", "answer": "204", "kind": "integer", "set": "aime24"}
    {"prompt": "...", "answer": "B", "kind": "choice", "options": {"A": "...", "B": "..."}, "set": "gpqa"}

Options that the prompt does not show are written below it. Each kind is a task `external/KIND` that has no generator;
`set` names the group in tables. They are not among the 144 and in no split. The verifier pool imports this module where
it is needed (`PRELOAD`). Left out: the sets themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.tasks.answers import integer, option, rational
from r1ci_plugin.tasks.base import Draft, Payload, Task, Verdict, task

PRELOAD = "r1ci_plugin.evaluation.external"
"""For `VerifierPool(preload=...)`."""


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold().rstrip(".")


READERS: dict[str, Callable[[str], Any]] = {"integer": integer, "number": rational, "text": _folded}


class External(Task):
    """Compares an answer with the one in the file. `kind` says how both are read."""

    def __init__(self, info: Any, kind: str) -> None:
        super().__init__(info)
        self._kind = kind

    def generate(self, rng: Random, level: int) -> Draft:
        raise NotImplementedError(f"{self.name} has no generator: its questions come from a file")

    def check(self, payload: Payload, answer: str) -> Verdict:
        return Verdict.compare(self.read(payload, answer), self.read(payload, str(payload["answer"])))

    def oracle(self, payload: Payload) -> str:
        return str(payload["answer"])

    def read(self, payload: Payload, text: str) -> Any:
        """The value of an answer text. Raises Unparseable."""
        return option(text, payload["options"]) if self._kind == "choice" else READERS[self._kind](text)


KINDS = (*READERS, "choice")
for _kind in KINDS:
    task(
        f"external/{_kind}",
        params={"kind": _kind},
        summary="A question from a file",
        capabilities=(),
        answer_kind=_kind,
        levels=1,
        knobs="none",
        source="the user's file",
        licence="the file's own",
        default_level=1,
        answer_in_prompt=True,
        human_label=True,
    )(External)


def external_question(line: Mapping[str, Any], number: int) -> Question:
    """The question of a line. Raises ValueError if its own answer cannot be read as its kind."""
    kind = line.get("kind", "text")
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not isinstance(line.get("prompt"), str) or "answer" not in line:
        raise ValueError("a question needs `prompt` and `answer`")
    prompt = line["prompt"].strip()
    payload: Payload = {"answer": str(line["answer"]), "set": str(line.get("set", "external"))}
    if kind == "choice":
        options = {str(name): str(text) for name, text in dict(line["options"]).items()}
        payload["options"] = options
        if not all(text in prompt for text in options.values()):
            prompt = "\n".join([prompt, "", *(f"({name}) {text}" for name, text in options.items())])
    question = Question(f"external/{kind}", number, 1, prompt, payload)
    verdict = get_task(question.task).verify(question, payload["answer"])
    if not verdict.score:
        raise ValueError(f"its own answer is not read as {kind}: {verdict.reason}")
    return question
