"""The verifier pool for scripts without an event loop: the same pool, driven by a thread of its own.

    with BlockingVerifierPool(workers=2) as pool:
        verdicts = pool.verify_many(pairs)

Left out: everything a pool does (`pool.py`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, TypeVar

from typing_extensions import Self

from r1ci_plugin.reward.pool import VerifierPool
from r1ci_plugin.tasks import Question, Verdict

T = TypeVar("T")


class BlockingVerifierPool:
    """`VerifierPool` with blocking methods. Takes the same arguments, and may be called from several threads."""

    def __init__(self, workers: int = 2, deadline_s: float = 5.0, **options: Any) -> None:
        self._pool = VerifierPool(workers, deadline_s, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="verifier-pool", daemon=True)

    def verify(self, question: Question, answer: str) -> Verdict:
        """The verdict on an answer text. Raises PoolBroken if no worker can be started, and for nothing else."""
        return self._wait(self._pool.verify(question, answer))

    def verify_many(self, pairs: Iterable[tuple[Question, str]]) -> list[Verdict]:
        """The verdicts on many answers, in order."""
        return self._wait(self._pool.verify_many(pairs))

    def self_test(self, questions: Iterable[Question]) -> None:
        """Raises SelfTestFailed if a task of these questions does not judge its own solution correct in a worker."""
        self._wait(self._pool.self_test(questions))

    def stats(self) -> dict[str, float]:
        return self._pool.stats()

    def close(self) -> None:
        """Kill the workers and end the thread. May be called twice."""
        if self._thread.is_alive():
            self._wait(self._pool.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._wait(self._pool.start())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
