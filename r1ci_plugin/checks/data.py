"""Are there questions to train on, in rows that verl and our verifiers can read, and enough of them for the stage?

Left out: proving a whole data set (`r1ci data check`).
"""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from r1ci_plugin.checkpoints import newest_step
from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.config import settings_from
from r1ci_plugin.data.files import KEYS, data_files
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.recipe_files import place
from r1ci_plugin.tasks import task_names

COLUMNS = ("data_source", "agent_name", "prompt", "reward_model", "extra_info")
AGENTS = ("r1ci_code_interpreter", "single_turn_agent", "tool_agent")
"""Values of `agent_name` that verl can find: ours and its own."""


def check_data(config: Any) -> Iterator[Finding]:
    """The parquet files are there, have what verl and we need, and the stage's group fills a batch."""
    for key in KEYS:
        files, found = list(data_files(config, [key])), []
        for file in files:
            rows = yield from _check_file(file, config)
            if rows is None:
                break
            found += rows
        else:
            if key == "train_files":
                yield from _check_group(found, files[0], config)


def check_verifiers(config: Any) -> Iterator[Finding]:
    """Every task of the data judges its own solution correct, in a worker like those that will judge the policy."""
    from r1ci_plugin.reward.proof import fault

    files = list(data_files(config))
    problem = fault(files, settings_from(config).verifier)
    if problem:
        yield broken(f"the verifiers cannot be trusted: {problem}", f"r1ci data check {files[0].parent}")
    else:
        yield ok("every task of the data judges its own solution correct")


def _check_file(file: Path, config: Any) -> Generator[Finding, None, list[dict[str, Any]] | None]:
    """Returns the rows, None where they are of no use."""
    import pyarrow.parquet as parquet

    build = f"r1ci data build --out {file.parent}"
    if not file.is_file():
        yield broken(f"there is no data at {file}", build)
        return None
    try:
        columns = parquet.read_schema(file).names
        missing = [name for name in COLUMNS if name not in columns]
        rows = (
            [] if missing else parquet.read_table(file, columns=["data_source", "agent_name", "extra_info"]).to_pylist()
        )
    except (OSError, ValueError) as error:
        yield broken(f"{file} is no parquet file ({type(error).__name__})", build)
        return None
    if missing:
        yield broken(f"{file} has no column {', '.join(missing)}", build)
        return None
    problem = _bad_row(rows)
    if problem is not None:
        yield broken(f"{file}: {problem}", build)
        return None
    yield ok(f"{file} has {len(rows)} questions")
    yield from _check_unseen(rows, file, Path(os.path.expanduser(config.actor_rollout_ref.model.path)))
    return rows


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


def _check_group(rows: list[dict[str, Any]], file: Path, config: Any) -> Iterator[Finding]:
    """The stage has questions, enough for a batch, and those the run began with. file: the first of the data."""
    from r1ci_plugin.curriculum.assign import Known, assign
    from r1ci_plugin.curriculum.manifest import ManifestError

    settings = settings_from(config)
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
    digest = assignment.manifest.digest
    if settings.manifest is not None and (begun := _begun_with(config)) not in (None, digest):
        yield broken(
            f"{config.trainer.default_local_dir} has a checkpoint that was trained on the manifest {begun}, this run "
            f"has {digest}",
            "put back the manifest, or start anew with trainer.default_local_dir=FOLDER",
        )
        return
    count, batch = len(assignment.sampler), config.data.train_batch_size
    if count < batch:
        yield broken(
            f"stage {settings.stage} has {count} questions, fewer than one batch of {batch}",
            f"data.train_batch_size={max(1, count)} actor_rollout_ref.actor.ppo_mini_batch_size={max(1, count)}",
        )
    else:
        yield ok(f"stage {settings.stage} trains on {count} of {len(rows)} questions (manifest {digest})")


def _begun_with(config: Any) -> str | None:
    """The manifest of the run that this job goes on with; None where it begins anew, or none is known."""
    from r1ci_plugin.curriculum.starts import read_starts

    run = Path(config.trainer.default_local_dir)
    if config.trainer.resume_mode == "disable" or newest_step(run) is None:
        return None
    return next((start.manifest for start in reversed(read_starts(run))), None)
