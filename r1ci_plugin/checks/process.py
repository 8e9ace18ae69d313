"""Is this process the one that the recipe is for: verl, our settings, the back end, the run folder?

Left out: what the run reads (`policy.py`, `data.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from r1ci_plugin import backend
from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.config import settings_from
from r1ci_plugin.installing import install


def check_verl(config: Any) -> Iterator[Finding]:
    """The verl in this process is one this plugin is written for."""
    warning = backend.version_warning()
    if warning is None:
        yield ok("verl is a supported version")
    else:
        what, _, mend = warning.removeprefix("r1ci: ").partition(": ")
        yield broken(what, mend)


def check_section(config: Any) -> Iterator[Finding]:
    """The section `r1ci:` has known keys only."""
    try:
        settings_from(config)
        yield ok("the section r1ci is complete")
    except (ValueError, TypeError) as error:
        yield broken(str(error), "take the key from the command line or the recipe")


def check_backend(config: Any) -> Iterator[Finding]:
    """verl's platform in this process, and the rollout engine, are those of the composed back end."""
    from verl.utils.device import get_device_name

    engine, device = config.actor_rollout_ref.rollout.name, get_device_name()
    if (engine == "r1ci_cpu") != (device == "cpu"):
        yield other_back_end("cpu" if engine == "r1ci_cpu" else "gpu", device)
        return
    if engine == "vllm" and not backend.choose().on_cluster:
        yield from _gpu_packages(config)
    yield ok(f"rollout engine {engine} on {device}")


def other_back_end(recipe: backend.Backend, device: str) -> Finding:
    """verl has chosen another platform in this process than the recipe is for."""
    return broken(
        f"the recipe is for the {recipe}, but verl runs on {device} here", f"set R1CI_BACKEND={recipe} and start again"
    )


def _gpu_packages(config: Any) -> Iterator[Finding]:
    if find_spec("vllm") is None:
        yield broken("vLLM is not installed", f"{install('gpu')} in an environment of its own")
    attention = config.actor_rollout_ref.model.override_config.get("attn_implementation", "flash_attention_2")
    if attention == "flash_attention_2" and find_spec("flash_attn") is None:
        yield broken("flash-attn is not installed", "pip install flash-attn --no-build-isolation")


def check_run_folder(config: Any) -> Iterator[Finding]:
    """The run folder can be written."""
    folder = Path(config.trainer.default_local_dir).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".r1ci_probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield broken(
            f"the run folder {folder} cannot be written ({error.strerror})",
            "set R1CI_RUNS=FOLDER or trainer.default_local_dir=FOLDER",
        )
        return
    ablation = config.r1ci.get("ablation")
    if ablation and not any(ablation in part for part in folder.parts):
        yield broken(
            f"the ablation {ablation} would share the run folder {folder} with the method",
            f"set R1CI_RUNS=runs/{ablation}",
        )
        return
    yield ok(f"the run folder is {folder}")
