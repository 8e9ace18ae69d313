"""The local executor: results, limits, fairness and recovery, at every isolation level this machine offers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from r1ci_plugin.interpreter import IsolationUnavailable, LocalExecutor
from r1ci_plugin.interpreter.local import packages
from r1ci_plugin.interpreter.selftest import selftest


@pytest_asyncio.fixture(params=["ns", "landlock", "seccomp"])
async def executor(request: pytest.FixtureRequest) -> AsyncIterator[LocalExecutor]:
    made = LocalExecutor(2, level=request.param, shared=False)
    try:
        await made.start()
    except IsolationUnavailable as refusal:
        pytest.skip(str(refusal))
    yield made
    await made.close()


async def test_every_door_and_limit_of_the_self_test_holds(executor: LocalExecutor) -> None:
    findings = await selftest(executor)
    assert [finding for finding in findings if not finding.ok] == []
    assert len(findings) > 25


async def test_a_result_says_what_happened_and_where(executor: LocalExecutor) -> None:
    result = await executor.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)")
    assert (result.status, result.exit_code, result.stdout, result.stderr) == ("error", 3, "out\n", "err\n")
    assert (result.isolation, result.template, result.backend, result.attempts) == (
        executor.isolation,
        "stdlib",
        "local",
        1,
    )
    assert 0 < result.run_s < 10 and result.max_rss_mb > 1


async def test_traceback_has_the_codes_own_lines_and_no_path_of_the_machine(executor: LocalExecutor) -> None:
    result = await executor.run("import json\ndef load():\n    return json.loads('{')\nload()")
    assert "return json.loads('{')" in result.stderr and "JSONDecodeError" in result.stderr
    assert "/" not in result.stderr and "runner" not in result.stderr


async def test_a_flag_left_on_stdin_does_not_reach_another_call(executor: LocalExecutor) -> None:
    flags = "import fcntl\nprint(fcntl.fcntl(0, fcntl.F_GETFL))\n"
    fresh = await executor.run(flags)
    left = await executor.run(flags + "import os; fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)")
    assert (left.status, left.stdout) == ("ok", fresh.stdout)
    after = [await executor.run(flags) for _ in range(4)]
    assert [result.stdout for result in after] == [fresh.stdout] * 4


async def test_random_numbers_differ_from_call_to_call(executor: LocalExecutor) -> None:
    code = "import random, numpy\nprint(random.random(), numpy.random.random())"
    results = [(await executor.run(code)).stdout.split() for _ in range(6)]
    assert [len(set(column)) for column in zip(*results, strict=True)] == [6, 6]


async def test_the_codes_thread_knows_its_own_number(executor: LocalExecutor) -> None:
    result = await executor.run(
        "import os, threading\nprint(threading.main_thread().native_id == threading.get_native_id() == os.getpid())"
    )
    assert result.stdout == "True\n"


async def test_partial_output_survives_the_time_limit(executor: LocalExecutor) -> None:
    result = await executor.run("print('early')\nimport time\ntime.sleep(60)", timeout=1.5)
    assert (result.status, result.stdout) == ("timeout", "early\n")
    assert 1.5 <= result.run_s < 15


async def test_waiting_for_a_slot_is_not_charged_to_the_code(executor: LocalExecutor) -> None:
    results = await asyncio.gather(*(executor.run("import time\ntime.sleep(0.3)", timeout=1.5) for _ in range(12)))
    assert {result.status for result in results} == {"ok"}
    assert max(result.queue_s for result in results) > 1.0


async def test_memory_limit_counts_above_the_interpreter(executor: LocalExecutor) -> None:
    fits = await executor.run("import numpy\nprint(numpy.ones(4 << 20).sum())", memory_mb=128, timeout=30)
    bursts = await executor.run("import numpy\nprint(numpy.ones(32 << 20).sum())", memory_mb=128, timeout=30)
    assert (fits.status, fits.template) == ("ok", "numpy"), fits
    assert bursts.status == "memory"


async def test_the_number_of_a_process_does_not_tell_what_the_call_before_has_started() -> None:
    noise = "import threading\nfor _ in range(50):\n t = threading.Thread(target=int)\n t.start()\n t.join()"
    async with LocalExecutor(1, level="ns", shared=False) as executor:
        numbers = [await executor.run(code) for code in ("import os\nprint(os.getpid())", noise) * 3]
    if "does not work here" in numbers[0].reason or not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK):
        pytest.skip("no level ns, or a kernel that does not let the numbers be set")
    assert {result.stdout for result in numbers[::2]} == {"2\n"}


@pytest.mark.parametrize("level", ["ns", "landlock", "seccomp"])
async def test_threads_are_bounded_whatever_their_stacks_take(level: str) -> None:
    storm = "import threading, time\nthreading.stack_size(32768)\nn = 0\ntry:\n while n < {}:\n  n += 1\n  "
    storm += "threading.Thread(target=time.sleep, args=(.5,), daemon=True).start()\n"
    storm += "except RuntimeError: pass\ntime.sleep(.2)\nprint(n)"
    async with LocalExecutor(1, level=level, shared=False) as executor:
        many = await executor.run(storm.format(4500), timeout=5)
        some = await executor.run(storm.format(60), timeout=5)
    if "does not work here" in many.reason:
        pytest.skip(many.reason)
    assert many.status == "killed" if level == "landlock" else int(many.stdout) <= 130, many
    assert (some.stdout, some.attempts) == ("60\n", 1)


async def test_long_output_keeps_head_and_tail(executor: LocalExecutor) -> None:
    result = await executor.run("print('HEAD'); print('x' * 500_000); print('TAIL')")
    assert result.status == "ok" and result.stdout_truncated and result.stdout_bytes == 500_011
    assert result.stdout.startswith("HEAD") and result.stdout.endswith("TAIL\n") and len(result.stdout) < 80_000


async def test_output_is_only_ever_added_to_so_that_threads_lose_none(executor: LocalExecutor) -> None:
    over = await executor.run("import os\nprint('a')\nos.lseek(1, 0, 0)\nprint('b')")
    line = "threading.Thread(target=lambda: [print('line') for _ in range(50)]).start()"
    raced = await asyncio.gather(*(executor.run(f"import threading\nfor _ in range(20): {line}") for _ in range(20)))
    assert over.stdout == "a\nb\n"
    assert {(result.stdout.count("line"), result.stdout_bytes) for result in raced} == {(1000, 5000)}


async def test_code_over_the_size_limit_is_rejected_unrun(executor: LocalExecutor) -> None:
    result = await executor.run("#" * (257 << 10))
    assert result.status == "rejected" and "bytes" in result.reason


async def test_input_is_read_where_it_is_given(executor: LocalExecutor) -> None:
    given = await executor.run("print(int(input()) * 2)", stdin="21\n")
    missing = await executor.run("input()")
    assert given.stdout == "42\n"
    assert "EOFError" in missing.stderr


async def test_hundreds_of_waiting_calls_all_get_their_own_answer(executor: LocalExecutor) -> None:
    before = len(os.listdir("/proc/self/fd"))
    results = await asyncio.gather(*(executor.run(f"print({n} * 7)", sample_key=str(n % 9)) for n in range(160)))
    assert [result.stdout for result in results] == [f"{n * 7}\n" for n in range(160)]
    assert len(os.listdir("/proc/self/fd")) <= before + 2


async def test_a_greedy_key_does_not_starve_another(executor: LocalExecutor) -> None:
    order: list[str] = []

    async def call(key: str) -> None:
        await executor.run("pass", sample_key=key)
        order.append(key)

    await asyncio.gather(*(call("greedy") for _ in range(60)), *(call("modest") for _ in range(3)))
    assert order.index("modest") < 40 and [key for key in order[:55] if key == "modest"] == ["modest"] * 3


async def test_a_cancelled_call_frees_its_slot(executor: LocalExecutor) -> None:
    tasks = [asyncio.create_task(executor.run("while True: pass", timeout=60)) for _ in range(2)]
    await asyncio.sleep(0.5)
    for task in tasks:
        task.cancel()
    result = await asyncio.wait_for(executor.run("print('free')"), 20)
    assert result.stdout == "free\n"


async def floors_in_a_container(strict: str, lenient: str, landlock: bool) -> str:
    """What two executors with these floors have to say where namespaces are refused, and maybe Landlock is, too."""
    script = textwrap.dedent("""
        import asyncio, os, sys
        strict, lenient, landlock, *sys.path[:0] = sys.argv[1:]
        import dockerlike
        from r1ci_plugin.interpreter import IsolationUnavailable, LocalExecutor
        dockerlike.put_on(landlock=landlock == "True")
        async def main():
            executor = LocalExecutor(1, floor=strict, shared=False)
            try:
                await executor.start()
            except IsolationUnavailable as refusal:
                print("REFUSED", refusal)
            print("RUN", (await executor.run("print(1)")).status)
            await executor.close()
            async with LocalExecutor(1, floor=lenient, shared=False) as executor:
                print("LEVEL", (await executor.run("print(1)")).isolation)
        asyncio.run(main())
    """)
    here = Path(__file__).parent
    words = [strict, lenient, str(landlock), str(here / "hostile"), str(here.parents[1])]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = (part.decode() for part in await process.communicate())
    assert process.returncode == 0, err
    return out


async def test_a_floor_that_the_machine_cannot_keep_is_refused_with_a_remedy() -> None:
    out = await floors_in_a_container("ns", "landlock", landlock=True)
    assert "REFUSED" in out and "Remedy" in out and "user namespaces" in out
    assert "RUN sandbox_error" in out
    assert "LEVEL landlock" in out


@pytest.mark.skipif(os.getuid() != 0, reason="the level seccomp is root's")
async def test_without_namespaces_and_landlock_calls_run_only_where_the_level_seccomp_is_accepted() -> None:
    out = await floors_in_a_container("landlock", "seccomp", landlock=False)
    assert "REFUSED" in out and "accept seccomp, which works here, as the floor" in out
    assert "RUN sandbox_error" in out
    assert "LEVEL seccomp" in out


def test_a_floor_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="one of ns, landlock, seccomp"):
        LocalExecutor(1, floor="process")


@pytest.mark.skipif(os.getuid() != 0, reason="the level seccomp is root's")
async def test_the_root_folder_of_the_level_seccomp_goes_with_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="r1ci-") as folder:  # a short path: a socket lies in it
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        executor = LocalExecutor(1, level="seccomp")
        assert (await executor.run("import colorsys; print(colorsys.rgb_to_hsv(0, 0, 0)[0])")).stdout == "0.0\n"
        assert list(Path(folder).glob("*/tree-*/scratch/[0-9]*"))
        await executor.close()
        deadline = time.monotonic() + 20
        while list(Path(folder).glob("*/tree-*")):
            assert time.monotonic() < deadline, "the tree outlived its host"
            await asyncio.sleep(0.1)


async def test_two_executors_with_the_same_settings_share_one_host_that_goes_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    first, second = LocalExecutor(1), LocalExecutor(1)
    results = await asyncio.gather(first.run("print(1)"), second.run("print(2)"))
    assert [result.stdout for result in results] == ["1\n", "2\n"]
    host = first.host_pid
    assert host == second.host_pid
    await first.close()
    assert (await second.run("print(3)")).stdout == "3\n"
    await second.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{host}/stat").exists() and "Z" not in Path(f"/proc/{host}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "the host outlived its clients"
        await asyncio.sleep(0.1)


def test_one_executor_serves_several_event_loops() -> None:
    executor = LocalExecutor(1, shared=False)

    async def once(n: int) -> str:
        return (await executor.run(f"print({n})")).stdout

    try:
        assert [asyncio.run(once(n)) for n in range(3)] == ["0\n", "1\n", "2\n"]
    finally:
        asyncio.run(executor.close())


def test_packages_with_answers_can_never_be_allowed() -> None:
    for name in packages.HIDDEN:
        with pytest.raises(ValueError, match="never importable"):
            packages.locate((name,))


async def test_code_hears_signals_that_the_starter_of_the_host_ignores() -> None:
    """A shell ignores interrupt and quit for what it runs in the background, and ignoring is inherited."""
    old = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGQUIT, signal.SIGINT)}
    try:
        executor = LocalExecutor(1, shared=False)
        await executor.start()
        quits = await executor.run("import os, signal\nos.kill(os.getpid(), signal.SIGQUIT)")
        interrupts = await executor.run("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('on')")
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    await executor.close()
    assert quits.status == "killed" and quits.signal == signal.SIGQUIT
    assert "KeyboardInterrupt" in interrupts.stderr and not interrupts.stdout


async def test_slots_of_two_hosts_are_not_the_same_user() -> None:
    """At the level `seccomp` a limit of threads is counted by user, on the whole machine."""
    async with (
        LocalExecutor(1, level="seccomp", shared=False) as one,
        LocalExecutor(1, level="seccomp", shared=False) as other,
    ):
        users = [await executor.run("import os; print(os.getuid())") for executor in (one, other)]
    if "does not work here" in users[0].reason or os.getuid() != 0:
        pytest.skip("only root can give a slot a user of its own")
    assert users[0].stdout != users[1].stdout, "by chance once in 20,000 times"
