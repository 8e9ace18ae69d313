"""What runs a code call: the interface every executor keeps, and the result every caller reads.

Left out: how code is isolated (`local/`), how a remote service is spoken to (`remote.py`), and how a result is shown
to the model (`protocol.render_result`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Literal

from typing_extensions import Self

Status = Literal[
    "ok",  # ran to its end, exit code 0
    "error",  # an exception or a non-zero exit: the code's own doing
    "timeout",  # wall or CPU limit reached: the code's own doing
    "memory",  # memory limit reached: the code's own doing
    "output_limit",  # wrote more than is stored
    "disk_limit",  # wrote more files or bytes than its scratch space holds
    "killed",  # ended by a signal that is none of the above
    "rejected",  # never started: the code itself is over a limit (its size)
    "sandbox_error",  # the infrastructure failed: never the model's mistake, never shown to it
]


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What running one code call gave. Partial output is kept whatever the status."""

    status: Status
    stdout: str = ""
    stderr: str = ""
    """For an exception: the traceback of the code's own frames, without host paths."""
    exit_code: int | None = None
    signal: int | None = None
    stdout_bytes: int = 0
    """Bytes written, also where less is kept."""
    stderr_bytes: int = 0
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    queue_s: float = 0.0
    """Seconds waited for a free slot."""
    run_s: float = 0.0
    """Wall seconds from the start of the code to its end."""
    cpu_s: float = 0.0
    max_rss_mb: float = 0.0
    isolation: str = "none"
    """What protected the machine: `ns`, `landlock`, `seccomp`, or the remote's own word."""
    template: str = ""
    """Which warm template served the call, where there are templates."""
    backend: str = "local"
    endpoint: str = ""
    attempts: int = 1
    reason: str = ""
    """For `sandbox_error` and `rejected`: what failed, for people and logs."""

    @property
    def is_infrastructure_failure(self) -> bool:
        return self.status == "sandbox_error"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Executor(ABC):
    """Runs stateless code calls. One instance serves any number of concurrent trajectories of a process."""

    @abstractmethod
    async def run(
        self, code: str, *, timeout: float = 10.0, memory_mb: int = 512, sample_key: str | None = None
    ) -> ExecResult:
        """Run one snippet as a fresh `__main__`.

        timeout: wall seconds, counted from the moment the code starts. memory_mb: megabytes for the code on top of
        what the interpreter itself needs. sample_key: calls of the same key share one place in the fair queue.
        Never raises for anything the code does or for a failure of the infrastructure: that is `sandbox_error`.
        """

    async def start(self) -> None:  # noqa: B027
        """Get ready to run; called on first use if nobody called it before."""

    async def close(self) -> None:  # noqa: B027
        """Stop every process of this executor. May be called twice."""

    def stats(self) -> dict[str, float]:
        """Since the start: `calls`, a count for each status, `retries`, summed `queue_s` and `run_s` in seconds; and
        the percentiles 50, 95 and 99 of both over the latest calls, as `run_s_p95`."""
        return {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
