"""Our server beside its answers to code calls: routes, a full queue, tokens, noise on the wire, and its end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from r1ci_plugin.interpreter import LocalExecutor, RemoteExecutor
from r1ci_plugin.interpreter.http import HttpRequest, HttpResponse, HttpServer
from r1ci_plugin.interpreter.server import SandboxServer


@pytest_asyncio.fixture
async def server() -> AsyncIterator[str]:
    async with (
        LocalExecutor(2, shared=False, keep_bytes=2 << 20) as executor,
        HttpServer(SandboxServer(executor, queue=2).handle, "127.0.0.1", 0) as listening,
    ):
        yield listening.url


async def ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(f"{url}/run_code", content=json.dumps({"language": "python", **body}))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_bad_requests_and_paths_get_the_status_that_says_so(server: str) -> None:
    async with httpx.AsyncClient(base_url=server) as client:
        assert (await client.get("/v1/ping")).text == "pong"
        assert (await client.post("/run_code", json={"code": "1", "language": "cobol"})).status_code == 422
        assert (await client.post("/run_code", json={"language": "python"})).status_code == 422
        assert (await client.post("/run_code", content=b"{")).status_code == 422
        assert (await client.post("/run_code", content=b"[" * 200_000)).status_code == 422
        for name in ("run_timeout", "memory_limit_MB"):
            for value in ("9" * 400, "-" + "9" * 400, "NaN", "Infinity", "-Infinity", "true", "0"):
                body = f'{{"code": "1", "language": "python", "{name}": {value}}}'
                assert (await client.post("/run_code", content=body)).status_code == 422, (name, value)
        assert (await client.get("/run_code")).status_code == 405
        assert (await client.get("/nothing")).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_address_it_names_can_be_asked(host: str) -> None:
    async def handle(request: HttpRequest) -> HttpResponse:
        return HttpResponse(content=request.path)

    try:
        async with HttpServer(handle, host, 0) as server, httpx.AsyncClient(timeout=60) as client:
            assert (await client.get(f"{server.url}/here")).text == "/here"
    except OSError as fault:
        pytest.skip(f"no {host} on this machine: {fault}")


async def test_a_body_too_long_to_be_counted_is_refused(server: str) -> None:
    for length, status in (("9" * 5000, b"413"), ("0" * 5000 + "9" * 8, b"413"), ("0" * 5000, b"200")):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.rpartition(":")[2]))
        writer.write(f"GET /v1/ping HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert (await reader.read(12)) == b"HTTP/1.1 " + status
        writer.close()


async def test_a_full_queue_is_refused_with_a_time_to_come_back(server: str) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        body = {"code": "import time; time.sleep(1)", "language": "python"}
        answers = await asyncio.gather(*(client.post(f"{server}/run_code", json=body) for _ in range(12)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 8 and all(answer.headers["Retry-After"] == "1" for answer in refused)
    assert all(answer.json()["status"] == "Success" for answer in answers if answer.status_code == 200)


async def test_the_remote_executor_is_at_home_here(server: str) -> None:
    async with RemoteExecutor([server]) as executor:
        results = await asyncio.gather(*(executor.run(f"print({n})") for n in range(20)))
    assert [result.stdout for result in results] == [f"{n}\n" for n in range(20)]
    assert {result.backend for result in results} == {"remote"} and results[0].isolation in ("ns", "landlock")


async def test_cells_of_one_request_share_state_and_show_their_own_output(server: str) -> None:
    cells = ["x = 6\nprint('first')", "print(x * 7)", "1/0", "print('never')"]
    async with httpx.AsyncClient(timeout=60) as client:
        answer = (await client.post(f"{server}/run_jupyter", json={"cells": cells})).json()
    assert [cell["stdout"] for cell in answer["cells"]] == ["first\n", "42\n", ""]
    assert answer["status"] == "Failed"
    assert answer["cells"][-1]["error"][0]["ename"] == "ZeroDivisionError"
    assert "    1/0" in answer["cells"][-1]["error"][0]["traceback"]


async def test_the_time_limit_of_cells_is_for_all_of_them_together(server: str) -> None:
    nap = "import time; time.sleep(1)"
    async with httpx.AsyncClient(timeout=60) as client:
        request = {"cells": [nap, nap, nap], "total_timeout": 1.8}
        answer = (await client.post(f"{server}/run_jupyter", json=request)).json()
    assert answer["status"] == "Failed" and answer["driver"]["status"] == "TimeLimitExceeded"
    assert [len(cell["error"]) for cell in answer["cells"]] == [0, 1]


async def test_a_caller_that_hangs_up_gives_its_slots_back(server: str) -> None:
    async with httpx.AsyncClient(timeout=httpx.Timeout(60, read=0.5)) as client:
        body = {"code": "while True: pass", "language": "python", "run_timeout": 300}
        gone = await asyncio.gather(
            *(client.post(f"{server}/run_code", json=body) for _ in range(4)), return_exceptions=True
        )
    assert {type(answer) for answer in gone} == {httpx.ReadTimeout}
    async with RemoteExecutor([server], queue_allowance=30) as executor:  # which comes back as long as it is refused
        assert (await executor.run("print(1)")).stdout == "1\n"


async def test_metrics_count_what_was_run(server: str) -> None:
    await ask(server, {"code": "print(1)"})
    await ask(server, {"code": "1/0"})
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{server}/metrics")).text.splitlines()
    assert "r1ci_sandbox_calls_total 2.0" in lines and "r1ci_sandbox_error_total 1.0" in lines
    names = {line.partition(" ")[0] for line in lines}
    assert {"r1ci_sandbox_run_s_p99", "r1ci_sandbox_queue_s_p50", "r1ci_sandbox_utilisation"} <= names


async def test_a_token_is_asked_for_where_one_is_set() -> None:
    async with (
        LocalExecutor(1, shared=False) as executor,
        HttpServer(SandboxServer(executor, token="s3cret").handle, "127.0.0.1", 0) as listening,
        RemoteExecutor([listening.url], queue_allowance=2) as stranger,
        RemoteExecutor([listening.url], token="s3cret") as friend,
    ):
        assert (await stranger.run("print(1)")).status == "sandbox_error"
        assert (await friend.run("print(1)")).stdout == "1\n"


async def test_a_client_that_asks_before_it_sends_a_long_body_is_told_to_go_on(server: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.rpartition(":")[2]))
    body = json.dumps({"code": "print(1)", "language": "python"}).encode()
    head = f"POST /run_code HTTP/1.1\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_nonsense_on_the_wire_does_not_stop_the_server(server: str) -> None:
    port = int(server.rpartition(":")[2])
    post = b"POST /run_code HTTP/1.1\r\nContent-Length: "
    end = b"\r\n\r\n"
    for noise in (end, b"GET / HTTP/9" + end, post + b"x" + end, b"A" * 50_000, post + b"9" * 11 + end):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(noise)
        writer.write_eof()
        assert (await reader.read(12)).startswith(b"HTTP/1.1 4")
        writer.close()
    assert (await ask(server, {"code": "print(1)"}))["status"] == "Success"


@asynccontextmanager
async def served(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`r1ci sandbox serve` as a process of its own, and its URL."""
    start = "from r1ci_plugin.cli.sandbox import app; app()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", start, "serve", "--port", "0", "--slots", "1", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    try:
        yield process, next(word.rstrip(",") for word in line.split() if word.startswith("http"))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
