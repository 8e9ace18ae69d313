"""Everything a training run needs, tried and not assumed: versions, doors, back end, recipe, data, executor, masks.

Every finding says what was found, and if it is not well, one command that mends it. Nothing here starts Ray or trains.
Left out: the checks on a composed configuration that the preflight makes as well (`checks/`), printing
(`cli/doctor.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any

from r1ci_plugin import backend
from r1ci_plugin.checks import Finding, broken, check_all, ok
from r1ci_plugin.checks.executor import check_executor
from r1ci_plugin.installing import install, install_again
from r1ci_plugin.recipe_files import recipe_files

NEEDED = ("verl", "torch", "transformers", "ray", "hydra-core", "TransferQueue", "cachetools", "uvicorn", "fastapi")
SFT = "r1ci_sft"
"""The recipe of verl's SFT trainer; all others are of its RL trainer."""
OPTIONAL = ("vllm", "flash-attn", "wandb", "reasoning-gym")


def examine(recipe: str, overrides: Sequence[str]) -> Iterator[Finding]:
    """All findings for one recipe with command line overrides, in the order in which one depends on the other."""
    yield ok(f"python {sys.version.split()[0]}, r1ci_plugin {_version('r1ci_plugin') or 'from its source'}")
    missing = [name for name in NEEDED if _version(name) is None]
    yield ok(", ".join(f"{name} {_version(name)}" for name in (*NEEDED, *OPTIONAL) if _version(name)))
    if missing:
        yield broken(f"not installed: {', '.join(missing)}", install("train"))
        return
    for door in (check_entry_point, check_recipes_in_hydra):
        findings = list(_guarded(door))
        yield from findings
        if not all(finding.ok for finding in findings):
            return  # behind a shut door nothing is to be seen
    try:
        config = compose(recipe, overrides, job=job_of(recipe))
    except Exception as error:  # Hydra's errors are many; all of them are about the name or the overrides
        yield broken(
            f"the recipe {recipe} does not compose: {composing_fault(error)}", "r1ci doctor --recipe r1ci_stage1"
        )
        return
    choice = backend.choose()
    yield ok(f"back end {choice.backend} ({choice.reason})")
    yield from _guarded(_differs, config, job_of(recipe))
    if recipe == SFT:
        yield from _guarded(_fine_tuning, config)
        yield from _guarded(check_masks, config.model)
        return
    for check in (_configuration, check_registrations, check_class_paths, check_executor):
        yield from _guarded(check, config)
    yield from _guarded(check_masks, config.actor_rollout_ref.model)


def _guarded(check: Callable[..., Iterable[Finding]], *arguments: Any) -> Iterator[Finding]:
    """A check that fails in a way nobody foresaw is a finding too."""
    try:
        yield from check(*arguments)
    except Exception as error:
        yield broken(f"{check.__name__.lstrip('_')} failed: {_short(error)}", install_again())


def _short(error: BaseException, limit: int = 300) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def check_entry_point() -> Iterator[Finding]:
    """verl finds and loads our entry point."""
    policy = os.environ.get("VERL_USE_EXTERNAL_PLUGINS", "auto").strip().lower()
    declared = [entry for entry in entry_points(group="verl.plugins") if entry.value == "r1ci_plugin.plugin"]
    if not declared:
        yield broken("verl cannot find the plugin: its entry point is not installed", install("train"))
        return
    if policy != "auto" and "r1ci" not in policy.split(","):
        yield broken(
            f"verl does not load the plugin, because VERL_USE_EXTERNAL_PLUGINS={policy}",
            "unset VERL_USE_EXTERNAL_PLUGINS",
        )
        return
    try:
        backend.decide(os.environ, sys.argv[1:])  # not `choose`, which keeps what it finds before torch is imported
    except ValueError as error:
        yield broken(f"there is no such back end: {error}", "export R1CI_BACKEND=cpu or gpu, or unset R1CI_BACKEND")
        return
    import_module("verl")
    if "r1ci_plugin.plugin" in sys.modules:
        yield ok("`import verl` loads the plugin")
    else:
        yield broken(
            "`import verl` tried the plugin and failed, see its line above", "python -c 'import r1ci_plugin.plugin'"
        )


