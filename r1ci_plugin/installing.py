"""The command that installs this package, or an extra of it, from where it came: for messages that end with it.

The package is on no index, so a name alone would find nothing, or what somebody else has put there. Left out: looking
at what is installed (`doctor.py`).
"""

from __future__ import annotations

from pathlib import Path


def install(extra: str = "") -> str:
    """`pip install` of this very package with an extra: of the checkout it runs from, where it does.

    Installed from a wheel, pip has the package already and only adds what the extra needs.
    """
    folder, extras = _checkout(), f"[{extra}]" if extra else ""
    return f"pip install -e '{folder}{extras}'" if folder else f"pip install 'r1ci_plugin{extras}'"


def install_again() -> str:
    """What puts the package in place anew, its entry point and its recipes, and touches nothing else."""
    folder = _checkout()
    where = f"-e '{folder}'" if folder else "the wheel it came from"
    return f"pip install --force-reinstall --no-deps {where}"


def _checkout() -> Path | None:
    folder = Path(__file__).resolve().parents[1]
    return folder if (folder / "setup.py").is_file() and (folder / "recipes").is_dir() else None
