"""Do code calls run? One call before a run starts, and for `r1ci doctor` also what code must not do.

Without this a job without a sandbox loads its policy, loses every trajectory that writes code, and stops an hour later.
Left out: trying every closed door (`interpreter/selftest.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from r1ci_plugin import backend
from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.config import ExecutorSettings, settings_from
from r1ci_plugin.interpreter.executor import ExecResult

SELFTEST = "r1ci sandbox selftest"
ANSWER = "print(6 * 7)"
PATIENCE_S = 10.0
"""How long a remote call may wait for a server beyond its own time."""


def check_running(config: Any) -> Iterator[Finding]:
    """A code call runs. Where a job joins a cluster, calls run on other machines than this: nothing is said then."""
    settings = settings_from(config).executor
    if settings.kind == "local" and (
        backend.choose().on_cluster or config.ray_kwargs.ray_init.get("address") not in (None, "local")
    ):
        return
    [result] = _results(settings, [ANSWER])
    yield _judged(settings, result)


def check_executor(config: Any) -> Iterator[Finding]:
    """Code calls run, end in time, and cannot import this package."""
    settings = settings_from(config).executor
    fine, endless, nosy = _results(settings, [ANSWER, "while True: pass", "import r1ci_plugin"])
    runs = _judged(settings, fine)
    if not runs.ok:
        yield runs
    elif endless.status != "timeout":
        yield broken(f"an endless code call ended with {endless.status}", SELFTEST)
    elif nosy.status == "ok":
        yield broken("a code call can import r1ci_plugin, and with it the solvers", SELFTEST)
    elif nosy.status != "error":
        yield broken(f"a code call that only imports ended with {nosy.status} {nosy.reason}".rstrip(), SELFTEST)
    else:
        yield runs


def _results(settings: ExecutorSettings, codes: Sequence[str]) -> list[ExecResult]:
    """One result for each code, also where there is no executor at all."""
    from r1ci_plugin.interpreter.remote import RemoteExecutor
    from r1ci_plugin.interpreter.settings import make_executor

    async def run() -> list[ExecResult]:
        executor = (
            RemoteExecutor(settings.endpoints, queue_allowance=PATIENCE_S)
            if settings.kind == "remote"
            else make_executor(settings)
        )
        try:
            return list(await asyncio.gather(*(executor.run(code, timeout=2.0) for code in codes)))
        finally:
            await executor.close()

    try:
        return asyncio.run(run())
    except (OSError, ValueError) as error:
        return [ExecResult("sandbox_error", reason=str(error)) for _ in codes]


def _judged(settings: ExecutorSettings, result: ExecResult) -> Finding:
    if result.stdout.strip() == "42":
        return ok(f"the {settings.kind} executor runs code, isolation level {result.isolation}")
    # a refusal names its remedies itself, see interpreter/local/host/levels.py
    why, _, remedy = (result.reason or f"{result.status} {result.stderr.strip()[-200:]}").partition(" Remedy: ")
    if settings.kind == "remote":
        remedy = (
            "r1ci sandbox serve --host 0.0.0.0 there, with the R1CI_SANDBOX_TOKEN of this machine, "
            "and its address in r1ci.executor.endpoints=['http://HOST:8080']"
        )
    return broken(f"the {settings.kind} executor does not run code: {why.rstrip('.')}", remedy or SELFTEST)