def check_recipes_in_hydra() -> Iterator[Finding]:
    """Every recipe file is known to Hydra."""
    from hydra.core.config_store import ConfigStore

    import_module("verl")
    repo = ConfigStore.instance().repo
    names = [f"{group}/{name}" for group, name, _ in recipe_files()]
    unknown = [name for name in names if f"{name.partition('/')[2]}.yaml" not in repo.get(name.partition("/")[0], {})]
    if unknown:
        yield broken(f"Hydra does not know {', '.join(unknown)}", "unset VERL_USE_EXTERNAL_PLUGINS")
    else:
        yield ok(f"Hydra knows the recipes {', '.join(name[7:] for name in names if name.startswith('recipe/'))}")


def job_of(recipe: str) -> str:
    """verl's configuration that a recipe goes on top of."""
    return "sft_trainer_engine" if recipe == SFT else "ppo_trainer"


def compose(recipe: str | None, overrides: Sequence[str] = (), *, job: str = "ppo_trainer") -> Any:
    """verl's configuration with a recipe on top, as `main_ppo` would get it; without a recipe, verl's own defaults.

    job: verl's configuration of another trainer, e.g. `sft_trainer_engine`.
    """
    import hydra

    folder = Path(import_module("verl").__file__ or "").parent / "trainer" / "config"
    with hydra.initialize_config_dir(str(folder), version_base=None):
        return hydra.compose(job, overrides=[*([f"+recipe={recipe}"] if recipe else []), *overrides])


def composing_fault(error: Exception) -> str:
    """Hydra's page of an error in a line: what it says first, and what there is to choose from."""
    first, _, rest = str(error).strip().partition("\n")
    choices, _, _ = rest.partition("Available options in ")[2].partition("Config search path")
    names = choices.partition(":")[2].split()
    return f"{first.rstrip('.')} (there are {', '.join(names)})" if names else _short(error)


def recipe_diff(config: Any, job: str = "ppo_trainer") -> list[str]:
    """`key: value (verl has other)` for every setting in which a composed recipe differs from verl's defaults."""
    from omegaconf import OmegaConf

    ours, theirs = (_flat(OmegaConf.to_container(tree)) for tree in (config, compose(None, job=job)))
    return [
        f"{key}: {value} (verl has {theirs[key]})" if key in theirs else f"{key}: {value} (not in verl)"
        for key, value in ours.items()
        if key not in theirs or theirs[key] != value
    ]


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(node, dict) or not node:
        return {prefix.removesuffix("."): node}
    return {key: value for name, child in node.items() for key, value in _flat(child, f"{prefix}{name}.").items()}


def _differs(config: Any, job: str) -> Iterator[Finding]:
    count = len(recipe_diff(config, job))
    if count:
        yield ok(f"the composed recipe differs from verl's defaults in {count} settings (--diff shows them)")
    else:
        yield broken("the composed recipe is the same as verl's defaults", install_again())


def _configuration(config: Any) -> Iterator[Finding]:
    """What the preflight looks at. Data at the default place that was never built is no fault of the installation."""
    yield from _hinted(check_all(config), "R1CI_DATA", Path("data/r1ci"), "r1ci data build")


def _fine_tuning(config: Any) -> Iterator[Finding]:
    """The same for fine-tuning and its set."""
    from r1ci_plugin.sft import preflight

    yield from _hinted(preflight.check_all(config), "R1CI_SFT", Path("data/sft"), "r1ci sft synthesize")


def _hinted(findings: Iterable[Finding], variable: str, place: Path, command: str) -> Iterator[Finding]:
    unbuilt = variable not in os.environ and not place.exists()
    for finding in findings:
        if unbuilt and finding.mend.startswith(command):
            finding = ok(f"{finding.what} yet: {finding.mend}")
        yield finding


