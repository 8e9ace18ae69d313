"""The verifier pool: one bad answer costs one verdict, and nothing an answer does reaches the owner."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin.reward.blocking import BlockingVerifierPool
from r1ci_plugin.reward.pool import PoolBroken, SelfTestFailed, VerifierPool
from r1ci_plugin.tasks import Question
from r1ci_plugin.tasks.base import MAX_ANSWER_CHARS

TROUBLE = '''
import os, socket, sys, time
from r1ci_plugin.tasks import Draft, Task, Verdict, task

FACTS = dict(summary="trouble", capabilities=("math",), answer_kind="text", levels=2, knobs="none", source="a test")

@task("test/trouble", **FACTS)
class Trouble(Task):
    """A verifier that does what its answer says."""
    def generate(self, rng, level):
        return Draft("Say yes.", {})
    def oracle(self, payload):
        return "yes"
    def check(self, payload, answer):
        deed, _, rest = answer.partition(" ")
        return getattr(self, deed)(rest)
    def yes(self, rest): return Verdict.correct()
    def no(self, rest): return Verdict.wrong("said no")
    def sleep(self, rest): time.sleep(float(rest)); return Verdict.correct()
    def burn(self, rest):
        while time.process_time() < float(rest): pass
        return Verdict.correct()
    def hang_in_c(self, rest): return 9 ** 9 ** 9 ** 9
    def leave(self, rest): os._exit(3)
    def exit(self, rest): sys.exit(1)
    def segfault(self, rest): import ctypes; ctypes.string_at(0)
    def hog(self, rest): return len([b"x" * (64 << 20) for _ in range(1000)])
    def recurse(self, rest): return self.recurse(rest)
    def pid(self, rest): return Verdict.wrong(str(os.getpid()))
    def modules(self, rest): return Verdict.wrong(" ".join(sorted({"torch", "verl", "ray"} & set(sys.modules))))
    def write(self, rest):
        with open(rest, "w") as file:
            file.write("x" * 10)
        return Verdict.correct()
    def echo(self, rest): return Verdict.wrong(rest)
    def long_reason(self, rest): return Verdict.wrong("y" * 1_000_000)
    def suicide_once(self, rest):
        if not os.path.exists(rest):
            os.mkdir(rest)
            os.kill(os.getpid(), 9)
        return Verdict.correct()

@task("test/wrong_oracle", **FACTS)
class WrongOracle(Trouble):
    def oracle(self, payload):
        return "no"
'''
ASK = Question("test/trouble", 0, 1, "Say yes.", {})


@pytest.fixture(scope="module", autouse=True)
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the module of bad verifiers importable for workers, which inherit this process's import path."""
    folder = tmp_path_factory.mktemp("trouble")
    (folder / "r1ci_test_trouble.py").write_text(TROUBLE)
    sys.path.append(str(folder))
    yield
    sys.path.remove(str(folder))


@asynccontextmanager
async def pool_of(workers: int = 1, deadline_s: float = 5.0, **options: Any) -> AsyncIterator[VerifierPool]:
    async with VerifierPool(workers, deadline_s, warm=(), preload=("r1ci_test_trouble",), **options) as pool:
        yield pool


async def outcomes(pool: VerifierPool, *answers: str) -> list[str]:
    return [verdict.outcome for verdict in await pool.verify_many((ASK, answer) for answer in answers)]


def run(answers: list[str], **options: Any) -> tuple[list[str], dict[str, float]]:
    """The outcomes of answers asked all at once, and the pool's counters afterwards."""

    async def go() -> tuple[list[str], dict[str, float]]:
        async with pool_of(**options) as pool:
            return await outcomes(pool, *answers), pool.stats()

    return asyncio.run(go())


def test_verdicts_come_back_in_the_order_of_the_questions() -> None:
    answers = ["yes", "no", "", "yes"] * 50
    got, stats = run(answers, workers=2)
    assert got == ["correct", "wrong", "unparseable", "correct"] * 50
    assert (stats["verdicts"], stats["correct"], stats["wrong"], stats["unparseable"]) == (200, 100, 50, 50)
    assert stats["restarts"] == 0


@pytest.mark.parametrize("hang", ["sleep 60", "hang_in_c"])
def test_a_hang_costs_one_timeout_and_the_jobs_behind_it_get_their_verdicts(hang: str) -> None:
    got, stats = run(["yes", hang, *["yes"] * 20], deadline_s=0.7)
    assert got == ["correct", "timeout", *["correct"] * 20]
    assert (stats["timeout"], stats["restarts"]) == (1, 1)


def test_waiting_for_the_processor_is_not_work() -> None:
    got, _ = run(["sleep 0.5", "burn 5"], deadline_s=0.3)
    assert got == ["correct", "timeout"]


def test_jobs_behind_a_slow_one_go_to_another_worker() -> None:
    async def go() -> float:
        async with pool_of(2, 30.0) as pool:
            await pool.verify_many([(ASK, "sleep 0.3"), (ASK, "sleep 0.3")])  # both workers are up
            slow = asyncio.ensure_future(pool.verify(ASK, "sleep 20"))
            await asyncio.sleep(0)
            start = time.monotonic()
            assert await outcomes(pool, *["yes"] * 30) == ["correct"] * 30
            slow.cancel()
            return time.monotonic() - start

    assert asyncio.run(go()) < 10


def test_the_clock_starts_with_the_work_and_not_with_the_wait() -> None:
    got, _ = run(["sleep 0.3"] * 6, deadline_s=1.0)
    assert got == ["correct"] * 6


