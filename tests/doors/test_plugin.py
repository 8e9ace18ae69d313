"""What `import verl` loads is quick, registers what it should, and says its errors, which verl hides."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

LIGHT = """
import verl, sys, r1ci_plugin.plugin
heavy = [name for name in sys.modules if name.startswith(("verl.trainer", "verl.experimental", "verl.workers",
    "r1ci_plugin.rollout.agent_loop", "r1ci_plugin.tasks", "r1ci_plugin.interpreter", "reasoning_gym"))]
print("HEAVY", heavy)
from verl.plugin.platform import PlatformRegistry
print("PLATFORMS", PlatformRegistry.registered_names())
"""


@pytest.mark.slow
@pytest.mark.parametrize("name, registered", [("cpu", True), ("gpu", False)])
def test_loading_is_light_and_the_platform_is_registered_only_where_it_is_the_choice(
    run: Run, tmp_path: Path, name: str, registered: bool
) -> None:
    done = run([sys.executable, "-c", LIGHT], cwd=tmp_path, env={"R1CI_BACKEND": name, **_path()})
    assert done.returncode == 0, done.stderr
    assert "HEAVY []" in done.stdout
    assert ("'cpu'" in done.stdout) == registered


@pytest.mark.slow
def test_an_error_of_the_plugin_is_said_loudly(run: Run, tmp_path: Path) -> None:
    code = "import verl; import r1ci_plugin.plugin"
    done = run([sys.executable, "-c", code], cwd=tmp_path, env={"R1CI_BACKEND": "tpu", **_path()})
    assert done.returncode != 0
    assert "r1ci: the plugin could not be loaded" in done.stderr
    assert "R1CI_BACKEND=tpu: the back ends are cpu and gpu" in done.stderr


@pytest.mark.slow
def test_a_run_that_names_our_recipe_ends_where_the_plugin_fails(run: Run, tmp_path: Path) -> None:
    """Hydra would take the recipe for a plain new key, and verl would train its own defaults."""
    command = [sys.executable, "-m", "verl.trainer.main_ppo", "+recipe=r1ci_stage1", "--cfg", "job"]
    done = run(command, cwd=tmp_path, env={"R1CI_BACKEND": "gpuu", **_path()})
    assert done.returncode == 1
    assert "R1CI_BACKEND=gpuu: the back ends are cpu and gpu" in done.stderr
    assert "recipe: r1ci_stage1" not in done.stdout


def _path() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(__file__).parents[2])}