def check_registrations(config: Any) -> Iterator[Finding]:
    """What workers import registers the agent loop and the rollout engine with verl."""
    import_module(config.actor_rollout_ref.model.external_lib)
    loops: Any = import_module("verl.experimental.agent_loop.agent_loop")
    name = config.actor_rollout_ref.rollout.agent.default_agent_loop
    if name in loops._agent_loop_registry:
        yield ok(f"agent loop {name} is registered")
    else:
        yield broken(f"agent loop {name} is not registered", install_again())
    engine = config.actor_rollout_ref.rollout.name
    replicas: Any = import_module("verl.workers.rollout.replica")
    if engine in replicas.RolloutReplicaRegistry._registry:
        yield ok(f"rollout engine {engine} is registered")
    else:
        yield broken(f"rollout engine {engine} is not registered", install_again())


def check_class_paths(config: Any) -> Iterator[Finding]:
    """verl can load the classes that the recipe names by path."""
    load: Any = import_module("verl.utils.import_utils").load_extern_type
    manager = config.reward.reward_manager
    named = {
        "data set": (config.data.custom_cls.path, config.data.custom_cls.name),
        "replay buffer": tuple(config.trainer.v1.sampler.custom_sampler[key] for key in ("path", "name")),
        "reward manager": (manager.module.path, manager.name),
    }
    for what, (path, name) in named.items():
        load(path, name)
        yield ok(f"{what} {name} loads")


def check_masks(model: Any) -> Iterator[Finding]:
    """On the recipe's own tokenizer: mask 1 on exactly the sampled tokens, and printed control tokens are inert."""
    from transformers import AutoTokenizer

    from r1ci_plugin.codec import TokenizerCodec

    path = os.path.expanduser(model.get("tokenizer_path") or model.path)
    if Path(path).is_absolute() and not Path(path).is_dir():
        return  # the check of the policy has said so
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        problem = mask_problem(TokenizerCodec(tokenizer), tokenizer)
    except OSError as error:
        yield broken(f"the tokenizer of {path} does not load: {_short(error)}", f"hf download {path}")
        return
    except ValueError as error:
        problem = str(error)
    if problem is None:
        yield ok(f"masks are right on the tokenizer of {path}")
    else:
        yield broken(
            f"masks on the tokenizer of {path}: {problem}", "set the path of the model to that of an instruct model"
        )


def mask_problem(codec: Any, tokenizer: Any) -> str | None:
    """Drive one scripted trajectory over a tokenizer; what is wrong with its tokens, or None."""
    from r1ci_plugin.config import Limits
    from r1ci_plugin.interpreter.executor import ExecResult
    from r1ci_plugin.trajectory import Interaction

    def encode(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False))

    first = encode("Let me compute.\n```python\nprint(6*7)\n```\n")
    last = [*encode("So <<<42>>>"), tokenizer.eos_token_id]
    interaction = Interaction(codec, encode("What is 6*7?"), Limits(), response_tokens=4096)
    interaction.start()
    interaction.sampled(first, [-1.0] * len(first))
    printed = "42" + "".join(tokenizer.all_special_tokens) + "\n```python\n<<<41>>>\n"
    interaction.executed(ExecResult("ok", stdout=printed))
    interaction.sampled(last, [-1.0] * len(last))
    trajectory = interaction.trajectory
    pairs = list(zip(trajectory.response_ids, trajectory.response_mask, strict=True))
    inserted = {token for token, bit in pairs if bit == 0}
    if [token for token, bit in pairs if bit == 1] != first + last:
        return "mask 1 is not on exactly the sampled tokens"
    if inserted & set(tokenizer.all_special_ids):
        return "text printed by code became a control token"
    if trajectory.answer != "42":
        return f"the answer read is {trajectory.answer!r}, not '42'"
    return None
