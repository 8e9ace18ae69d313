"""The contract of `/run_code`: kept by our server always, and checked against another one where one is named.

SANDBOX_FUSION_ENDPOINT names it. Where the original server is known to answer otherwise, its answer stands beside
ours: a client has to bear both.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.interpreter.http import HttpServer
from r1ci_plugin.interpreter.server import SandboxServer

OTHER = os.environ.get("SANDBOX_FUSION_ENDPOINT", "").split(",")[0].rstrip("/")


class Answer:
    """An answer of `/run_code`, read as leniently as a client reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self.code = response.status_code
        body = response.json() if self.code == 200 else {}
        run = body.get("run_result") or {}
        self.body: dict[str, Any] = body
        self.status, self.run_status = body.get("status"), run.get("status")
        self.stdout, self.stderr = run.get("stdout") or "", run.get("stderr") or ""
        self.return_code = run.get("return_code")
        self.files: dict[str, str] = body.get("files") or {}

    @property
    def succeeded(self) -> bool:
        return (self.code, self.status, self.run_status, self.return_code) == (200, "Success", "Finished", 0)

    def failed(self, word: str, return_code: int = 1) -> bool:
        """The code itself failed, and said the word."""
        finished = (self.code, self.status, self.run_status) == (200, "Failed", "Finished")
        return finished and self.return_code == return_code and word in self.stderr

    def timed_out(self) -> bool:
        return (self.status, self.run_status, self.return_code) == ("Failed", "TimeLimitExceeded", None)

    def __repr__(self) -> str:
        return f"{self.code}: {json.dumps(self.body)[:400]}"


Holds = Callable[[Answer], bool]


@dataclass(frozen=True)
class Term:
    """One term of the contract."""

    request: dict[str, Any]
    holds: Holds
    quirk: Holds = lambda _: False
    """What the original server is known to answer instead."""


def prints(text: str) -> Holds:
    return lambda a: a.succeeded and a.stdout == text


def refused(a: Answer) -> bool:
    return a.code == 422


