"""Folders that code has filled are removed, however they are nested and named, and nothing outside them is touched."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from r1ci_plugin.interpreter import LocalExecutor
from r1ci_plugin.interpreter.local import launch
from r1ci_plugin.interpreter.local.host import pool, remover, wire
from r1ci_plugin.interpreter.local.host.scratch import Scratch


def nest(folder: Path, depth: int, name: str = "d") -> None:
    """A chain of folders, too long for a path and for recursion."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT, dir_fd=here))
    os.close(here)


def test_no_depth_and_no_length_of_names_keeps_a_folder(tmp_path: Path) -> None:
    full, outside = tmp_path / "full", tmp_path / "outside"
    for folder in (full, outside):
        folder.mkdir()
    (outside / "kept").write_text("x")
    nest(full, 3000)
    nest(full, 40, "n" * 250)
    (full / "closed" / "inner").mkdir(parents=True)
    (full / "closed" / "inner").chmod(0)
    (full / "closed").chmod(0)
    (full / "link").symlink_to(outside)
    (full / "closed.link").symlink_to(outside / "kept")
    os.mkfifo(full / "pipe")
    remover.remove(str(full))
    assert os.listdir(tmp_path) == ["outside"] and os.listdir(outside) == ["kept"]
    remover.remove(str(full))  # a second time it is gone, and nothing is raised


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    remover.remove(str(tmp_path / "link"))
    assert os.listdir(tmp_path / "outside") == ["kept"]


def test_code_cannot_foresee_the_names_that_cleaning_uses(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path / "work"), mounted=False)
    for serial in range(1, 9):
        (tmp_path / "work" / f".moved-{os.getpid()}-{serial}" / "full").mkdir(parents=True)
    (tmp_path / "work" / "d" / "e").mkdir(parents=True)
    scratch.renew()
    assert os.listdir(tmp_path / "work") == ["tmp"]


def test_paths_too_long_for_the_kernel_count_as_over_the_quota(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path / "work"), mounted=False)
    assert not scratch.is_over_quota()
    nest(tmp_path / "work", 20, "n" * 250)
    assert scratch.is_over_quota()


@pytest.mark.parametrize("level", ["landlock", "seccomp"])
def test_the_host_removes_what_a_killed_slot_has_left(
    level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_ENDS_WITHIN_S", 0.0)
    slots = pool.Pool(pool.Place(level, "", str(tmp_path / "root"), str(tmp_path / "work")), [], 1)
    control, template = wire.pair()
    slots.templates["stdlib"].control, slots.templates["stdlib"].ready = control, True
    taken = slots.take("stdlib")
    assert taken is not None
    folder = (tmp_path / "work" if level == "landlock" else tmp_path / "root" / "scratch") / str(taken[0].number)
    folder.mkdir(parents=True)
    nest(folder, 5)
    slots.drop(taken[0])
    slots.sweep()
    assert not folder.exists()
    control.close()
    template.close()


async def test_a_host_starts_whatever_the_last_one_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="r1ci") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        executor = LocalExecutor(1)
        left = launch.folder_for(executor._settings) / "work" / "0"
        left.parent.parent.mkdir(mode=0o700)
        left.mkdir(parents=True)
        nest(left, 2000)
        result = await executor.run("print(1)")
        await executor.close()
        assert result.stdout == "1\n", result
        assert not left.exists() or os.listdir(left) == ["tmp"]


async def test_long_names_are_the_codes_own_doing_and_cost_no_slot() -> None:
    code = "import os, time\nfor _ in range(20): os.mkdir('a' * 250); os.chdir('a' * 250)\ntime.sleep(5)"
    async with LocalExecutor(1, level="landlock", shared=False) as executor:
        result = await executor.run(code, timeout=3)
        after = await executor.run("import os\nprint(os.listdir('.'))")
    if "does not work here" in result.reason:
        pytest.skip(result.reason)
    assert (result.status, result.attempts) == ("disk_limit", 1), result
    assert (after.stdout, after.attempts) == ("['tmp']\n", 1)
