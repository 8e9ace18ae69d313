"""The remote executor against a server that fails in every way a server can, on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from r1ci_plugin.interpreter import RemoteExecutor
from r1ci_plugin.interpreter.breaker import Endpoint
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.interpreter.fusion import BadRequest, InfrastructureFault, Request, answer_for, result_from

Reply = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: str, extra: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}\r\n{body}".encode()


def finished(stdout: str) -> str:
    run = {"status": "Finished", "execution_time": 0.01, "return_code": 0, "stdout": stdout, "stderr": ""}
    return json.dumps({"status": "Success", "message": "", "run_result": run})


async def well(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(http(200, finished("1\n")))


async def reset(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"status":')
    await writer.drain()
    writer.transport.abort()


async def silent(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


def says(status: int, body: str = "{}") -> Reply:
    async def reply(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(http(status, body, "Retry-After: 1\r\n" if status == 429 else ""))

    return reply


BROKEN = json.dumps({"status": "SandboxError", "message": "no disk", "run_result": None})
FAULTS = {
    "reset in the body": reset,
    "no answer": silent,
    "server error": says(500),
    "bad gateway": says(502),
    "gateway time-out": says(504),
    "too many requests": says(429),
    "no JSON": says(200, "<html>"),
    "JSON of another kind": says(200, "[1, 2]"),
    "sandbox error": says(200, BROKEN),
    "unknown run status": says(200, json.dumps({"status": "Success", "run_result": {"status": "?", "return_code": 0}})),
}


@asynccontextmanager
async def stub(reply: Reply, port: int = 0) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback that answers with `reply`; gives its URL and the requests it saw."""
    seen: list[dict[str, Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                seen.append(json.loads(await reader.readexactly(length)))
                await reply(seen[-1], writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_call_lost_at_one_server_is_sent_to_the_other(fault: str) -> None:
    async with (
        stub(FAULTS[fault]) as (bad, lost),
        stub(well) as (good, _),
        RemoteExecutor([bad, good], queue_allowance=1.5) as executor,
    ):
        results = await asyncio.gather(*(executor.run("print(1)", timeout=0.5) for _ in range(6)))
    assert {result.stdout for result in results} == {"1\n"}, results
    assert {result.endpoint for result in results} == {good}
    assert sum(result.attempts for result in results) == len(lost) + 6 and lost


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failing_server_alone_gives_a_sandbox_error_within_the_deadline(fault: str) -> None:
    async with stub(FAULTS[fault]) as (bad, _), RemoteExecutor([bad], queue_allowance=1.0) as executor:
        result = await asyncio.wait_for(executor.run("print(1)", timeout=0.5), 20)
    assert result.status == "sandbox_error" and result.reason and result.is_infrastructure_failure


async def test_a_refused_connection_is_an_infrastructure_failure() -> None:
    async with stub(well) as (url, _):
        pass
    async with RemoteExecutor([url], queue_allowance=1.0) as executor:
        assert (await executor.run("print(1)", timeout=0.5)).status == "sandbox_error"


async def test_a_request_the_server_calls_bad_is_not_sent_again() -> None:
    async with stub(says(422)) as (url, seen), RemoteExecutor([url]) as executor:
        result = await executor.run("print(1)")
    assert result.status == "sandbox_error" and "422" in result.reason
    assert len(seen) == 1


async def test_the_breaker_opens_and_closes_again_by_running_real_code() -> None:
    healthy = False

    async def reply(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, finished("1\n")) if healthy else http(502, ""))

    async with stub(reply) as (url, seen), RemoteExecutor([url], queue_allowance=20.0) as executor:
        assert (await executor.run("print(2)", timeout=0.5)).attempts == 3
        waiting = asyncio.create_task(executor.run("print(3)", timeout=0.5))
        while len(seen) < 5:
            await asyncio.sleep(0.01)
        healthy = True
        result = await waiting
    assert (result.status, result.attempts) == ("ok", 3), "the call has waited for the endpoint to come back"
    codes = [request["code"] for request in seen]
    assert codes == ["print(2)"] * 3 + ["print(3)"] * 2 + ["print(1)", "print(3)"], "the probe comes first, and alone"


async def test_a_server_that_restarts_costs_no_call() -> None:
    async with stub(well) as (url, _):
        port = int(url.rpartition(":")[2])
    async with RemoteExecutor([url], queue_allowance=30.0) as executor:
        calls = [asyncio.create_task(executor.run("print(1)", timeout=0.5)) for _ in range(12)]
        await asyncio.sleep(1.0)
        async with stub(well, port):
            results = await asyncio.gather(*calls)
    assert {result.status for result in results} == {"ok"}


async def test_a_full_server_is_asked_again_and_not_taken_for_broken() -> None:
    refusals = 12

    async def reply(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        nonlocal refusals
        refusals -= 1
        writer.write(http(429, "") if refusals >= 0 else http(200, finished("1\n")))

    async with stub(reply) as (url, seen), RemoteExecutor([url], queue_allowance=60.0) as executor:
        results = await asyncio.gather(*(executor.run("print(1)", timeout=0.5) for _ in range(4)))
    assert {result.status for result in results} == {"ok"} and len(seen) == 16
    assert executor.stats()["retries"] == 12


async def test_the_least_busy_server_gets_the_call() -> None:
    async def slow(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await well(request, writer)

    async with stub(slow) as (lazy, few), stub(well) as (quick, many), RemoteExecutor([lazy, quick]) as executor:
        gate = asyncio.Semaphore(4)

        async def call() -> str:
            async with gate:
                return (await executor.run("print(1)")).endpoint

        used = await asyncio.gather(*(call() for _ in range(60)))
    assert used.count(quick) == len(many) > 2 * len(few) == 2 * used.count(lazy) > 0


async def test_a_server_that_answers_pings_but_runs_nothing_is_left_alone() -> None:
    async def dead(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with (
        stub(dead) as (bad, wasted),
        stub(well) as (good, _),
        RemoteExecutor([bad, good], queue_allowance=0.3) as executor,
    ):
        for _ in range(8):
            await asyncio.gather(*(executor.run("print(1)", timeout=0.2) for _ in range(4)))
        late = [await executor.run("print(2)", timeout=0.2) for _ in range(4)]
    assert {result.status for result in late} == {"ok"}, late
    assert len(wasted) <= 16 and not any(request["code"] == "print(2)" for request in wasted)


async def test_the_fallback_to_this_machine_is_only_taken_where_it_was_asked_for() -> None:
    async with (
        stub(says(502)) as (url, _),
        RemoteExecutor([url], fallback="local", queue_allowance=1.0) as executor,
    ):
        results = [await executor.run("print(7)", timeout=5) for _ in range(4)]
        assert results[-1].stdout == "7\n" and results[-1].backend == "local"
        assert executor.stats()["fallbacks"] >= 1


async def test_every_request_carries_limits_and_text_that_any_server_can_read() -> None:
    async with stub(well) as (url, seen), RemoteExecutor([url]) as executor:
        await executor.run("x = '\ud800'", timeout=3, memory_mb=99)
    assert seen[0]["run_timeout"] == 3 and seen[0]["memory_limit_MB"] == 99 and seen[0]["language"] == "python"
    assert "\ud800" not in seen[0]["code"]


async def test_no_more_calls_are_in_flight_than_the_endpoint_was_found_to_bear() -> None:
    inside = most = 0

    async def slow(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.02)
        inside -= 1
        writer.write(http(200, finished("1\n")))

    async with stub(slow) as (url, _), RemoteExecutor([url]) as executor:
        results = await asyncio.gather(*(executor.run("print(1)") for _ in range(60)))
    assert {result.status for result in results} == {"ok"}
    assert 8 <= most <= 20


def test_endpoints_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_FUSION_ENDPOINT", "http://a:1/, http://b:2")
    assert RemoteExecutor().endpoints == ["http://a:1", "http://b:2"]
    monkeypatch.delenv("SANDBOX_FUSION_ENDPOINT")
    with pytest.raises(ValueError, match="SANDBOX_FUSION_ENDPOINT"):
        RemoteExecutor()
    with pytest.raises(ValueError, match="URL"):
        RemoteExecutor(["host:8080"])


def test_overload_halves_the_limit_and_success_grows_it_slowly() -> None:
    endpoint = Endpoint("http://x", limit=16)
    for _ in range(5):
        endpoint.overloaded(now=2.0, sent=1.0)  # a burst
    assert endpoint.limit == 8 and endpoint.has_room
    for _ in range(8):
        endpoint.succeeded()
    assert endpoint.limit == 9


def test_a_rest_grows_with_each_failed_probe() -> None:
    endpoint = Endpoint("http://x")
    for _ in range(5):
        endpoint.failed(0.0)
    assert not endpoint.has_room and not endpoint.wants_probe(1.0) and endpoint.wants_probe(2.0)
    endpoint.probed(False, 2.0)
    assert not endpoint.wants_probe(5.9) and endpoint.wants_probe(6.0)
    endpoint.probed(True, 6.0)
    assert endpoint.has_room


@pytest.mark.parametrize(
    "result",
    [
        ExecResult("ok", "a", "b", exit_code=0, run_s=0.5, isolation="ns"),
        ExecResult("error", "", "E", exit_code=3),
        ExecResult("timeout", "part", signal=9),
        ExecResult("memory", "", "MemoryError", exit_code=1),
        ExecResult("output_limit", "x", exit_code=1, stdout_truncated=True, stdout_bytes=9),
        ExecResult("killed", signal=11),
        ExecResult("rejected", reason="too long"),
    ],
)
def test_our_own_answers_lose_nothing_that_matters(result: ExecResult) -> None:
    back = result_from(json.loads(json.dumps(answer_for(result))))
    for name in ("status", "stdout", "stderr", "exit_code", "signal", "reason", "stdout_bytes", "stdout_truncated"):
        assert getattr(back, name) == getattr(result, name), name


def test_a_sandbox_error_travels_as_one() -> None:
    with pytest.raises(InfrastructureFault, match="lost"):
        result_from(answer_for(ExecResult("sandbox_error", reason="lost")))


@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"status": "Finished", "return_code": 0, "stdout": "x"}, "ok"),
        ({"status": "Finished", "return_code": 1, "stderr": "Traceback\nValueError"}, "error"),
        ({"status": "Finished", "return_code": 1, "stderr": "Traceback\nMemoryError"}, "memory"),
        ({"status": "Finished", "return_code": -9, "stdout": ""}, "killed"),
        ({"status": "TimeLimitExceeded", "return_code": None, "stdout": "x"}, "timeout"),
        ({"status": "TimeLimitExceeded", "return_code": None, "stdout": "x" * 219_000}, "output_limit"),
    ],
)
def test_answers_of_the_original_server_are_read_for_what_they_mean(run: dict[str, Any], status: str) -> None:
    assert result_from({"status": "Failed", "run_result": run}).status == status


@pytest.mark.parametrize(
    "body",
    [[], {"code": 1, "language": "python"}, {"code": "", "language": "cpp"},
     {"code": "", "language": "python", "run_timeout": -1},
     {"code": "", "language": "python", "stdin": 5}, {"code": "", "language": "python", "files": {"a": "b"}},
     {"code": "", "language": "python", "run_timeout": float("nan")}],
)  # fmt: skip
def test_a_bad_request_is_named(body: Any) -> None:
    with pytest.raises(BadRequest):
        Request.parse(body)
