"""What a person sees while answers come in: how many of how many, how right, how fast, how long still.

On a terminal a bar that is drawn in place; elsewhere a line every fifteen seconds. All of it goes to stderr. Left out:
tables at the end.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typing_extensions import Self

from r1ci_plugin.record import Record

LINE_EVERY_S = 15.0


class Live:
    """Counts records. `total` is how many are expected at most."""

    def __init__(self, total: int, quiet: bool = False) -> None:
        self._total, self._quiet = total, quiet
        self._started = self._said = time.monotonic()
        self._done, self._right = 0, 0.0
        self._fresh, self._tokens, self._run_s = 0, 0, 0.0
        """Of answers of this sitting: those read back from an earlier one took no time of it."""
        self._bar: Progress | None = None
        if sys.stderr.isatty() and not quiet:
            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._line = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def on_record(self, record: Record, is_fresh: bool = True) -> None:
        """Take in one more record. is_fresh: it was answered now, not read back."""
        self._done += 1
        self._right += record.acc
        if is_fresh:
            self._fresh += 1
            self._tokens += record.usage.sampled_tokens
            self._run_s += sum(call.result.run_s for call in record.trajectory.calls if call.result)
        if self._bar:
            self._bar.update(self._line, completed=self._done, description=self._words())
        elif not self._quiet and time.monotonic() - self._said > LINE_EVERY_S:
            self._said = time.monotonic()
            print(f"{self._done} of {self._total} answers, {self._words()}, {self._eta()}", file=sys.stderr, flush=True)

    def _words(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-3)
        return (
            f"accuracy {self._right / self._done:.3f}, {self._tokens / seconds:.0f} tokens/s, "
            f"code runs {self._run_s / seconds:.2f} slots"
        )

    def _eta(self) -> str:
        seconds = (time.monotonic() - self._started) / max(1, self._fresh) * (self._total - self._done)
        return f"{seconds / 60:.0f} min left"