@pytest.mark.parametrize("crash", ["leave", "exit", "segfault"])
def test_a_crash_costs_one_error_after_one_retry(crash: str) -> None:
    got, stats = run([crash, *["yes"] * 10])
    assert got == ["error", *["correct"] * 10]
    assert (stats["error"], stats["retries"], stats["restarts"]) == (1, 1, 2)


@pytest.mark.parametrize("deed", ["hog", "recurse"])
def test_a_memory_hog_or_endless_recursion_is_an_error(deed: str) -> None:
    got, _ = run([deed, "yes"], memory_mb=512)
    assert got == ["error", "correct"]


def test_a_worker_killed_from_outside_loses_no_verdict(tmp_path: Path) -> None:
    got, stats = run([f"suicide_once {tmp_path}/once", "yes"])
    assert got == ["correct", "correct"]
    assert stats["retries"] == 1


def test_idle_workers_killed_from_outside_are_replaced() -> None:
    async def go() -> tuple[str, str]:
        async with pool_of() as pool:
            first = (await pool.verify(ASK, "pid")).reason
            os.kill(int(first), signal.SIGKILL)
            return first, (await pool.verify(ASK, "pid")).reason

    first, second = asyncio.run(go())
    assert first.isdigit() and second.isdigit() and first != second


def test_a_huge_answer_is_refused_before_it_is_sent() -> None:
    got, stats = run(["y" * (MAX_ANSWER_CHARS + 1), "yes"])
    assert got == ["unparseable", "correct"]
    assert stats["verdicts"] == 2


def test_any_text_survives_the_way_to_the_worker() -> None:
    async def go() -> str:
        async with pool_of() as pool:
            return (await pool.verify(ASK, f"echo {text}")).reason

    text = '\ud800\n\x00\u2028é"\\'
    assert asyncio.run(go()) == text


def test_an_unknown_task_or_a_broken_payload_is_an_error_verdict() -> None:
    async def go() -> list[str]:
        async with pool_of() as pool:
            unknown, broken = Question("symbench/nothing", 0, 1, "", {}), Question("symbench/letters", 0, 1, "", {})
            return [(await pool.verify(question, "1")).outcome for question in (unknown, broken)]

    assert asyncio.run(go()) == ["error", "error"]


def test_workers_hold_no_trainer_write_no_file_and_keep_reasons_short(tmp_path: Path) -> None:
    async def go() -> list[Any]:
        async with pool_of() as pool:
            return [await pool.verify(ASK, deed) for deed in ("modules", f"write {tmp_path}/file", "long_reason")]

    modules, write, long = asyncio.run(go())
    assert modules.reason == ""
    assert write.outcome == "error"
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").read_text()
    assert len(long.reason) <= 500


def test_a_cancelled_caller_leaves_the_pool_in_order() -> None:
    async def go() -> list[str]:
        async with pool_of() as pool:
            callers = [asyncio.ensure_future(pool.verify(ASK, "sleep 0.2")) for _ in range(12)]
            await asyncio.sleep(0.1)
            for caller in callers:
                caller.cancel()
            return await outcomes(pool, "yes", "no")

    assert asyncio.run(go()) == ["correct", "wrong"]


def test_the_self_test_names_the_task_that_fails() -> None:
    async def go() -> None:
        async with pool_of() as pool:
            await pool.self_test([ASK])
            with pytest.raises(SelfTestFailed, match=r"1 of 2 tasks.*test/wrong_oracle \(wrong: .*\)$"):
                await pool.self_test([ASK, replace(ASK, task="test/wrong_oracle")])

    asyncio.run(go())


def test_workers_that_cannot_start_are_one_clear_error() -> None:
    async def go() -> None:
        pool = VerifierPool(1, warm=(), preload=("no_such_module_anywhere",))
        try:
            with pytest.raises(PoolBroken, match="no_such_module_anywhere"):
                await pool.verify(ASK, "yes")
        finally:
            await pool.close()

    asyncio.run(go())


def test_closing_ends_every_process_and_tells_those_who_wait() -> None:
    async def go() -> tuple[int, BaseException | None]:
        async with pool_of() as pool:
            pid = int((await pool.verify(ASK, "pid")).reason)
            waiting = asyncio.ensure_future(pool.verify(ASK, "sleep 4"))
            await asyncio.sleep(0.1)
        await pool.close()
        await asyncio.wait([waiting])
        return pid, waiting.exception()

    pid, error = asyncio.run(go())
    assert isinstance(error, PoolBroken)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_scripts_use_the_same_pool_without_a_loop() -> None:
    with BlockingVerifierPool(1, 0.3, warm=(), preload=("r1ci_test_trouble",)) as pool:
        assert pool.verify(ASK, "yes").score == 1.0
        verdicts = pool.verify_many([(ASK, "no"), (ASK, "sleep 9")])
        assert [verdict.outcome for verdict in verdicts] == ["wrong", "timeout"]
        pool.self_test([ASK])
        assert pool.stats()["verdicts"] == 4


def test_a_busy_worker_dies_with_its_owner() -> None:
    script = """
        import asyncio, os, sys
        from r1ci_plugin.reward.pool import VerifierPool
        from r1ci_plugin.tasks import Question
        async def go():
            pool = VerifierPool(1, 60.0, warm=(), preload=("r1ci_test_trouble",))
            ask = Question("test/trouble", 0, 1, "", {})
            print((await pool.verify(ask, "pid")).reason, flush=True)
            asyncio.ensure_future(pool.verify(ask, "sleep 50"))
            await asyncio.sleep(0.3)
            os.kill(os.getpid(), 9)
        asyncio.run(go())
    """
    owner = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    pid = int(owner.stdout)
    end = time.monotonic() + 10
    while time.monotonic() < end and _alive(pid):
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
