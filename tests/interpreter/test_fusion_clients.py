"""Programs that were written for the original server, against ours: its client from PyPI, and verl's reward."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest

from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.interpreter.http import HttpRequest, HttpResponse, HttpServer
from r1ci_plugin.interpreter.server import SandboxServer


class Served:
    """Our server on a thread of its own, for clients that block. The first `refusals` requests are turned away."""

    def __init__(self) -> None:
        self.requests = self.refusals = 0
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._up.wait(60)

    async def _serve(self) -> None:
        async with LocalExecutor(2, shared=False) as executor:
            self._sandbox = SandboxServer(executor)
            async with HttpServer(self._handle, "127.0.0.1", 0) as server:
                self.url = server.url
                self._up.set()
                await self._end.wait()

    async def _handle(self, request: HttpRequest) -> HttpResponse:
        self.requests += 1
        if self.requests <= self.refusals:
            return HttpResponse(502)
        return await self._sandbox.handle(request)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.close()


def test_the_client_from_pypi_runs_code(served: Served) -> None:
    fusion = pytest.importorskip("sandbox_fusion", reason="install the extra sandbox-fusion")
    fusion.set_endpoint(served.url)
    well = fusion.run_code(fusion.RunCodeRequest(code="print(input() * 2)", language="python", stdin="ab\n"))
    assert well.status == fusion.RunStatus.Success and well.run_result.stdout == "abab\n"
    assert well.run_result.status == fusion.CommandRunStatus.Finished and well.run_result.execution_time > 0
    wrong = fusion.run_code(fusion.RunCodeRequest(code="1/0", language="python"))
    assert wrong.status == fusion.RunStatus.Failed and wrong.run_result.return_code == 1
    late = fusion.run_code(fusion.RunCodeRequest(code="while True: pass", language="python", run_timeout=0.3))
    mapping = fusion.SummaryMapping(Success="right", RunFailed="wrong", RunTimeout="late", Failed="?")
    assert [fusion.summary_run_code_result(result, mapping) for result in (well, wrong, late)] == [
        "right",
        "wrong",
        "late",
    ]


def test_the_client_from_pypi_gets_every_caller_its_own_result(served: Served) -> None:
    fusion = pytest.importorskip("sandbox_fusion", reason="install the extra sandbox-fusion")
    requests = [[fusion.RunCodeRequest(code=f"print({n})", language="python"), served.url] for n in range(60)]
    results = fusion.run_concurrent(fusion.run_code, args=requests, concurrency=20)
    assert [result.run_result.stdout for result in results] == [f"{n}\n" for n in range(60)]

    async def all_at_once() -> list[str]:
        answers = await asyncio.gather(*(fusion.run_code_async(*request) for request in requests))
        return [answer.run_result.stdout for answer in answers]

    assert asyncio.run(all_at_once()) == [f"{n}\n" for n in range(60)]


def test_the_client_from_pypi_tries_again_and_says_what_was_wrong_in_the_end(served: Served) -> None:
    fusion = pytest.importorskip("sandbox_fusion", reason="install the extra sandbox-fusion")
    served.refusals = 1
    request = fusion.RunCodeRequest(code="print(1)", language="python")
    assert fusion.run_code(request, served.url).run_result.stdout == "1\n" and served.requests == 2
    with pytest.raises(Exception, match=r"422.*runs 'python' only"):
        fusion.run_code(fusion.RunCodeRequest(code="1", language="cpp"), served.url, max_attempts=1)
    with pytest.raises(Exception, match=r"422.*takes no files"):
        files = fusion.RunCodeRequest(code="1", language="python", fetch_files=["x"])
        fusion.run_code(files, served.url, max_attempts=1)


def test_the_client_from_pypi_runs_cells(served: Served) -> None:
    fusion = pytest.importorskip("sandbox_fusion", reason="install the extra sandbox-fusion")
    cells = ["a = 123", "print(a)", "import sys; sys.stderr.write('said')", "raise RuntimeError('message')", "print(1)"]
    answer = fusion.run_jupyter(fusion.RunJupyterRequest(cells=cells), served.url, max_attempts=1)
    assert answer.status == fusion.RunStatus.Failed
    assert [cell.stdout for cell in answer.cells] == ["", "123\n", "", ""] and answer.cells[2].stderr == "said"
    assert (answer.cells[3].error[0]["ename"], answer.cells[3].error[0]["evalue"]) == ("RuntimeError", "message")
    well = asyncio.run(fusion.run_jupyter_async(fusion.RunJupyterRequest(cells=cells[:3]), served.url))
    assert well.status == fusion.RunStatus.Success and len(well.cells) == 3


def test_verls_code_reward_can_point_at_our_server(served: Served) -> None:
    reward = pytest.importorskip("verl.utils.reward_score.sandbox_fusion")
    cases = json.dumps({"inputs": ["1 2\n", "3 4\n", "5 6\n", "x\n"], "outputs": ["3\n", "7\n", "12\n", "0\n"]})
    answer = "Here it is:\n```python\nprint(sum(map(int, input().split())))\n```\n"
    semaphore = threading.Semaphore(4)
    score, facts = reward.compute_score(f"{served.url}/run_code", semaphore, 512, answer, cases, timeout=5)
    assert score == 0.5, facts
    assert [fact["status"] for fact in facts] == ["success", "success", "wrong_answer", "runtime_error"]
    endless = "```python\nwhile True: pass\n```"
    score, facts = reward.compute_score(f"{served.url}/run_code", None, 512, endless, cases, timeout=1)
    assert score == 0.0 and {fact["status"] for fact in facts} == {"timeout"}
