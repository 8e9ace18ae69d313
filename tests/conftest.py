"""What several tests need: commands run as a person would, and small throw-away installs of the package.

Property tests have no deadline of their own: a busy machine is no finding.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "r1ci_plugin", "recipes")
HIDDEN = (
    "PYTHONPATH",
    "R1CI_BACKEND",
    "R1CI_DATA",
    "R1CI_RUNS",
    "R1CI_RUN",
    "RAY_ADDRESS",
    "VERL_PLATFORM",
    "VERL_USE_EXTERNAL_PLUGINS",
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run_command(
    command: Sequence[str | Path], cwd: Path, timeout: float = 300, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder that is not the checkout, with nothing of this process's settings leaking in."""
    clean = {key: value for key, value in os.environ.items() if key not in HIDDEN}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**clean, "OMP_NUM_THREADS": "1", **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin first: what is long must not begin last.

    `run.sh` hands out whole files, since a job that a file's tests share would else be run by several workers.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def run() -> Run:
    return run_command


@pytest.fixture(scope="session")
def source_copy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a fresh copy of what the package is built from: builds write into their source folder."""

    def copy() -> Path:
        folder = tmp_path_factory.mktemp("source")
        for name in SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)
        return folder

    return copy


@pytest.fixture(scope="session")
def bare_venv(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes an environment that borrows the packages of this one, not its editable installs; gives its interpreter."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("venv")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
        python = folder / "bin" / "python"
        site = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True,
            capture_output=True,
            text=True,
        )
        (Path(site.stdout.strip()) / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        return python

    return make
