"""The trajectories of a step: real questions of training tasks, and what the simulated policy says to them.

Texts are scripted, times are drawn; the tokens are those of a real byte-level tokenizer, trained on the questions. A
script sleeps for its drawn time, so that hundreds of them fit on two cores. Left out: a policy that reads what its
code printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log
from random import Random
from typing import Any

from r1ci_plugin.bench.rollout.parameters import CODE_LIMIT_S, PROFILES, LogNormal, Parameters, Profile
from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.data.row import make_row
from r1ci_plugin.seed_policy.tokenizer import CHAT_TEMPLATE, END, PAD, START
from r1ci_plugin.tasks import Question, get_task
from r1ci_plugin.tasks.splits import default_split

_VOCABULARY = 8_000
_PROSE = (
    "First I look at what is given and what is asked. The rules leave only a few ways to go on, so a short script can "
    "try all of them and keep what fits. I write down the state, the moves that are allowed from it and the test for "
    "the goal, then I search level by level and remember what was seen before. If nothing is found, the reading of the "
    "question was wrong and has to be checked once more; if more than one way is found, the shortest one is taken. "
)


@dataclass(frozen=True, slots=True)
class ScriptedTurn:
    """What the policy says, as token ids, and how long the code call at its end runs; None in the final turn."""

    ids: tuple[int, ...]
    code_s: float | None


@dataclass(frozen=True, slots=True)
class ScriptedTrajectory:
    """One answer to a question; the answers to a question share its prompt."""

    prompt_ids: tuple[int, ...]
    turns: tuple[ScriptedTurn, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question as verl's dataset would give it, and the trajectories that will be sampled for it."""

    row: dict[str, Any]
    trajectories: tuple[ScriptedTrajectory, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """One step."""

    prompts: tuple[Prompt, ...]
    tokenizer: Any

    @property
    def trajectories(self) -> list[ScriptedTrajectory]:
        return [trajectory for prompt in self.prompts for trajectory in prompt.trajectories]


def make_workload(parameters: Parameters, time_scale: float = 1.0) -> Workload:
    """The step of the parameters, the same for the same seed. Code sleeps `time_scale` times shorter."""
    count, group = parameters.layout.trajectories, parameters.trajectory.group
    questions, tokenizer = _questions(-(-count // group)), _tokenizer()
    codec = TokenizerCodec(tokenizer)
    writer = _Writer(codec, parameters, time_scale)
    prompts = []
    for index, question in enumerate(questions):
        row = make_row(question, "train", index)
        ids = tuple(codec.encode_prompt(row["prompt"]))
        siblings = min(group, count - index * group)
        answers = tuple(ScriptedTrajectory(ids, writer.turns(question)) for _ in range(siblings))
        prompts.append(Prompt(row, answers))
    return Workload(tuple(prompts), tokenizer)


class _Writer:
    """Draws and spells the turns."""

    def __init__(self, codec: TokenizerCodec, parameters: Parameters, time_scale: float) -> None:
        self._codec = codec
        self._parameters = parameters
        self._time_scale = time_scale
        self._chance = Random(parameters.seed)
        self._prose = codec.encode(_PROSE) * 20
        self._eos = min(codec.eos_ids)

    def turns(self, question: Question) -> tuple[ScriptedTurn, ...]:
        shape = self._parameters.trajectory
        count = self._chance.choices(range(1, len(shape.turns) + 1), shape.turns)[0]
        calls = [self._code_turn() for _ in range(count - 1)]
        return (*calls, ScriptedTurn(self._final_turn(question), None))

    def _code_turn(self) -> ScriptedTurn:
        code_s = code_time(self._chance, PROFILES[self._parameters.profile], self._parameters.code_time)
        slept = code_s / self._time_scale if code_s < CODE_LIMIT_S else 1e6  # the executor ends it
        opening = self._codec.encode('\n```python\nimport time\n\nnotes = """')
        closing = self._codec.encode(f'"""\ntime.sleep({slept:.6f})\nprint(len(notes.split()))\n```\n')
        left = self._length(self._parameters.trajectory.code_turn_tokens) - len(opening) - len(closing)
        words = max(0, left)
        ids = (*self._prose[: words // 2], *opening, *self._prose[: words - words // 2], *closing)
        return ScriptedTurn(ids, code_s)

    def _final_turn(self, question: Question) -> tuple[int, ...]:
        right = self._chance.random() < self._parameters.trajectory.right
        answer = get_task(question.task).solve(question) if right else "none of these"
        closing = self._codec.encode(f"\nSo the answer is <<<{answer}>>>")
        left = self._length(self._parameters.trajectory.final_turn_tokens) - len(closing) - 1
        return (*self._prose[: max(0, left)], *closing, self._eos)

    def _length(self, tokens: LogNormal) -> int:
        return min(round(draw(self._chance, tokens)), self._parameters.trajectory.max_turn_tokens)


def draw(chance: Random, numbers: LogNormal) -> float:
    """One of the numbers."""
    return chance.lognormvariate(log(numbers.median), numbers.sigma)


def code_time(chance: Random, profile: Profile, factor: float) -> float:
    """Seconds of a code call, at most the limit."""
    place = chance.random()
    for share, kind in profile.kinds:
        if place < share:
            return min(factor * draw(chance, kind), CODE_LIMIT_S)
        place -= share
    return CODE_LIMIT_S


def _questions(count: int) -> list[Question]:
    """Questions of the training tasks in turn."""
    tasks = default_split().train
    return [get_task(tasks[index % len(tasks)]).make(seed=index // len(tasks)) for index in range(count)]


@cache
def _tokenizer() -> Any:
    """About as many characters a token as the tokenizers of large policies have."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=_VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    texts = [
        make_row(question, "train", 0)["prompt"][0]["content"]
        for question in _questions(2 * len(default_split().train))
    ]
    tokenizer.train_from_iterator([_PROSE, *texts], trainer)
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in (PAD, START, END)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast
