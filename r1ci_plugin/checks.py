"""Is everything there that a training run needs? One function a concern, from a composed configuration to findings.

The preflight of a run stops at the findings that are not ok; `r1ci doctor` prints them all. Nothing here starts Ray,
imports verl.trainer or changes a file. Left out: trying the doors in verl (`doctor.py`) and the
executor (`executor_checks.py`).
"""

from __future__ import annotations

import difflib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from r1ci_plugin import backend
from r1ci_plugin.config import R1CISettings, settings_from
from r1ci_plugin.data.files import KEYS, data_files
from r1ci_plugin.installing import install
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.recipe_files import place
from r1ci_plugin.tasks import task_names

COLUMNS = ("data_source", "agent_name", "prompt", "reward_model", "extra_info")
AGENTS = ("r1ci_code_interpreter", "single_turn_agent", "tool_agent")
"""Values of `agent_name` that verl can find: ours and its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` is the command that mends it, empty where nothing is broken."""

    what: str
    ok: bool
    mend: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ok(what: str) -> Finding:
    return Finding(what, True)


def broken(what: str, mend: str) -> Finding:
    return Finding(what, False, mend)


def check_all(config: Any) -> Iterator[Finding]:
    """All findings on a composed configuration (a DictConfig), the cheapest and most telling first."""
    checks: tuple[Callable[[Any], Iterable[Finding]], ...] = (
        check_verl,
        check_section,
        check_backend,
        check_run_folder,
        check_policy,
        check_data,
        check_trainer,
        check_ray,
        check_gpu,
    )
    sound = True
    for check in checks:
        for finding in check(config):
            sound = sound and finding.ok
            yield finding
    if sound:  # seconds, and no use where the run cannot start anyway
        yield from check_verifiers(config)


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


def check_policy(config: Any) -> Iterator[Finding]:
    """The policy is there: configuration, weights, tokenizer, chat template."""
    yield from check_model(config.actor_rollout_ref.model, "actor_rollout_ref.model")


def check_model(model: Any, section: str) -> Iterator[Finding]:
    """The same for a section `model` of verl, named as it is on the command line."""
    path = Path(os.path.expanduser(model.path))
    if not path.is_dir():
        yield from _hub_policy(str(model.path), path, section)
        return
    missing = _missing_files(path)
    if missing:
        yield broken(
            f"the policy {path} has no {', no '.join(missing)}", f"set {section}.path to a Hugging Face folder"
        )
        return
    tokenizer = Path(os.path.expanduser(model.get("tokenizer_path") or path))
    if not model.get("custom_chat_template") and not has_chat_template(tokenizer):
        yield broken(
            f"the policy {path} has no chat template",
            f"set {section}.custom_chat_template, or use an instruct model",
        )
        return
    yield ok(f"the policy is {path}")


def _missing_files(path: Path) -> list[str]:
    wanted = {
        "config.json": ("config.json",),
        "weights": ("*.safetensors", "*.bin"),
        "tokenizer": ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json"),
    }
    return [name for name, patterns in wanted.items() if not any(any(path.glob(pattern)) for pattern in patterns)]


