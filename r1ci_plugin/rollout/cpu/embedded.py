"""The rollout engine as one object in this process: `await EmbeddedEngine(path).generate(...)`.

A thread of its own owns model and batcher and takes commands between two steps, so weights, aborts and new requests
never meet a running forward pass. Evaluation uses this class as it is; `server.py` puts it into a Ray actor.
Left out: batching (`batcher.py`), verl's method names (`server.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch

from r1ci_plugin.codec import end_tokens
from r1ci_plugin.rollout.cpu.batcher import ABORTED, Batcher, Generation
from r1ci_plugin.rollout.cpu.models import load_policy, prepare_policy
from r1ci_plugin.rollout.cpu.sampling import SamplingParams
from r1ci_plugin.rollout.cpu.slots import SlotMemory, bytes_per_token
from r1ci_plugin.rollout.cpu.stopping import StopStrings
from r1ci_plugin.rollout.cpu.weights import WeightLoader
from r1ci_plugin.threads import one_thread
from r1ci_plugin.weights import digest

T = TypeVar("T")
_Done = Callable[[Any], None]
_Command = tuple[_Done, Callable[[], None]]
"""What to do between two steps, behind whom to tell if it cannot be done."""


class EmbeddedEngine:
    """Continuous batching over a transformers causal LM on the CPU, in float32.

    Args:
        policy: a model folder, or a model object (it is then used in place, and not copied).
        tokenizer: for stop strings; a folder's own one is loaded if none is given.
        max_model_len: tokens of prompt and response together; by default what the model was made for.
        max_num_seqs: requests that run at a time, and sequences whose cache is kept; fewer if `kv_cache_bytes` says so.
        seed: of requests that bring none.
        threads: of the forward pass; by default all processors this process may use.
        kv_cache_bytes: bound of the key/value memory; by default a quarter of the machine's memory.
    """

    @one_thread()  # what the caller's thread leaves behind would slow down the engine's
    def __init__(
        self,
        policy: Any,
        tokenizer: Any = None,
        *,
        max_model_len: int | None = None,
        max_num_seqs: int = 128,
        seed: int = 0,
        threads: int | None = None,
        kv_cache_bytes: int | None = None,
    ) -> None:
        if isinstance(policy, (str, os.PathLike)):
            policy, own_tokenizer = load_policy(policy)
            tokenizer = tokenizer or own_tokenizer
        capacity = prepare_policy(policy, max_model_len)
        config = policy.config.get_text_config()
        budget = kv_cache_bytes or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
        slots = min(max_num_seqs, budget // (bytes_per_token(config) * (capacity + 1)))
        if slots < 1:
            raise ValueError(f"{budget} bytes of memory hold no cache of {capacity} tokens: lower max_model_len")
        self.model, self.max_model_len, self.max_num_seqs = policy, capacity, int(slots)
        most = threads or len(os.sched_getaffinity(0))
        memory = SlotMemory(config, self.max_num_seqs, capacity)
        eos = end_tokens(policy.generation_config, policy.config, tokenizer)
        self._batcher = Batcher(policy, memory, StopStrings(tokenizer, config.vocab_size), eos, seed, most)
        self._loader = WeightLoader(policy)
        self._loading = self._paused = self._rejecting = self._closed = False
        self._ended: RuntimeError | None = None
        self._parked: list[_Command] = []
        self._commands: deque[_Command] = deque()
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="r1ci-rollout", daemon=True)
        self._thread.start()

    # ---- requests

    async def generate(self, prompt_ids: list[int], sampling_params: dict[str, Any], request_id: str) -> Generation:
        """Sample a continuation of `prompt_ids`; see `SamplingParams` for the parameters.

        Raises ValueError on a parameter the engine cannot honour and on a prompt that leaves no room to generate.
        A cancelled call frees its place. While generation is paused, the call waits or comes back aborted, empty.
        """
        params = SamplingParams.from_dict(sampling_params)
        future, done = _promise()
        self._post(done, lambda: self._submit(request_id, prompt_ids, params, done))
        try:
            generation: Generation = await future
            return generation
        except asyncio.CancelledError:
            with contextlib.suppress(RuntimeError):  # the engine has ended, and with it the request
                self._post(done, lambda: self._cancel(done))
            raise

    async def abort(self, request_id: str | None = None) -> list[str]:
        """End one request, or all, with what it has; returns the ids that were running or waiting."""
        return await self._ask(lambda: self._batcher.abort(request_id))

    async def pause(self, reject: bool = False) -> list[str]:
        """Abort all and hold new requests until `resume`; with `reject` they come back aborted at once."""

        def stop() -> list[str]:
            self._paused, self._rejecting = True, reject
            if reject:
                self._unpark()
            return self._batcher.abort()

        return await self._ask(stop)

    async def resume(self) -> None:
        """Take requests again, those that waited first."""

        def go() -> None:
            self._paused = self._rejecting = False
            self._unpark()

        await self._ask(go)

    # ---- weights and memory

    async def load_weights(self, weights: Mapping[str, torch.Tensor], last: bool) -> None:
        """Copy a bucket of weights. From the first bucket to the last nothing is sampled; the last drops all caches."""

        def load() -> None:
            self._loading = True
            self._loader.load(weights)
            if last:
                self._loader.finish()
                self._batcher.forget()
                self._loading = False

        await self._ask(load)

    async def digest(self) -> str:
        """Which weights the engine holds, as `r1ci_plugin.weights.digest` of the model."""
        return await self._ask(lambda: digest(self.model.state_dict().items()))

    async def forget(self) -> None:
        """Drop all cached keys and values; running requests compute theirs again."""
        await self._ask(self._batcher.forget)

    async def sleep(self) -> None:
        """Give the key/value memory back to the system until the next request. Raises RuntimeError while one runs."""

        def release() -> None:
            if not self._batcher.idle:
                raise RuntimeError("the rollout engine cannot sleep while requests run: abort them first")
            self._batcher.memory.allocate()

        await self._ask(release)

    async def statistics(self) -> dict[str, int]:
        """Counters since the start: steps, sampled and prefilled tokens; and what runs and waits now."""
        b = self._batcher
        return await self._ask(
            lambda: {
                "steps": b.steps,
                "sampled_tokens": b.decoded,
                "prefilled_tokens": b.prefilled,
                "running": len(b.rows),
                "waiting": len(b.waiting),
            }
        )

    def close(self) -> None:
        """Stop the thread; requests still open fail, and so does every later call, with RuntimeError."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)

    # ---- the engine's thread

    def _post(self, done: _Done, command: Callable[[], None]) -> None:
        with self._wake:
            if self._ended:
                raise RuntimeError(str(self._ended)) from self._ended
            self._commands.append((done, command))
            self._wake.notify()

    async def _ask(self, question: Callable[[], T]) -> T:
        future, done = _promise()

        def command() -> None:
            if not future.cancelled():  # a call that was given up before its turn has no effect
                done(question())

        self._post(done, command)
        answer: T = await future
        return answer

    def _run(self) -> None:
        """Serve until closed. Whatever ends the thread, nobody is left waiting for it."""
        ended = RuntimeError("the rollout engine was closed")
        try:
            self._serve()
        except BaseException as error:  # has no caller to go to
            ended = RuntimeError(f"the rollout engine has failed: {error!r}")
            ended.__cause__ = error
        with self._wake:
            self._ended = ended  # nothing is posted any more
        for done, _ in [*self._commands, *self._parked]:
            done(ended)
        self._batcher.fail(ended)

    def _serve(self) -> None:
        while not self._closed:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._commands or self._busy())
            while self._commands:
                self._obey(*self._commands[0])
                self._commands.popleft()  # only now: who asked is told if the thread ends meanwhile
            if self._busy():
                self._step()

    def _obey(self, done: _Done, command: Callable[[], None]) -> None:
        try:
            command()
        except Exception as error:
            done(error)

    def _busy(self) -> bool:
        return not (self._batcher.idle or self._loading or self._closed)

    def _step(self) -> None:
        try:
            self._batcher.step()
        except Exception as error:  # the batch is lost, the engine is not
            self._batcher.fail(error)

    def _submit(self, request_id: str, prompt_ids: list[int], params: SamplingParams, done: _Done) -> None:
        if self._rejecting:
            done(Generation([], [], ABORTED, 0))
        elif self._paused:
            self._parked.append((done, lambda: self._submit(request_id, prompt_ids, params, done)))
        else:
            self._batcher.submit(request_id, prompt_ids, params, done)

    def _unpark(self) -> None:
        parked, self._parked = self._parked, []
        for done, submit in parked:
            self._obey(done, submit)

    def _cancel(self, done: _Done) -> None:
        self._parked = [(other, submit) for other, submit in self._parked if other is not done]
        self._batcher.drop(done)


def _promise() -> tuple[asyncio.Future[Any], _Done]:
    """A future of the running event loop, and what fulfils it from another thread, with a result or an exception."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def done(outcome: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop was closed meanwhile
            loop.call_soon_threadsafe(_settle, future, outcome)

    return future, done


def _settle(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return  # cancelled meanwhile
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