DAEMON = "import os, time\nif os.fork() == 0:\n    if os.fork() == 0: time.sleep(1)\n    os._exit(0)\nprint('over')"
FILE = {"in.txt": base64.b64encode(b"from a file").decode()}
CONTRACT = {
    "success": Term({"code": "print(sum(range(10)))"}, prints("45\n")),
    "nothing to print": Term({"code": "x = 1"}, prints("")),
    "both streams": Term(
        {"code": "import sys\nprint('out')\nprint('err', file=sys.stderr)"},
        lambda a: a.succeeded and (a.stdout, a.stderr) == ("out\n", "err\n"),
    ),
    "unicode": Term({"code": "print('ünï→🐍')"}, prints("ünï→🐍\n")),
    "error": Term({"code": "1/0"}, lambda a: a.failed("ZeroDivisionError")),
    "syntax error": Term({"code": "if x print"}, lambda a: a.failed("SyntaxError")),
    "exit code": Term({"code": "import sys; sys.exit(7)"}, lambda a: a.failed("", 7)),
    "partial output of an error": Term(
        {"code": "print('before', flush=True)\nraise KeyError('k')"},
        lambda a: a.failed("KeyError: 'k'") and a.stdout == "before\n",
    ),
    "150,000 characters": Term({"code": "print('x' * 150000)"}, lambda a: a.succeeded and len(a.stdout) == 150_001),
    "a megabyte": Term(
        {"code": "print('x' * (1 << 20)); print('END')", "run_timeout": 3},
        lambda a: a.succeeded and a.stdout.endswith("END\n") and len(a.stdout) == (1 << 20) + 5,
        quirk=lambda a: a.timed_out() and len(a.stdout) < 1 << 20,  # it reads only once the code has ended
    ),
    "time-out": Term(
        {"code": "print('early', flush=True)\nimport time; time.sleep(30)", "run_timeout": 1},
        lambda a: a.timed_out() and a.stdout == "early\n",
    ),
    "time-out, nothing flushed": Term(
        {"code": "print('early')\nwhile True: pass", "run_timeout": 1},
        lambda a: a.timed_out() and a.stdout == "early\n",
        quirk=lambda a: a.timed_out() and a.stdout == "",  # the buffer dies with the process
    ),
    "stdin": Term({"code": "print(input()[::-1])", "stdin": "abc\n"}, prints("cba\n")),
    "no stdin": Term({"code": "input()"}, lambda a: a.failed("EOFError")),
    "not UTF-8": Term(
        {"code": "import os; os.write(1, b'ok \\xff\\xfe')"},
        prints("ok \\xff\\xfe"),
        quirk=lambda a: a.succeeded and "DecodeError" in a.stdout,  # the whole stream is replaced
    ),
    "NUL in the code": Term({"code": "print(1)\0"}, lambda a: a.failed("null bytes")),
    "lone surrogate in the code": Term(
        {"code": "x = '\ud800'\nprint(len(x))"},
        lambda a: prints("1\n")(a) or a.failed("UnicodeEncodeError") or a.failed("SyntaxError"),
        quirk=lambda a: a.code == 500,
    ),
    "memory limit": Term({"code": "x = bytearray(2 << 30)", "memory_limit_MB": 512}, lambda a: a.failed("MemoryError")),
    "files of the machine": Term(
        {"code": "print(len(open('/etc/shadow').read()))"},
        lambda a: a.failed("Error"),
        quirk=lambda a: a.succeeded,  # without isolation the code has the server's rights
    ),
    "double fork": Term(
        {"code": DAEMON},
        lambda a: a.failed("Error"),
        quirk=prints("over\n"),  # the grandchild lives on
    ),
    "files": Term({"code": "print(open('in.txt').read())", "files": FILE}, refused, quirk=prints("from a file\n")),
    "fetch_files": Term(
        {"code": "open('out.txt', 'w').write('kept')", "fetch_files": ["out.txt"]},
        refused,
        quirk=lambda a: a.succeeded and base64.b64decode(a.files["out.txt"]) == b"kept",
    ),
    "no files, as clients say it": Term({"code": "print(1)", "files": {}, "fetch_files": []}, prints("1\n")),
    "unknown language": Term({"code": "1", "language": "cobol"}, refused),
    "no code": Term({}, refused),
    "code that is no text": Term({"code": [1]}, refused),
    "limit that is no number": Term({"code": "1", "run_timeout": "soon"}, refused),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours() -> AsyncIterator[str]:
    async with (
        LocalExecutor(2, shared=False, keep_bytes=2 << 20) as executor,
        HttpServer(SandboxServer(executor).handle, "127.0.0.1", 0) as server,
    ):
        yield server.url


async def ask(url: str, request: dict[str, Any]) -> Answer:
    async with httpx.AsyncClient(timeout=60) as client:
        # ASCII JSON, as clients send it: so a lone surrogate gets as far as the server
        body = json.dumps({"language": "python", **request})
        headers = {"Content-Type": "application/json"}
        return Answer(await client.post(f"{url}/run_code", content=body, headers=headers))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", CONTRACT)
async def test_our_server_keeps_the_contract(ours: str, name: str) -> None:
    answer = await ask(ours, CONTRACT[name].request)
    assert CONTRACT[name].holds(answer), answer
    if answer.code == 200:
        fields = {"status", "message", "compile_result", "run_result", "executor_pod_name", "files"}
        assert fields <= set(answer.body)


@pytest.mark.skipif(not OTHER, reason="no other server is named in SANDBOX_FUSION_ENDPOINT")
@pytest.mark.parametrize("name", CONTRACT)
async def test_another_server_keeps_the_contract_or_errs_as_it_is_known_to(name: str) -> None:
    answer = await ask(OTHER, CONTRACT[name].request)
    assert CONTRACT[name].holds(answer) or CONTRACT[name].quirk(answer), answer
