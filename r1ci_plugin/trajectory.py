"""The one state machine of the interaction, and the record it leaves.

A driver asks for the first command and answers each one with an event, until it is told to finish:

    command = interaction.start()
    while not isinstance(command, Finish):
        if isinstance(command, Generate):
            command = interaction.sampled(ids, log_probs)      # what the engine sampled for interaction.token_ids
        else:
            command = interaction.executed(result)             # what the executor gave for command.code
    interaction.trajectory                                     # turns, outcome, answer, masks

The agent loop of training, the evaluation agents and SFT rendering only drive it, so that they agree to the token. It
holds token ids as sampled and never encodes a policy's own text. Left out: the format of a turn (`protocol.py`),
engines, executors, rewards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from r1ci_plugin.codec import Codec
from r1ci_plugin.config import Limits
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import STOP, ParsedTurn, cut_notice, frame_result, parse_turn, render_result

Outcome = Literal[
    "answered",  # the final turn holds an answer
    "no_answer",  # the policy ended its final turn without one
    "call_limit",  # it asked for one more code call than it may
    "length",  # the token budget ended it
    "lost",  # the infrastructure failed: the trajectory is dropped, never scored
]
OUTCOMES: tuple[Outcome, ...] = ("answered", "no_answer", "call_limit", "length", "lost")


@dataclass(frozen=True, slots=True)
class Generate:
    """Sample a continuation of `token_ids`, up to an end-of-text token, one of `stop` (included) or `max_tokens`."""

    max_tokens: int
    stop: tuple[str, ...] = (STOP,)


@dataclass(frozen=True, slots=True)
class Run:
    """Run a code call."""

    code: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing more to do."""

    outcome: Outcome


Command = Generate | Run | Finish


@dataclass(slots=True)
class CodeCall:
    """A code block that was run, and its execution result as inserted."""

    code: str
    result: ExecResult | None = None
    inserted_ids: list[int] = field(default_factory=list)
    """Tokens of the framed result, mask 0; empty where the trajectory ended before it fitted in."""
    inserted_text: str = ""


@dataclass(slots=True)
class Turn:
    """One sampled stretch between execution results."""

    ids: list[int] = field(default_factory=list)
    """As sampled, mask 1; the last turn keeps its end-of-text token."""
    log_probs: list[float] = field(default_factory=list)
    """Of the sampled ids; empty if the engine gave none."""
    text: str = ""
    """Without the end-of-text token."""
    call: CodeCall | None = None


@dataclass(slots=True)
class Trajectory:
    """All that happened between a prompt and its outcome."""

    prompt_ids: list[int]
    turns: list[Turn] = field(default_factory=list)
    outcome: Outcome | None = None
    answer: str | None = None
    reason: str = ""
    """Why it was lost."""
    transport: str = "tokens"
    """`tokens` (one growing assistant message) or `messages` (results go as user messages, for chat endpoints)."""

    @property
    def response_ids(self) -> list[int]:
        ids: list[int] = []
        for turn in self.turns:
            ids += turn.ids
            ids += _inserted(turn)
        return ids

    @property
    def response_mask(self) -> list[int]:
        """1 on sampled tokens, 0 on execution results; as long as `response_ids`."""
        mask: list[int] = []
        for turn in self.turns:
            mask += [1] * len(turn.ids)
            mask += [0] * len(_inserted(turn))
        return mask

    @property
    def response_log_probs(self) -> list[float] | None:
        """0.0 on execution results; as long as `response_ids`. None if any turn lacks them."""
        if any(len(turn.log_probs) != len(turn.ids) for turn in self.turns):
            return None
        log_probs: list[float] = []
        for turn in self.turns:
            log_probs += turn.log_probs
            log_probs += [0.0] * len(_inserted(turn))
        return log_probs

    @property
    def calls(self) -> list[CodeCall]:
        """The code calls that were run."""
        return [turn.call for turn in self.turns if turn.call is not None]

    def parsed(self) -> list[ParsedTurn]:
        """Every turn, read again from its sampled text."""
        return [parse_turn(turn.text) for turn in self.turns]

    def is_well_formed(self) -> bool:
        """The format rule.

        Every non-final turn has exactly one complete, non-empty Python block; the final turn exactly one marker and no
        Python block; no result is imitated; the outcome is an answer.
        """
        return self._keeps_format(self.parsed())

    def _keeps_format(self, turns: Sequence[ParsedTurn]) -> bool:
        *inner, final = turns or [parse_turn("")]
        return (
            self.outcome == "answered"
            and all(turn.python_blocks == 1 and (turn.code or "").strip() for turn in inner)
            and len(final.markers) == 1
            and not (final.python_blocks or final.open_block)
            and not any(turn.imitates_result for turn in (*inner, final))
        )

    def facts(self) -> dict[str, float]:
        """Numbers on this trajectory for rewards and metrics; the same keys for every trajectory."""
        results = [call.result for call in self.calls if call.result is not None]
        status = Counter(result.status for result in results)
        codes = [call.code for call in self.calls]
        parsed = self.parsed()
        return {
            "turns": len(self.turns),
            "calls": len(codes),
            "repeated_calls": len(codes) - len(set(codes)),
            "calls_ok": status["ok"],
            "calls_error": status["error"],
            "calls_timeout": status["timeout"],
            "calls_memory": status["memory"],
            "call_run_s": sum(result.run_s for result in results),
            "call_queue_s": sum(result.queue_s for result in results),
            "call_retries": sum(result.attempts - 1 for result in results),
            "imitated_results": sum(turn.imitates_result for turn in parsed),
            "well_formed": float(self._keeps_format(parsed)),
            "sampled_tokens": sum(len(turn.ids) for turn in self.turns),
            "inserted_tokens": sum(len(_inserted(turn)) for turn in self.turns),
            **{f"outcome_{name}": float(self.outcome == name) for name in OUTCOMES},
        }

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = _plain(self)
        return plain

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Trajectory:
        turns = [Turn(**{**turn, "call": _call_from(turn["call"])}) for turn in data["turns"]]
        return cls(**{**data, "turns": turns})


