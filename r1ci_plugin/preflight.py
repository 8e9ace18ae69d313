"""The last look before a run starts Ray: a Hydra callback that every recipe sets.

It says in one loud line what will run where, lists where the configuration differs from the method, ends what a
crashed start of the same run left behind, and stops with one line for each thing that is missing. Hydra calls it after
composing and before it makes its output folder, so a run that cannot work leaves nothing behind. `--cfg job` does not
call it.

Left out: the checks themselves (`checks/`), finding left-over processes (`leftovers.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from r1ci_plugin import backend, leftovers
from r1ci_plugin.checks import Finding, broken, check_all, nodes
from r1ci_plugin.checks.executor import check_running
from r1ci_plugin.recipe_files import load_recipe, recipes_folder


class Preflight(Callback):  # type: ignore[misc]  # hydra's classes count as Any
    """Checks the job, ends the process with exit code 1 and plain lines if it cannot work."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Called by Hydra with the composed configuration, before anything of the job exists."""
        if running_module().startswith("verl.trainer.sft_trainer"):
            stage = "this recipe is for verl's RL trainer, not for its SFT trainer"
            stop_on([broken(stage, f"python -m verl.trainer.main_ppo {' '.join(sys.argv[1:])}")])
        say(announcement(config))
        for line in differences(config):
            say(f"  {line}")
        findings = list(check_all(config))
        if all(finding.ok for finding in findings):
            findings += check_running(config)
        for finding in findings:
            if finding.is_told:
                say(finding.what)
        stop_on(findings)
        prepare_run_folder(config)
        if address := nodes.address_of(config):
            found = list(nodes.check_nodes(config, address))
            stop_on(found)
            say(f"every node of the Ray cluster at {address} is fit for the job ({len(found)} nodes)")
        resolve_ray_settings(config)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """verl starts Ray once a process: a sweep in one process cannot work."""
        what = "a recipe is one run, Hydra's multirun cannot start it"
        stop_on([broken(what, "start the runs one after another, without -m")])


def stop_on(findings: Iterable[Finding]) -> None:
    """End the process if something is broken, with one line for each such finding."""
    faults = [finding for finding in findings if not finding.ok]
    for fault in faults:
        say(f"ERROR {fault.what}. Mend: {fault.mend}")
    if faults:
        sys.exit(1)


def announcement(config: Any) -> str:
    """The one line at start: back end, why, policy, stage, folder, and how to choose the other back end."""
    choice = backend.choose()
    engine = config.actor_rollout_ref.rollout.name
    other = "cpu" if choice.backend == "gpu" else "gpu"
    ablation = f" of the ablation {config.r1ci.ablation}" if config.r1ci.get("ablation") else ""
    return (
        f"BACK END {choice.backend.upper()} ({choice.reason}; rollout engine {engine}; "
        f"other choice: {backend.GROUP}={other}) | policy {config.actor_rollout_ref.model.path} | "
        f"stage {config.r1ci.stage}{ablation} | run folder {config.trainer.default_local_dir}"
    )


def differences(config: Any) -> Iterator[str]:
    """`key: value (the method has other)` for every setting of the method that this run changes."""
    method = load_recipe(recipes_folder() / "r1ci_method" / "grpo.yaml")
    for key, stated in _leaves(method):
        if key.startswith(("hydra.", "ray_kwargs.", "r1ci.stage", "trainer.experiment_name")) or "${" in str(stated):
            continue
        actual = OmegaConf.select(config, key)
        actual = OmegaConf.to_container(actual) if OmegaConf.is_config(actual) else actual
        if actual != stated:
            yield f"{key}: {actual} (the method has {stated})"


def _leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def prepare_run_folder(config: Any) -> None:
    """Take the run folder for this process, and end what an earlier start of the same run left behind."""
    folder = Path(config.trainer.default_local_dir).absolute()
    try:
        ended = leftovers.take_over(folder)
    except leftovers.RunInUse as error:
        stop_on([broken(str(error), "wait for it, or set trainer.experiment_name=NAME for a second run")])
        return
    if ended:
        say(f"ended {ended} processes that an earlier start of this run left behind")
    (folder / "metrics").mkdir(exist_ok=True)
    os.environ[leftovers.MARK] = str(folder)


FORWARDED = ("VERL_USE_EXTERNAL_PLUGINS", "SANDBOX_FUSION_ENDPOINT")
"""Variables of this process that every Ray process of the job gets as well, also on other nodes. The token of the code
servers is not among them, since verl prints what it hands to Ray: it belongs in the environment of `ray start`."""
OF_A_NEW_CLUSTER = ("num_cpus", "num_gpus", "include_dashboard", "_system_config")
"""Settings that Ray refuses from a job that joins a running cluster."""


def resolve_ray_settings(config: Any) -> None:
    """Fill in the interpolations below ray_kwargs: verl hands them to Ray as they are written. Adds the mark of this
    run and the forwarded variables to the environment of every Ray process, and leaves out what a cluster refuses."""
    settings = OmegaConf.to_container(config.ray_kwargs, resolve=True)
    assert isinstance(settings, dict)
    if nodes.address_of(config):
        for name in OF_A_NEW_CLUSTER:
            settings["ray_init"].pop(name, None)
    variables = settings["ray_init"]["runtime_env"].setdefault("env_vars", {})
    variables[leftovers.MARK] = os.environ[leftovers.MARK]
    for name in FORWARDED:
        if name in os.environ:
            variables.setdefault(name, os.environ[name])
    with read_write(config), open_dict(config):
        config.ray_kwargs = settings


def running_module() -> str:
    """The module that `python -m` or torchrun runs, empty where it is another program."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec.name if spec is not None else ""


def say(line: str) -> None:
    print(f"r1ci: {line}", file=sys.stderr, flush=True)
