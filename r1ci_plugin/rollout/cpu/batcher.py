"""Continuous batching on one thread: requests in, one token for every active row a step, finished requests out.

Active requests sit in slots 0..n-1 of the `SlotMemory`, cached ones behind them. A finished row trades places with the
last active one and keeps its cache there until the slot is needed (least recently used first); a waiting request joins
between two steps. Admission finds the slot whose cached tokens share the longest prefix with the prompt, takes it over
(next turn of a trajectory) or copies that prefix (another sample of the same question, another question under the same
head prompt), and prefills only the rest. A prompt's last token is left to the decode step, so that a row that has all
but one token cached needs no forward pass of its own, and every row of a step is sampled in the same way.

What paid, in this order: not repeating keys and values for grouped heads (ten times at four heads over two, 128 rows,
400 tokens); one prefill for the samples of a question; threads that sleep while they wait (`r1ci_plugin/threads.py`);
stop strings looked for only after a token that can end one; one hash a row instead of a random generator a row; and for
policies of Llama's shape no modules of transformers (`lean.py`: 1.3 to 1.7 times the tokens at 12 to 32 rows), and of a
prompt's last layer keys and values only (a quarter of a prefill). What did not: plain matrix products instead of the
fused attention; attention in blocks of rows of like length.

Left out: threads and futures (`embedded.py`), Ray (`server.py`), verl (`replica.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from r1ci_plugin.rollout.cpu.forward import Forward, ModuleForward, NewTokens, steps_at_once
from r1ci_plugin.rollout.cpu.lean import LeanForward
from r1ci_plugin.rollout.cpu.sampling import RowSettings, SamplingParams, sample
from r1ci_plugin.rollout.cpu.slots import SlotMemory, common_prefix
from r1ci_plugin.rollout.cpu.stopping import StopStrings
from r1ci_plugin.threads import take_threads

COMPLETED = "completed"  # verl's name for both "stop" and "length"
ABORTED = "aborted"
_PREFILL_TOKENS = 4096  # of the rows of one forward pass, padding included
_WORTH_WAITING = 32  # tokens of prefill that justify waiting for a neighbour's prefill to end
_GO_ON, _LOOK, _END = 0, 1, 2  # what a sampled token means for its row


@dataclass
class Generation:
    """What a request got: sampled ids, their log-probabilities, and why it ended (`completed` or `aborted`)."""

    token_ids: list[int]
    log_probs: list[float]
    stop_reason: str
    num_cached_tokens: int
    """prompt tokens whose keys and values were already there"""


@dataclass(eq=False)
class Request:
    """One call of generate while it waits or runs. `done` is called once, on the batcher's thread."""

    request_id: str
    prompt: np.ndarray
    params: SamplingParams
    done: Callable[[Generation | BaseException], None]
    key: int
    limit: int
    marks: bytes  # by token id: what it means for this request when sampled
    sampled: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    cached: int = 0

    @property
    def total(self) -> int:
        return len(self.prompt) + len(self.sampled)

    def result(self, stop_reason: str) -> Generation:
        return Generation(self.sampled, self.log_probs, stop_reason, self.cached)


