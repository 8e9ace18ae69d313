"""The executor's small parts: template choice, the fair queue, the gate, core counting, the filter, the scratch
folder."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r1ci_plugin.interpreter.local.cores import available_cores
from r1ci_plugin.interpreter.local.gate import Gate
from r1ci_plugin.interpreter.local.host import levels, seccomp, syscalls, tree
from r1ci_plugin.interpreter.local.host.fair import FairQueue
from r1ci_plugin.interpreter.local.host.scratch import Scratch
from r1ci_plugin.interpreter.local.host.view import View
from r1ci_plugin.interpreter.local.scan import template_for
from r1ci_plugin.protocol import parse_turn


@pytest.mark.parametrize(
    ("code", "template"),
    [
        ("print(1)", "stdlib"),
        ("import math, json", "stdlib"),
        ("import numpy as np", "numpy"),
        ("import math, numpy.linalg as la", "numpy"),
        ("def f():\n    from numpy import array", "numpy"),
        ("from sympy.abc import x", "full"),
        ("import numpy, scipy.optimize", "full"),
        ("x = 1; import networkx", "full"),
        ("m = __import__('sympy')", "full"),
        ("print('import sympyish')", "stdlib"),
        ("# numpy is not imported", "stdlib"),
    ],
)
def test_the_smallest_template_with_the_imports_is_chosen(code: str, template: str) -> None:
    assert template_for(code) == template


_CHARACTERS = ("_", ".", "a ", " ", "\t", "`", "``` ", "<", "<<<", ">>>", "\n```\n", "\n ", "from ", ";", "'")
_BEFORE = ("", "from ", "from a", "from a.", "import ", "; import ", "__import__(", "```", "```python\n", "<<<", " ")


@pytest.mark.parametrize("read", [template_for, parse_turn])
def test_no_text_takes_the_square_of_its_length_to_read(read: Callable[[str], object]) -> None:
    for begin in _BEFORE:
        for character in _CHARACTERS:
            text = begin + (character * (64 << 10))[: 64 << 10]
            # hundredths of a second, or minutes for the square; a collection of garbage may come between once
            assert any(_seconds(read, text) < 1 for _ in range(3)), (begin, character)


def _seconds(read: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    read(text)
    return time.process_time() - started


@given(st.lists(st.tuples(st.integers(0, 4), st.integers())))
def test_the_fair_queue_keeps_order_in_a_key_and_takes_turns(items: list[tuple[int, int]]) -> None:
    queue: FairQueue[tuple[int, int]] = FairQueue()
    for key, value in items:
        queue.put(key, (key, value))
    served = [queue.get() for _ in range(len(queue))]
    assert sorted(served) == sorted(items)
    for key in range(5):
        assert [item for item in served if item[0] == key] == [item for item in items if item[0] == key]
    keys = {key for key, _ in items}
    assert {key for key, _ in served[: len(keys)]} == keys


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9))))
def test_the_fair_queue_forgets_what_is_removed(items: list[tuple[int, int]]) -> None:
    queue: FairQueue[int] = FairQueue()
    for key, value in items:
        queue.put(key, value)
    removed = queue.remove(lambda value: value % 2 == 1)
    assert sorted(removed) == sorted(value for _, value in items if value % 2)
    assert sorted(queue.get() for _ in range(len(queue))) == sorted(value for _, value in items if value % 2 == 0)


async def test_the_gate_never_holds_more_than_its_places_and_loses_none_to_cancellation() -> None:
    gate, inside, most = Gate(3), 0, 0

    async def pass_through(n: int) -> None:
        nonlocal inside, most
        async with gate.place(n % 4):
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(0.001)
            finally:  # also where it is cancelled inside
                inside -= 1

    tasks = [asyncio.create_task(pass_through(n)) for n in range(60)]
    await asyncio.sleep(0.002)
    for task in tasks[::3]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 3
    await asyncio.wait_for(asyncio.gather(*(pass_through(n) for n in range(9))), 5)


@pytest.mark.parametrize(
    ("text", "cores"), [("150000 100000", 2), ("max 100000", 10**6), ("10000 100000", 1), ("nonsense", 10**6)]
)
def test_a_quota_of_the_control_group_bounds_the_cores(tmp_path: Path, text: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert available_cores(tmp_path / "cpu.max") == min(cores, len(os.sched_getaffinity(0)))


def decide(number: int, arguments: tuple[int, ...] = (0,) * 6, arch: int | None = None, files_too: bool = True) -> int:
    """What the filter says about a call, by running its steps as the kernel does."""
    words = [number & 0xFFFFFFFF, syscalls.architecture()[1] if arch is None else arch, 0, 0]
    for argument in arguments:
        words += [argument & 0xFFFFFFFF, argument >> 32 & 0xFFFFFFFF]
    steps, at, value = seccomp._program(files_too), 0, 0
    while True:
        code, yes, no, k = steps[at]
        k = os.getpid() if k == -1 else k
        at += 1
        if code == 0x20:
            value = words[k // 4]
        elif code == 0x06:
            return k
        elif code == 0x05:
            at += k
        elif code == 0x54:
            value &= k
        else:
            at += yes if {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[code] else no


def nr(name: str) -> int:
    number = syscalls.number(name)
    assert number is not None
    return number


REFUSED = [seccomp._NETWORK, seccomp._PROCESSES, seccomp._NAMESPACES, seccomp._PRIVILEGE, seccomp._KERNEL]
REFUSED += [seccomp._NOTES, seccomp._METADATA]


@pytest.mark.parametrize("name", " ".join(REFUSED).split())
def test_the_filter_refuses_each_call_of_its_list(name: str) -> None:
    if syscalls.number(name) is not None:
        assert decide(nr(name)) == seccomp.REFUSE


def test_the_filter_decides_by_arguments_where_it_must() -> None:
    own, other = os.getpid(), os.getpid() + 1
    assert decide(nr("clone"), (0x3D0F00, 0, 0, 0, 0, 0)) == seccomp.ALLOW
    assert decide(nr("clone"), (17, 0, 0, 0, 0, 0)) == seccomp.REFUSE
    assert decide(nr("clone"), (0x10000 | 0x20000, 0, 0, 0, 0, 0)) == seccomp.REFUSE
    assert decide(nr("kill"), (own, 9, 0, 0, 0, 0)) == seccomp.ALLOW
    assert decide(nr("kill"), (other, 9, 0, 0, 0, 0)) == seccomp.REFUSE
    assert decide(nr("kill"), (0xFFFFFFFF, 9, 0, 0, 0, 0)) == seccomp.REFUSE
    assert decide(nr("openat"), (0, 0, os.O_RDONLY, 0, 0, 0)) == seccomp.ALLOW
    assert decide(nr("openat"), (0, 0, os.O_WRONLY | os.O_TRUNC, 0, 0, 0)) == seccomp.ALLOW
    assert decide(nr("openat"), (0, 0, os.O_RDONLY | os.O_TRUNC, 0, 0, 0)) == seccomp.REFUSE
    assert decide(nr("openat"), (0, 0, 3, 0, 0, 0)) == seccomp.REFUSE
    assert decide(nr("sendto"), (3, 0, 0, 0, 0, 0)) == seccomp.ALLOW
    assert decide(nr("sendto"), (3, 0, 0, 0, 1 << 32, 0)) == seccomp.REFUSE
    assert decide(nr("fcntl"), (3, 8, 0, 0, 0, 0)) == seccomp.REFUSE
    assert decide(nr("fcntl"), (3, 1, 0, 0, 0, 0)) == seccomp.ALLOW


@pytest.mark.parametrize("files_too", [True, False])
def test_no_file_grows_beyond_its_limit_by_reserving_space(files_too: bool) -> None:
    assert decide(nr("fallocate"), (3, 0, 0, 4096, 0, 0), files_too=files_too) == seccomp.ALLOW
    for mode in (1, 2, 3, 8, 16, 0x20, 0x40):
        assert decide(nr("fallocate"), (3, mode, 0, 4096, 0, 0), files_too=files_too) == seccomp.REFUSE


def test_which_pages_are_in_memory_is_neither_told_nor_set() -> None:
    for name in ("preadv2", "pwritev2"):
        assert decide(nr(name), (3, 0, 1, 0, 0, 0)) == seccomp.ALLOW
        assert decide(nr(name), (3, 0, 1, 0, 0, 8)) == seccomp.REFUSE
    for advice, verdict in ((4, seccomp.ALLOW), (14, seccomp.ALLOW), (20, seccomp.REFUSE), (21, seccomp.REFUSE)):
        assert decide(nr("madvise"), (0, 4096, advice, 0, 0, 0)) == verdict


def test_the_filter_knows_no_call_younger_than_its_table_and_no_other_architecture() -> None:
    assert decide(syscalls.NEWEST + 1) == decide(9999) == seccomp.UNKNOWN
    assert decide(nr("clone3")) == seccomp.UNKNOWN
    assert decide(0, arch=0x40000003) == seccomp.KILL
    assert decide(0x40000000 + 1) == seccomp.REFUSE


def test_metadata_of_files_is_left_to_the_mounts_where_there_are_some() -> None:
    assert decide(nr("fchmodat"), files_too=False) == seccomp.ALLOW


@pytest.mark.parametrize(
    ("broken", "floor", "exactly", "level"),
    [
        ("", "ns", None, "ns"),
        ("", "seccomp", None, "ns"),
        ("ns", "landlock", None, "landlock"),
        ("ns landlock", "seccomp", None, "seccomp"),
        ("", "landlock", "seccomp", "seccomp"),
        ("ns", "ns", None, "accept landlock, which works here, as the floor"),
        ("ns landlock", "landlock", None, "accept seccomp, which works here, as the floor"),
        ("ns landlock seccomp", "seccomp", None, "run as root"),
        ("system_call_filter", "seccomp", None, "Linux 5.3"),
    ],
)
def test_the_best_level_is_taken_and_none_below_the_floor(
    broken: str, floor: str, exactly: str | None, level: str
) -> None:
    names = ("ns", "landlock", "seccomp", "system call filter")
    trial = levels.Trial({name: "broken" * (name.replace(" ", "_") in broken.split()) for name in names})
    try:
        assert trial.best(floor, exactly) == level
    except LookupError as refusal:
        assert level in str(refusal) and "Remedy" in str(refusal)


def test_an_unknown_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="riscv64"))
    with pytest.raises(syscalls.UnsupportedMachine, match="riscv64"):
        syscalls.architecture()


def test_a_scratch_folder_notices_every_trace_and_gets_rid_of_it(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path / "work"), mounted=False)
    assert not scratch.is_dirty()
    deep = str(tmp_path / "work")
    for _ in range(300):
        deep = os.path.join(deep, "d")
        os.mkdir(deep)
    (tmp_path / "work" / "tmp" / "note").write_text("x")
    (tmp_path / "work" / "closed").mkdir(mode=0)
    assert scratch.is_dirty() and scratch.is_over_quota()
    scratch.renew()
    assert not scratch.is_dirty() and not scratch.is_over_quota()
    assert os.listdir(tmp_path / "work") == ["tmp"]
    os.chmod(tmp_path / "work", 0o755)
    assert scratch.is_dirty()


def grow(folder: Path) -> int:
    """Have a folder held many names; returns its size then."""
    for serial in range(2000):
        (folder / f"{serial:0100d}").touch()
    return folder.stat().st_size


def test_a_scratch_folder_does_not_tell_how_much_was_in_it(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path / "work"), mounted=False)
    size = (tmp_path / "work").stat().st_size
    assert grow(tmp_path / "work") > size
    assert scratch.renew()
    assert (tmp_path / "work").stat().st_size == size


def test_a_scratch_folder_that_still_tells_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = Scratch(str(tmp_path / "work"), mounted=False)
    monkeypatch.setattr(Scratch, "_replace", lambda self: None)  # as where it lies in one of root's
    size = (tmp_path / "work").stat().st_size
    grow(tmp_path / "work")
    assert scratch.renew() == ((tmp_path / "work").stat().st_size == size)


def test_a_scratch_folder_keeps_nothing_of_a_slot_that_was_killed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    Scratch(str(work), mounted=False)
    (work / "note").write_text("from the call before")
    assert not Scratch(str(work), mounted=False).is_dirty()
    assert os.listdir(work) == ["tmp"]


def test_the_tree_holds_what_it_shows_and_no_file_that_others_may_change(tmp_path: Path) -> None:
    real = tmp_path / "machine"
    for folder in ("python/site-packages/numpy", "python/site-packages/secret", "python/test", "elsewhere", "links"):
        (real / folder).mkdir(parents=True)
    (real / "alias").symlink_to("python")
    (real / "links" / "numpy").symlink_to(real / "alias" / "site-packages" / "numpy")
    for name, mode in (
        ("os.py", 0o644),
        ("private.py", 0o600),
        ("open.py", 0o666),
        ("site-packages/numpy/a.py", 0o444),
    ):
        (real / "python" / name).write_text(name)
        (real / "python" / name).chmod(mode)
    package = str(real / "alias" / "site-packages" / "numpy")
    root = tmp_path / "tree"
    tree.build(View((str(real / "python"),), (package,), str(real / "links"), ()), str(root))
    shown = Path(f"{root}{real}")
    assert sorted(os.listdir(shown / "python")) == ["open.py", "os.py", "private.py", "site-packages"]
    assert os.listdir(shown / "python" / "site-packages") == ["numpy"]
    assert (shown / "alias").is_symlink() and os.readlink(shown / "links" / "numpy") == package
    assert (shown / "python" / "os.py").samefile(real / "python" / "os.py") == (os.getuid() < 40_000)
    for name in ("private.py", "open.py"):
        assert (shown / "python" / name).read_text() == name
        assert (shown / "python" / name).stat().st_mode & 0o777 == 0o444
        assert not (shown / "python" / name).samefile(real / "python" / name)
    assert list(root.rglob("libc.so*")), "the C library that ctypes opens"