def has_chat_template(folder: Path) -> bool:
    """Whether a tokenizer folder has a chat template, in any of the places transformers reads one from."""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    try:
        return bool(json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template"))
    except (OSError, ValueError):
        return False


def _hub_policy(name: str, path: Path, section: str) -> Iterator[Finding]:
    """A name on the Hugging Face hub, or a path at which nothing lies."""
    run = path.parents[2].name if len(path.parents) > 2 and path.name == "huggingface" else ""
    if run.startswith("r1ci_stage"):
        yield broken(
            f"this stage starts from the policy of {run}, which is not there yet ({path})",
            f"python -m verl.trainer.main_ppo +recipe={run}",
        )
    elif path.is_absolute() or name.startswith(("~", ".")) or name.count("/") != 1 or path.parent.is_dir():
        yield broken(f"there is no policy at {path.absolute()}", f"set {section}.path to a Hugging Face folder or name")
    elif fault := _hub_fault(name):
        yield broken(
            f"the policy {name} is no folder here, and {fault}",
            f"set {section}.path to a Hugging Face folder, or, if it is a name on the hub: hf download {name}",
        )
    else:
        yield ok(f"the policy is {name} on the Hugging Face hub")


def _hub_fault(name: str) -> str:
    """Why a policy cannot be had from the hub, empty where it can."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        hf_hub_download(name, "config.json")
    except LocalEntryNotFoundError:
        return "the Hugging Face hub cannot be reached from here"
    except Exception:  # its errors are many: no such name, no permission
        return "the Hugging Face hub does not give it"
    return ""


def check_data(config: Any) -> Iterator[Finding]:
    """The parquet files are there, have what verl and we need, and the stage's group fills a batch."""
    settings = settings_from(config)
    for key in KEYS:
        for file in data_files(config, [key]):
            yield from _check_file(file, config, settings if key == "train_files" else None)


def check_verifiers(config: Any) -> Iterator[Finding]:
    """Every task of the data judges its own solution correct, in a worker like those that will judge the policy."""
    from r1ci_plugin.reward.proof import fault

    files = list(data_files(config))
    problem = fault(files, settings_from(config).verifier)
    if problem:
        yield broken(f"the verifiers cannot be trusted: {problem}", f"r1ci data check {files[0].parent}")
    else:
        yield ok("every task of the data judges its own solution correct")


def _check_file(file: Path, config: Any, settings: R1CISettings | None) -> Iterator[Finding]:
    import pyarrow.parquet as parquet

    build = f"r1ci data build --out {file.parent}"
    if not file.is_file():
        yield broken(f"there is no data at {file}", build)
        return
    try:
        columns = parquet.read_schema(file).names
        missing = [name for name in COLUMNS if name not in columns]
        rows = (
            [] if missing else parquet.read_table(file, columns=["data_source", "agent_name", "extra_info"]).to_pylist()
        )
    except (OSError, ValueError) as error:
        yield broken(f"{file} is no parquet file ({type(error).__name__})", build)
        return
    if missing:
        yield broken(f"{file} has no column {', '.join(missing)}", build)
        return
    problem = _bad_row(rows)
    if problem is not None:
        yield broken(f"{file}: {problem}", build)
        return
    yield ok(f"{file} has {len(rows)} questions")
    if settings is not None:
        yield from _check_group(rows, file, config.data.train_batch_size, settings)
    yield from _check_unseen(rows, file, Path(os.path.expanduser(config.actor_rollout_ref.model.path)))


def _check_unseen(rows: list[dict[str, Any]], file: Path, policy: Path) -> Iterator[Finding]:
    """No question is one the policy was fine-tuned on: the method keeps the two apart, else RL starts from answers
    learned by heart. Of the seed policy, which is for trying the trainer, it is only said.
    """
    from r1ci_plugin.sft.training_set import SEEN_FILE, seen_questions

    try:
        seen = seen_questions(policy)
    except ValueError as error:
        yield broken(str(error), f"rm {policy / SEEN_FILE}, or put back the list")
        return
    again = sum(row["extra_info"].get("question_id") in seen for row in rows)
    if again and policy.resolve() == Path(place("seed_policy")).resolve():
        yield ok(f"{again} of {len(rows)} questions in {file.name} were shown to the seed policy when it was made")
    elif again:
        yield broken(
            f"{again} of {len(rows)} questions in {file} were used to fine-tune the policy {policy}",
            f"r1ci data build --force --out {file.parent} --exclude {policy / SEEN_FILE}",
        )
    elif seen:
        yield ok(f"no question of {file.name} is among the {len(seen)} the policy was fine-tuned on")


def _bad_row(rows: list[dict[str, Any]]) -> str | None:
    """What is wrong with the rows, or None."""
    if not rows:
        return "no rows"
    known = set(task_names())
    for name in Counter(row["data_source"] for row in rows):
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=2, cutoff=0.4)
            return f"unknown task {name!r}" + (f", did you mean {' or '.join(near)}?" if near else "")
    for agent in Counter(row["agent_name"] for row in rows):
        if agent not in AGENTS:
            return f"unknown agent_name {agent!r}, expected {AGENTS[0]}"
    infos = [row["extra_info"] or {} for row in rows]
    if any(info.get("index") is None for info in infos):
        return "extra_info.index is missing"
    if len({info["index"] for info in infos}) < len(infos):
        return "extra_info.index is the same in several rows"
    protocols = {info.get("protocol") for info in infos}
    if protocols != {PROTOCOL}:
        return f"built for protocol {', '.join(sorted(map(str, protocols)))}, installed is {PROTOCOL}"
    return None


def _to_a_manifest(data: Path) -> str:
    return (
        f"r1ci potential measure --data {data} --out runs/potential --policy POLICY && "
        f"r1ci stages build --counts runs/potential --data {data}"
    )


def _check_group(rows: list[dict[str, Any]], file: Path, batch: int, settings: R1CISettings) -> Iterator[Finding]:
    """The stage has questions, and enough for a batch."""
    from r1ci_plugin.curriculum.assign import Known, assign
    from r1ci_plugin.curriculum.manifest import ManifestError

    needs_manifest = settings.curriculum.schedule != "all" and settings.curriculum.group_by != "difficulty"
    if settings.manifest is None and settings.stage > 1 and needs_manifest:
        yield broken(
            f"stage {settings.stage} needs a manifest of potential groups beside the data", _to_a_manifest(file.parent)
        )
        return
    known = [Known.of_row(row["data_source"], row["extra_info"]) for row in rows]
    try:
        assignment = assign(settings, known)
    except ManifestError as error:
        yield broken(str(error), _to_a_manifest(file.parent))
        return
    except ValueError as error:
        yield broken(str(error), "check r1ci.stage, r1ci.curriculum and the manifest: r1ci stages show")
        return
    count = len(assignment.sampler)
    if count < batch:
        yield broken(
            f"stage {settings.stage} has {count} questions, fewer than one batch of {batch}",
            f"data.train_batch_size={max(1, count)} actor_rollout_ref.actor.ppo_mini_batch_size={max(1, count)}",
        )
    else:
        yield ok(
            f"stage {settings.stage} trains on {count} of {len(rows)} questions (manifest {assignment.manifest.digest})"
        )