MAX_RESUMES = 8
"""How often one turn may stop without having closed a Python block. Then it goes on without a stop string, and what
follows a block is cut off, as for engines that ignore stops: a policy that writes nothing but fences costs few calls.
"""


class Interaction:
    """Drives one trajectory. `response_tokens` bounds the response, `context_tokens` prompt and response together.

    The prompt must leave room for at least one token, else ValueError.
    """

    def __init__(
        self,
        codec: Codec,
        prompt_ids: Sequence[int],
        limits: Limits,
        *,
        response_tokens: int,
        context_tokens: int | None = None,
    ) -> None:
        self._codec = codec
        self._limits = limits
        room = response_tokens if context_tokens is None else min(response_tokens, context_tokens - len(prompt_ids))
        if room < 1:
            raise ValueError(f"a prompt of {len(prompt_ids)} tokens leaves no room in a context of {context_tokens}")
        self._room = room
        self._asked = 0
        self._resumed = 0
        self.trajectory = Trajectory(list(prompt_ids))

    @property
    def token_ids(self) -> list[int]:
        """What the engine continues: prompt, sampled tokens and results so far."""
        return self.trajectory.prompt_ids + self.trajectory.response_ids

    def start(self) -> Command:
        """The first command. Call once."""
        self.trajectory.turns.append(Turn())
        return self._generate()

    def sampled(self, ids: Sequence[int], log_probs: Sequence[float] | None, cut: bool = False) -> Command:
        """The engine sampled `ids` for the last `Generate`; `log_probs` are theirs, or None if the engine has none.

        What an engine gives after an end-of-text token or beyond `max_tokens` was not asked for and is left out. `cut`
        says that a budget of the engine's own ended it, for engines that count in other units than this machine.
        """
        if not self._asked:
            raise RuntimeError("no generation is waiting for tokens")
        if log_probs and len(log_probs) != len(ids):
            return self.lost(f"the engine returned {len(log_probs)} log-probabilities for {len(ids)} tokens")
        asked, self._asked = self._asked, 0
        ids, log_probs = ids[:asked], (log_probs or ())[:asked]
        end = 0
        if not self._codec.eos_ids.isdisjoint(ids):
            end = next(place for place, token in enumerate(ids, 1) if token in self._codec.eos_ids)
            ids, log_probs = ids[:end], log_probs[:end]
        turn = self.trajectory.turns[-1]
        turn.ids += ids
        turn.log_probs += log_probs
        turn.text = self._codec.decode(turn.ids[:-1] if end else turn.ids)
        parsed = parse_turn(turn.text)
        if parsed.code is not None:
            return self._close_with_call(turn, parsed)
        if end:
            return self._final(parsed)
        if cut or len(ids) >= asked:
            return self._finish("length")
        return self._resume(ids, parsed)

    def executed(self, result: ExecResult) -> Command:
        """The executor ran the last `Run`."""
        turn = self.trajectory.turns[-1]
        if turn.call is None or turn.call.result is not None:
            raise RuntimeError("no code call is waiting for a result")
        turn.call.result = result
        if result.is_infrastructure_failure:
            return self.lost(f"code call: {result.reason or 'the executor failed'}")
        ids = self._framed(render_result(result), turn.text)
        if len(ids) >= self._left:
            return self._finish("length")  # no half results: what does not fit is not inserted
        turn.call.inserted_ids, turn.call.inserted_text = ids, self._codec.decode(ids)
        self.trajectory.turns.append(Turn())
        self._resumed = 0
        return self._generate()

    def lost(self, reason: str) -> Finish:
        """The infrastructure failed: the trajectory must be dropped."""
        self.trajectory.reason = reason
        return self._finish("lost")

    @property
    def _left(self) -> int:
        return self._room - sum(len(turn.ids) + len(_inserted(turn)) for turn in self.trajectory.turns)

    def _generate(self) -> Command:
        self._asked = self._left
        stop = (STOP,) if self._resumed < MAX_RESUMES else ()
        return Generate(self._asked, stop) if self._asked > 0 else self._finish("length")

    def _resume(self, ids: Sequence[int], parsed: ParsedTurn) -> Command:
        """The engine ended before its budget, without an end-of-text token and without a Python block.

        A stop that closes no Python block (another language's fence) does not end the turn. Any other early end: where
        there are tokens, the engine broke off; text alone ends without a token.
        """
        self._resumed += 1
        text = self._codec.decode(ids)
        if not self._codec.eos_ids:
            return self._generate() if text.endswith(STOP) else self._final(parsed)
        return self._generate() if STOP in text else self.lost(f"the engine broke off after {len(ids)} tokens")

    def _close_with_call(self, turn: Turn, parsed: ParsedTurn) -> Command:
        assert parsed.code is not None
        keep = self._tokens_covering(turn, parsed.code_end)
        if keep < len(turn.ids):
            # What follows the block: an end-of-text token, or text of an engine that ignores stop strings.
            del turn.ids[keep:], turn.log_probs[keep:]
            turn.text = self._codec.decode(turn.ids)
        if len(self.trajectory.calls) >= self._limits.max_code_calls:
            return self._finish("call_limit")
        if self._left <= 0:
            return self._finish("length")  # nothing could follow the result
        turn.call = CodeCall(parsed.code)
        return Run(parsed.code)

    def _tokens_covering(self, turn: Turn, end: int) -> int:
        """How many leading tokens it takes to spell the first `end` characters of the turn's text."""
        ids = turn.ids
        last = "" if ids[-1] in self._codec.eos_ids else self._codec.decode(ids[-1:])
        if end == len(turn.text) and last.endswith(turn.text[-1]):
            return len(ids)  # the usual case: the engine stopped right after the block, with its last character
        if len(self._codec.decode(ids[:-1])) < end:
            return len(ids)
        low, high = 1, len(ids) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if len(self._codec.decode(ids[:middle])) >= end else (middle + 1, high)
        return low

    def _framed(self, body: str, after: str) -> list[int]:
        """The inserted tokens of a rendered result."""
        head, tail = frame_result("\0", after=after).split("\0")
        return [*self._codec.encode(head), *self._bounded(body), *self._codec.encode(tail)]

    def _bounded(self, body: str) -> list[int]:
        """The tokens of a rendered result, its middle cut out where it is longer than allowed."""
        limit = self._limits.result_max_tokens
        reach = 32 * limit  # characters from either end that are worth encoding: output may be megabytes
        if len(body) <= 2 * reach:
            head = tail = self._codec.encode(body)
            if len(head) <= limit:
                return head
        else:
            head, tail = self._codec.encode(body[:reach]), self._codec.encode(body[-reach:])
        head, tail = head[: limit // 2], tail[limit // 2 - limit :]
        # Halves of characters at the cuts may make the count wrong by one or two.
        left_out = max(1, len(body) - len(self._codec.decode(head)) - len(self._codec.decode(tail)))
        return [*head, *self._codec.encode(cut_notice(left_out)), *tail]

    def _final(self, parsed: ParsedTurn) -> Finish:
        self.trajectory.answer = parsed.answer
        return self._finish("no_answer" if parsed.answer is None else "answered")

    def _finish(self, outcome: Outcome) -> Finish:
        self.trajectory.outcome = outcome
        return Finish(outcome)


def _plain(value: Any) -> Any:
    """As `dataclasses.asdict`, which would visit every token of every list."""
    if is_dataclass(value):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, list):
        return list(map(_plain, value)) if value and is_dataclass(value[0]) else value.copy()
    return value


def _inserted(turn: Turn) -> list[int]:
    return turn.call.inserted_ids if turn.call is not None else []


def _call_from(data: dict[str, Any] | None) -> CodeCall | None:
    if data is None:
        return None
    result = data["result"]
    return CodeCall(**{**data, "result": ExecResult(**result) if result is not None else None})