async def test_the_served_command_leaves_nothing_when_it_ends(
    ending: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="r1ci"))  # pytest's own has too long a path for a socket
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    async with served() as (process, url):
        assert (await ask(url, {"code": "print(1)"}))["status"] == "Success"
        assert list(folder.iterdir())
        process.send_signal(ending)
        assert await asyncio.wait_for(process.wait(), 30) == (0 if ending == signal.SIGTERM else -9)
    deadline = time.monotonic() + 30
    while left := list(folder.iterdir()):  # a host whose client was killed notices, and takes its folder along
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.1)
    folder.rmdir()


async def test_a_server_told_to_end_finishes_what_runs_and_waits_for_no_idle_client() -> None:
    async with served() as (process, url), httpx.AsyncClient(timeout=60) as client:
        body = {"code": "import time; time.sleep(1.0); print('done')", "language": "python"}
        assert (await client.get(f"{url}/v1/ping")).text == "pong"
        running = asyncio.create_task(client.post(f"{url}/run_code", json=body))
        while "r1ci_sandbox_busy 1\n" not in (await client.get(f"{url}/metrics")).text:
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert (await running).json()["run_result"]["stdout"] == "done\n"
        assert process.stderr is not None
        assert await asyncio.wait_for(process.wait(), 5) == 0 and await process.stderr.read() == b""


async def test_a_request_that_was_sent_before_the_end_has_an_answer() -> None:
    handled = []

    async def handle(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0.5)
        handled.append(request.path)
        return HttpResponse(content="well")

    async with HttpServer(handle, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await server.finish(30)
        assert handled == ["/"]
        answer = await asyncio.wait_for(reader.read(), 30)
        assert b"Connection: close\r\n" in answer and answer.endswith(b"\r\n\r\nwell")
        writer.close()


async def test_a_long_answer_is_out_before_the_server_ends() -> None:
    size = 64 << 20

    async def handle(request: HttpRequest) -> HttpResponse:
        return HttpResponse(content="x" * size)

    async with HttpServer(handle, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        end = asyncio.create_task(server.finish(30))
        await asyncio.sleep(0.5)
        assert not end.done()
        assert len(await reader.readexactly(size)) == size
        await asyncio.wait_for(end, 30)
        writer.close()
