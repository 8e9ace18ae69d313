"""The contract of `/run_code`, kept by our server always, and checked against another server where one is named."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from r1ci_plugin.interpreter import LocalExecutor, RemoteExecutor
from r1ci_plugin.interpreter.http import listen
from r1ci_plugin.interpreter.server import SandboxServer

OTHER = os.environ.get("SANDBOX_FUSION_ENDPOINT", "").split(",")[0].rstrip("/")
Holds = Callable[[dict[str, Any]], bool]


def run_of(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(answer["run_result"])


# (what is sent, what has to be true of the answer)
CONTRACT: dict[str, tuple[dict[str, Any], Holds]] = {
    "prints": (
        {"code": "print(sum(range(10)))"},
        lambda a: a["status"] == "Success" and run_of(a)["stdout"] == "45\n" and run_of(a)["return_code"] == 0,
    ),
    "many characters": ({"code": "print('x' * 150000)"}, lambda a: len(run_of(a)["stdout"]) == 150_001),
    "error": (
        {"code": "1/0"},
        lambda a: (a["status"], run_of(a)["return_code"]) == ("Failed", 1) and "ZeroDivision" in run_of(a)["stderr"],
    ),
    "exit code": ({"code": "import sys; sys.exit(7)"}, lambda a: run_of(a)["return_code"] == 7),
    "time-out": (
        {"code": "print('early', flush=True)\nimport time; time.sleep(30)", "run_timeout": 1},
        lambda a: run_of(a)["status"] == "TimeLimitExceeded"
        and run_of(a)["return_code"] is None
        and "early" in run_of(a)["stdout"],
    ),
    "stdin": ({"code": "print(input()[::-1])", "stdin": "abc\n"}, lambda a: run_of(a)["stdout"] == "cba\n"),
    "no stdin": ({"code": "input()"}, lambda a: "EOFError" in run_of(a)["stderr"]),
    "memory": (
        {"code": "x = bytearray(2 << 30)", "memory_limit_MB": 512},
        lambda a: run_of(a)["return_code"] == 1 and "MemoryError" in run_of(a)["stderr"],
    ),
    "NUL": ({"code": "print(1)\0"}, lambda a: run_of(a)["return_code"] == 1),
    "no text": ({"code": "import os; os.write(1, b'\\xff\\xfe')"}, lambda a: a["status"] == "Success"),
}
OURS: dict[str, tuple[dict[str, Any], Holds]] = {
    "a megabyte": (
        {"code": "print('x' * (1 << 20)); print('END')"},
        lambda a: run_of(a)["stdout"].endswith("END\n") and a["status"] == "Success",
    ),
    "surrogate": ({"code": "x = '\ud800'"}, lambda a: a["status"] in ("Failed", "Success")),
    "closed door": ({"code": "open('/etc/shadow')"}, lambda a: a["status"] == "Failed"),
    "level": ({"code": "print(1)"}, lambda a: a["r1ci"]["isolation"] in ("ns", "landlock")),
}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[str]:
    async with LocalExecutor(2, shared=False, keep_bytes=2 << 20) as executor:
        listening = await listen(SandboxServer(executor, queue=2).handle, "127.0.0.1", 0)
        async with listening:
            yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(f"{url}/run_code", content=json.dumps({"language": "python", **body}))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_our_server_keeps_the_contract(server: str) -> None:
    for name, (body, holds) in {**CONTRACT, **OURS}.items():
        answer = await ask(server, body)
        assert holds(answer), (name, answer)
        assert {"status", "message", "compile_result", "run_result", "executor_pod_name", "files"} <= set(answer)


@pytest.mark.skipif(not OTHER, reason="no other server is named in SANDBOX_FUSION_ENDPOINT")
@pytest.mark.parametrize("name", CONTRACT)
async def test_another_server_keeps_the_contract(name: str) -> None:
    body, holds = CONTRACT[name]
    assert holds(await ask(OTHER, body))


async def test_bad_requests_and_paths_get_the_status_that_says_so(server: str) -> None:
    async with httpx.AsyncClient(base_url=server) as client:
        assert (await client.get("/v1/ping")).text == "pong"
        assert (await client.post("/run_code", json={"code": "1", "language": "cobol"})).status_code == 422
        assert (await client.post("/run_code", json={"language": "python"})).status_code == 422
        assert (await client.post("/run_code", content=b"{")).status_code == 422
        assert (await client.post("/run_code", content=b"[" * 200_000)).status_code == 422
        assert (await client.get("/run_code")).status_code == 405
        assert (await client.get("/nothing")).status_code == 404


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


async def test_metrics_count_what_was_run(server: str) -> None:
    await ask(server, {"code": "print(1)"})
    await ask(server, {"code": "1/0"})
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{server}/metrics")).text.splitlines()
    assert "r1ci_sandbox_calls_total 2.0" in lines and "r1ci_sandbox_error_total 1.0" in lines


async def test_a_token_is_asked_for_where_one_is_set() -> None:
    async with LocalExecutor(1, shared=False) as executor:
        listening = await listen(SandboxServer(executor, token="s3cret").handle, "127.0.0.1", 0)
        async with listening:
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            async with (
                RemoteExecutor([url], queue_allowance=2) as stranger,
                RemoteExecutor([url], token="s3cret") as friend,
            ):
                assert (await stranger.run("print(1)")).status == "sandbox_error"
                assert (await friend.run("print(1)")).stdout == "1\n"


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


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
async def test_the_served_command_runs_code_and_leaves_nothing_when_it_ends(ending: signal.Signals) -> None:
    command = [
        sys.executable,
        "-c",
        "from r1ci_plugin.cli.sandbox import app; app()",
        "serve",
        "--port",
        "0",
        "--slots",
        "1",
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    url = next(word.rstrip(",") for word in line.split() if word.startswith("http"))
    assert (await ask(url, {"code": "print(1)"}))["status"] == "Success"
    process.send_signal(ending)
    assert await asyncio.wait_for(process.wait(), 30) == (0 if ending == signal.SIGTERM else -9)
