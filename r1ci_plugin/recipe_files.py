"""The recipes as plain data: where their files lie, and what stands for `${r1ci.NAME:}` in them on this machine.

Left out: putting them into Hydra (`plugin.py`), composing them (Hydra), judging the result (`checks/`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from r1ci_plugin import backend
from r1ci_plugin.checkpoints import newest_step

_PLACE = r"\$\{r1ci\.(\w+):([^}]*)\}"


def recipes_folder() -> Path:
    """Where the recipes lie: inside the package in a wheel, beside it in a checkout."""
    here = Path(__file__).parent
    for folder in (here / "recipes", here.parent / "recipes", Path(__file__).resolve().parents[1] / "recipes"):
        if (folder / "r1ci_method").is_dir():
            return folder
    raise FileNotFoundError(f"the recipes are neither in {here} nor beside it: install r1ci_plugin again")


def recipe_files() -> Iterator[tuple[str, str, Path]]:
    """(group, name, file) of every recipe and of the groups recipes compose."""
    folder = recipes_folder()
    for file in sorted(folder.glob("*.yaml")):
        yield "recipe", file.stem, file
    for file in sorted(folder.glob("*/*.yaml")):
        yield file.parent.name, file.stem, file


def load_recipe(file: Path) -> dict[str, Any]:
    """One recipe as plain data, with every `${r1ci.NAME:}` filled in for this machine.

    They are filled in here, once, and not by Hydra, because other processes of the job, on other nodes, would get other
    values: another folder, another number of GPUs.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = _fill(yaml.load(file.read_text(encoding="utf-8"), Loader=loader))
    return content


def _fill(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _fill(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value) for value in node]
    if isinstance(node, str) and "${r1ci." in node:
        if whole := re.fullmatch(_PLACE, node):
            return place(whole[1], whole[2])
        return re.sub(_PLACE, lambda match: str(place(match[1], match[2])), node)
    return node


@cache
def place(name: str, argument: str = "") -> Any:
    """The value of `${r1ci.NAME:ARGUMENT}` on this machine."""
    places: dict[str, Callable[[], Any]] = {
        "backend": lambda: backend.choose().backend,
        "model": lambda: "seed" if backend.choose().backend == "cpu" else "qwen2.5-3b-instruct",
        "gpus": backend.gpus_per_node,
        "transport": lambda: "r1ci_gloo" if backend.choose().backend == "cpu" else "nccl",
        "data": lambda: str(_data_folder()),
        "manifest": lambda: str(manifest) if (manifest := _data_folder() / "manifest.parquet").exists() else None,
        "sft": lambda: str(sft_folder()),
        "runs": lambda: str(runs_folder()),
        "seed_policy": lambda: str(Path(__file__).resolve().parent / "assets" / "seed_policy"),
        "policy_of": lambda: str(policy_of(argument)),
    }
    return places[name]()


def _data_folder() -> Path:
    return Path(os.environ.get("R1CI_DATA", "data/r1ci")).absolute()


def sft_folder() -> Path:
    """Where the fine-tuning set lies."""
    return Path(os.environ.get("R1CI_SFT", "data/sft")).absolute()


def runs_folder() -> Path:
    """Where run folders lie: R1CI_RUNS, else `runs` here."""
    return Path(os.environ.get("R1CI_RUNS", "runs")).absolute()


def policy_of(run: str) -> Path:
    """The newest policy a run exported, as a Hugging Face folder; where there is none yet, the path it would have."""
    folder = runs_folder() / run
    step = newest_step(folder)
    checkpoint = folder / f"global_step_{'LAST' if step is None else step}"
    fine_tuned = checkpoint / "huggingface"  # verl's SFT trainer has no actor among others
    return fine_tuned if fine_tuned.is_dir() else checkpoint / "actor" / "huggingface"
