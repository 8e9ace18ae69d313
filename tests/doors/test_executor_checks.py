"""Before Ray starts it is known whether code calls run, and what mends it where they do not."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from r1ci_plugin.checks import executor
from r1ci_plugin.interpreter.executor import ExecResult, Status
from r1ci_plugin.interpreter.local.executor import LocalExecutor


def config(**executor: Any) -> Any:
    return OmegaConf.create({"r1ci": {"executor": executor}, "ray_kwargs": {"ray_init": {"address": "local"}}})


def test_a_machine_that_runs_code_passes() -> None:
    [finding] = executor.check_running(config(slots=1, floor="seccomp"))
    assert finding.ok and "isolation level" in finding.what


def test_a_refused_isolation_is_said_with_its_own_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(self: LocalExecutor, code: str, **_: Any) -> ExecResult:
        return ExecResult("sandbox_error", reason="code calls would not be isolated as asked. Remedy: run Linux 5.12")

    monkeypatch.setattr(LocalExecutor, "run", run)
    for check in (executor.check_running, executor.check_executor):
        [finding] = check(config())
        assert not finding.ok
        assert finding.what.endswith("would not be isolated as asked")
        assert finding.mend == "run Linux 5.12"


@pytest.mark.parametrize(
    ("status", "said"), [("ok", "can import r1ci_plugin"), ("sandbox_error", "ended with sandbox_error no room")]
)
def test_an_open_door_and_a_call_that_failed_are_told_apart(
    status: Status, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(self: LocalExecutor, code: str, **_: Any) -> ExecResult:
        if "import" in code:
            return ExecResult(status, reason="no room" * (status != "ok"))
        return ExecResult("ok", "42\n") if "print" in code else ExecResult("timeout")

    monkeypatch.setattr(LocalExecutor, "run", run)
    [finding] = executor.check_executor(config())
    assert not finding.ok and said in finding.what
    assert status == "ok" or "import r1ci_plugin" not in finding.what


@pytest.mark.parametrize("endpoints", [["http://127.0.0.1:9"], []])
def test_no_code_server_is_said_with_the_command_that_starts_one(
    monkeypatch: pytest.MonkeyPatch, endpoints: list[str]
) -> None:
    monkeypatch.setattr(executor, "PATIENCE_S", 0.5)
    monkeypatch.delenv("SANDBOX_FUSION_ENDPOINT", raising=False)
    [finding] = executor.check_running(config(kind="remote", endpoints=endpoints))
    assert not finding.ok
    assert "r1ci sandbox serve" in finding.mend


def test_nothing_is_said_of_this_machine_where_code_runs_on_the_nodes_of_a_cluster() -> None:
    elsewhere = config(floor="landlock")
    elsewhere.ray_kwargs.ray_init.address = "gpu1:6379"
    assert list(executor.check_running(elsewhere)) == []