ASYNC_MODES = ("colocate_async", "separate_async")
REPLAY_BUFFERS = {"sync": "CurriculumReplayBuffer", **dict.fromkeys(ASYNC_MODES, "CurriculumReplayBufferAsync")}
"""Which of our replay buffers belongs to which of verl's trainer modes."""


def check_trainer(config: Any) -> Iterator[Finding]:
    """verl's trainer runs in a mode with the replay buffer for it, and filters groups by correctness if at all."""
    mode = config.trainer.v1.trainer_mode
    if mode not in REPLAY_BUFFERS:
        modes = "|".join(REPLAY_BUFFERS)
        yield broken(f"there is no trainer mode {mode}", f"r1ci_mode@_global_={modes}")
        return
    buffer = config.trainer.v1.sampler.custom_sampler.name
    if buffer in REPLAY_BUFFERS.values() and buffer != REPLAY_BUFFERS[mode]:
        yield broken(
            f"the replay buffer {buffer} is not for verl's trainer mode {mode}",
            f"r1ci_mode@_global_={mode} instead of trainer.v1.trainer_mode={mode}",
        )
        return
    unfit = list(_unfit_for_separation(config)) if mode == "separate_async" else []
    yield from unfit or [ok(f"verl's trainer mode is {mode}")]
    chosen = config.algorithm.filter_groups
    if chosen.enable and chosen.metric != "acc":
        yield broken(
            f"groups without signal would be filtered by {chosen.metric}, in which shaping makes all groups differ",
            "algorithm.filter_groups.metric=acc",
        )


def _unfit_for_separation(config: Any) -> Iterator[Finding]:
    """What verl's trainer of `separate_async` would stop at, after Ray has started."""
    rollout, parts = config.actor_rollout_ref.rollout, config.trainer.v1.separate_async.parameter_sync_step
    batch, mini = config.data.train_batch_size, config.actor_rollout_ref.actor.ppo_mini_batch_size
    if batch != parts * mini:
        yield broken(
            f"in separate_async a batch of {batch} is parameter_sync_step={parts} times ppo_mini_batch_size={mini}",
            f"actor_rollout_ref.actor.ppo_mini_batch_size={batch // parts}",
        )
    if rollout.nnodes < 1 or rollout.n_gpus_per_node < 1:
        yield broken("separate_async needs nodes that only sample", "actor_rollout_ref.rollout.nnodes=1")
    if rollout.checkpoint_engine.backend == "naive":
        yield broken(
            "separate_async sends weights over the network, which checkpoint_engine.backend=naive cannot",
            f"actor_rollout_ref.rollout.checkpoint_engine.backend={place('transport')}",
        )
    if not config.actor_rollout_ref.get("hybrid_engine", True):
        yield broken(
            "verl 0.9.1 fails in separate_async without engines on the trainer's nodes (a call of its logger raises)",
            "actor_rollout_ref.hybrid_engine=true",
        )


def check_ray(config: Any) -> Iterator[Finding]:
    """Ray has the CPUs verl asks for. With too few, verl waits for ever and says nothing."""
    if config.ray_kwargs.ray_init.get("address") not in (None, "local") or backend.choose().on_cluster:
        yield ok("Ray's resources are those of the cluster")  # which nodes.py asks
        return
    needed = cpus_of(config)
    given = config.ray_kwargs.ray_init.get("num_cpus") or os.cpu_count() or 1
    if given < needed:
        yield broken(
            f"Ray has {given} CPUs, this job needs {needed} and would wait for ever",
            f"ray_kwargs.ray_init.num_cpus={needed}",
        )
    else:
        yield ok(f"Ray has {given} CPUs, {needed} needed")


def check_gpu(config: Any) -> Iterator[Finding]:
    """On GPUs: vLLM can load the policy, lengths agree, and the memory plan is told."""
    if config.actor_rollout_ref.rollout.name == "vllm":
        from r1ci_plugin import gpu_checks

        yield from gpu_checks.check_all(config)


def cpus_of(config: Any) -> int:
    """CPUs (logical) this job takes in Ray."""
    slots = config.trainer.nnodes * config.trainer.n_gpus_per_node
    rollout = config.actor_rollout_ref.rollout
    apart = rollout.nnodes * rollout.n_gpus_per_node if config.trainer.v1.trainer_mode == "separate_async" else 0
    return cpus_needed(slots, config.transfer_queue.backend.SimpleStorage.num_data_storage_units, apart)


def cpus_needed(slots: int, storage_units: int, apart: int = 0) -> int:
    """CPUs (logical) a verl job takes in Ray: 3 for each trainer slot, 2 for each slot that only samples, 1 for the
    TransferQueue's controller and for each of its storage units, and 1 for whichever actor is starting
    (verl/single_controller/ray/base.py, verl/workers/rollout/replica.py, transfer_queue)."""
    return 3 * slots + 2 * apart + 1 + storage_units + 1
