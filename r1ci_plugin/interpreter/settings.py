"""From the settings of a recipe or a command line to the executor they name."""

from __future__ import annotations

from r1ci_plugin.config import ExecutorSettings
from r1ci_plugin.interpreter.executor import Executor


def make_executor(settings: ExecutorSettings) -> Executor:
    """A new executor. Raises ValueError for a kind or a floor that does not exist."""
    if settings.kind == "local":
        from r1ci_plugin.interpreter.local.executor import LocalExecutor

        return LocalExecutor(slots=settings.slots, floor=settings.floor)
    if settings.kind == "remote":
        from r1ci_plugin.interpreter.remote import RemoteExecutor

        return RemoteExecutor(endpoints=list(settings.endpoints))
    raise ValueError(f"r1ci.executor.kind must be local or remote, not {settings.kind!r}")