class Batcher:
    """Runs `model` (see `ModuleForward`) over `memory`.

    Not thread-safe. `stop_strings` finds stop strings; `eos` are the ids that end a request unless it ignores them;
    `threads` is the most a forward pass takes.
    """

    def __init__(
        self,
        model: Any,
        memory: SlotMemory,
        stop_strings: StopStrings,
        eos: frozenset[int],
        seed: int,
        threads: int,
    ) -> None:
        self.memory = memory
        self._threads = threads
        self.vocab_size = int(model.config.vocab_size)
        self.waiting: deque[Request] = deque()
        self.rows: list[Request] = []
        self.steps = self.prefilled = self.decoded = 0
        self._stop_strings, self._eos = stop_strings, eos
        self._seeds = np.random.default_rng(seed)
        self._settings: RowSettings | None = None
        self._marks: dict[tuple[Any, ...], bytes] = {}
        lean = LeanForward.serves(model)
        self._forward: Forward = LeanForward(model, memory.capacity) if lean else ModuleForward(model)

    # ---- requests in and out

    def submit(self, request_id: str, prompt_ids: list[int], params: SamplingParams, done: Callable[..., None]) -> None:
        """Queue a request. Raises ValueError on a prompt that is empty, too long or outside the vocabulary."""
        prompt = np.asarray(prompt_ids, dtype=np.int64)
        room = self.memory.capacity - len(prompt)
        if not len(prompt):
            raise ValueError("the prompt holds no tokens")
        if room < 1:
            raise ValueError(
                f"the prompt of {len(prompt)} tokens leaves no room to generate: the context holds "
                f"{self.memory.capacity} tokens (rollout.max_model_len, or prompt_length + response_length)"
            )
        if prompt.min() < 0 or prompt.max() >= self.vocab_size:
            raise ValueError(f"the prompt holds token ids outside the vocabulary of {self.vocab_size}")
        key = int(self._seeds.integers(2**63)) if params.seed is None else params.seed % 2**64
        limit = room if params.max_tokens is None else min(params.max_tokens, room)
        self.waiting.append(Request(request_id, prompt, params, done, key, limit, self._marks_of(params)))

    def abort(self, request_id: str | None = None) -> list[str]:
        """End one request, or all of them, with the tokens sampled so far. Returns the ids that were ended."""
        chosen = [r for r in [*self.rows, *self.waiting] if request_id in (None, r.request_id)]
        self._remove(chosen)
        for request in chosen:
            request.done(request.result(ABORTED))
        return [request.request_id for request in chosen]

    def drop(self, done: Callable[..., None]) -> None:
        """Forget the request whose caller has gone."""
        self._remove([r for r in [*self.rows, *self.waiting] if r.done is done])

    def fail(self, error: BaseException) -> None:
        """End all requests with `error` and take fresh memory: it may hold numbers that are not numbers."""
        chosen = [*self.rows, *self.waiting]
        self.rows.clear()
        self.waiting.clear()
        self._settings = None
        for request in chosen:
            request.done(error)
        self.memory.allocate()

    def forget(self) -> None:
        """Drop all caches, as after a change of weights. Running requests compute theirs again."""
        self.memory.forget()
        self._prefill(list(range(len(self.rows))))

    @property
    def idle(self) -> bool:
        return not self.rows and not self.waiting

    # ---- one step

    @torch.inference_mode()
    def step(self) -> None:
        """Admit what fits, then sample one token for every active row and hand out the finished ones."""
        self._admit()
        if not self.rows:
            return
        memory, n = self.memory, len(self.rows)
        if self._settings is None:
            self._settings = RowSettings.of([r.params for r in self.rows], [r.key for r in self.rows], self.vocab_size)
        at = memory.length[:n].copy()
        logits = self._forward.logits(
            self._new_tokens(slice(0, n), memory.tokens[np.arange(n), at][:, None], at[:, None])
        )
        drawn, log_probs = sample(logits, self._settings, at + 1)
        tokens = drawn.numpy()
        memory.length[:n] += 1
        self.steps += 1
        self.decoded += n
        # A row that has just filled its context ends below; its last token needs no place in the slot.
        fits = at + 1 < memory.capacity
        memory.tokens[np.nonzero(fits)[0], at[fits] + 1] = tokens[fits]
        self._record(tokens.tolist(), log_probs.tolist())

    def _record(self, tokens: list[int], log_probs: list[float]) -> None:
        ended = []
        for request, token, log_prob in zip(self.rows, tokens, log_probs, strict=True):
            request.sampled.append(token)
            request.log_probs.append(log_prob)
            if (request.marks[token] != _GO_ON or len(request.sampled) >= request.limit) and self._ends(request, token):
                ended.append(request)
        self._remove(ended)
        for request in ended:
            request.done(request.result(COMPLETED))

    def _ends(self, request: Request, token: int) -> bool:
        if request.marks[token] == _END or len(request.sampled) >= request.limit:
            return True
        return self._stop_strings.found(request.params.stop, request.sampled)

    def _marks_of(self, params: SamplingParams) -> bytes:
        """By token id: what sampling it means for a request with these parameters."""
        name = (params.stop, params.stop_token_ids, params.ignore_eos)
        if name not in self._marks:
            marks = np.full(self.vocab_size, _GO_ON, dtype=np.uint8)
            if params.stop:
                marks[self._stop_strings.finishers(params.stop)] = _LOOK
            ends = params.stop_token_ids | (frozenset() if params.ignore_eos else self._eos)
            marks[[i for i in ends if 0 <= i < self.vocab_size]] = _END
            self._marks[name] = marks.tobytes()
        return self._marks[name]

    def _remove(self, requests: list[Request]) -> None:
        """Take requests out of the queue or of the active rows; their caches stay behind the active slots."""
        leaving = {id(r) for r in requests}
        self.waiting = deque(r for r in self.waiting if id(r) not in leaving)
        for row in reversed(range(len(self.rows))):
            if id(self.rows[row]) in leaving:
                last = len(self.rows) - 1
                self.memory.touch(row)
                self.memory.swap(row, last)
                self.rows[row] = self.rows[last]
                self.rows.pop()
                self._settings = None

    # ---- admission

    def _admit(self) -> None:
        while self.waiting and len(self.rows) < self.memory.slots:
            first = len(self.rows)
            held_back = self._place()
            self.waiting.extendleft(reversed(held_back))
            self._prefill(list(range(first, len(self.rows))))
            if not held_back:
                return

    def _place(self) -> list[Request]:
        """Give waiting requests slots; return those for whom a neighbour's coming prefill is worth waiting for."""
        held_back: list[Request] = []
        coming: list[np.ndarray] = []
        while self.waiting and len(self.rows) < self.memory.slots:
            request = self.waiting.popleft()
            body = request.prompt[:-1]
            runs = self.memory.longest_prefix(body)
            best = int(runs.argmax())
            soon = max((common_prefix(body, other) for other in coming), default=0)
            if soon >= runs[best] + _WORTH_WAITING:
                held_back.append(request)
                continue
            self._seat(request, best, int(runs[best]))
            coming.append(body)
        return held_back

    def _seat(self, request: Request, source: int, run: int) -> None:
        """Put the request into the next active slot, with the `run` tokens that slot `source` has cached."""
        memory, row = self.memory, len(self.rows)
        if source >= row and run == memory.length[source]:
            memory.swap(source, row)  # its own earlier turn: nobody else needs that slot
        else:
            oldest = row + int(np.where(memory.length[row:] == 0, -1, memory.used[row:]).argmin())
            memory.copy_prefix(source, oldest, run)
            memory.swap(oldest, row)
        memory.length[row] = run
        memory.tokens[row, : len(request.prompt)] = request.prompt
        memory.touch(row)
        request.cached = run
        self.rows.append(request)
        self._settings = None

    @torch.inference_mode()
    def _prefill(self, rows: list[int]) -> None:
        """Compute keys and values of all but the last token of these rows, in groups of like length."""
        missing = {row: self.rows[row].total - 1 - int(self.memory.length[row]) for row in rows}
        todo = sorted((row for row in rows if missing[row]), key=lambda row: missing[row])
        while todo:
            group: list[int] = []
            while todo and (not group or (len(group) + 1) * missing[todo[0]] <= _PREFILL_TOKENS):
                group.append(todo.pop(0))
            self._prefill_group(np.array(group), np.array([missing[row] for row in group]))

    def _prefill_group(self, rows: np.ndarray, missing: np.ndarray) -> None:
        while len(rows):  # long ones in pieces
            most = steps_at_once(self.memory, len(rows), int((self.memory.length[rows] + missing).max()))
            self._prefill_piece(rows, np.minimum(missing, most))
            rows, missing = rows[missing > most], missing[missing > most] - most

    def _prefill_piece(self, rows: np.ndarray, missing: np.ndarray) -> None:
        memory = self.memory
        steps = np.arange(missing.max())[None]
        real = steps < missing[:, None]
        positions = np.where(real, memory.length[rows][:, None] + steps, memory.capacity)
        inputs = memory.tokens[rows[:, None], np.minimum(positions, memory.capacity - 1)]
        self._forward.store(self._new_tokens(torch.from_numpy(rows), inputs, positions))
        memory.length[rows] += missing
        self.prefilled += int(missing.sum())

    def _new_tokens(self, rows: slice | torch.Tensor, inputs: np.ndarray, positions: np.ndarray) -> NewTokens:
        """(B, Q) tokens for the next forward pass, and the threads that it is worth."""
        take_threads(inputs.size, self._threads)
        return NewTokens.of(self.memory, rows, inputs, positions)
