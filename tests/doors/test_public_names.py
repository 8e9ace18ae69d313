"""`import r1ci_plugin` costs nothing, and every name it promises is really there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import r1ci_plugin

PURE = (
    "get_task",
    "list_tasks",
    "Question",
    "Verdict",
    "ExecResult",
    "LocalExecutor",
    "RemoteExecutor",
    "CurriculumSampler",
    "improvement_potential",
    "build_manifest",
)


@pytest.mark.parametrize("name", PURE)
def test_a_public_name_without_verl_can_be_imported(name: str) -> None:
    assert getattr(r1ci_plugin, name).__name__ == name


def test_every_name_is_offered_and_no_other_is_there() -> None:
    assert set(r1ci_plugin.__all__) <= set(dir(r1ci_plugin))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = r1ci_plugin.no_such_name


def test_importing_the_package_imports_nothing_else_of_it(tmp_path: Path) -> None:
    code = (
        "import sys, r1ci_plugin; print([name for name in sys.modules if name.startswith(('r1ci_plugin.', 'torch'))])"
    )
    environment = {"PYTHONPATH": str(Path(r1ci_plugin.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
