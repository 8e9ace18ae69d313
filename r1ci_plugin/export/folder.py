"""Write the folder: the policy's files, its card, and the facts behind the card as JSON. Whole or not at all.

Left out: the words (`card.py`), which runs are behind the policy (`history.py`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import r1ci_plugin
from r1ci_plugin.export.card import Facts, card
from r1ci_plugin.export.history import canary_tasks, describe, licence_of, runs_behind
from r1ci_plugin.export.results import Evaluation, read_evaluation
from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.handover import MERGER, exported_policy
from r1ci_plugin.stages.run_folder import RunFolder
from r1ci_plugin.weights import folder_digest

FACTS = "r1ci_export.json"
OWN = ("README.md", FACTS)


def export(
    run: RunFolder,
    out: Path,
    *,
    evaluation: Path | None = None,
    licence: str | None = None,
    force: bool = False,
    merger: Sequence[str] = MERGER,
) -> Facts:
    """Export the newest policy of a run and return what its card says. Raises StageFailed."""
    _refuse_overwriting(out, force)
    runs = runs_behind(run)
    policy = exported_policy(run, merger)
    weights = folder_digest(policy)
    facts = _facts(out.name, runs, weights, _evaluation_of(evaluation, weights), licence)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in sorted(policy.iterdir()):
        if file.is_file() and file.name not in OWN:
            shutil.copyfile(file, partial / file.name)
    if folder_digest(partial) != weights:
        raise StageFailed(f"the copy of {policy} differs from it", "look at the disk, then run the same command again")
    (partial / "README.md").write_text(card(facts), encoding="utf-8")
    (partial / FACTS).write_text(json.dumps(asdict(facts), indent=1) + "\n", encoding="utf-8")
    if out.exists():
        shutil.rmtree(out)
    partial.replace(out)
    return facts


def exported_weights(out: Path) -> str | None:
    """Digest of the policy that an earlier export left in a folder; None without one."""
    try:
        return str(json.loads((out / FACTS).read_text(encoding="utf-8"))["weights"])
    except (OSError, ValueError, KeyError):
        return None


def _refuse_overwriting(out: Path, force: bool) -> None:
    if not out.exists():
        return
    if not force:
        raise StageFailed(f"{out} exists", "name another folder, or give --force to replace an earlier export")
    if exported_weights(out) is None and (not out.is_dir() or any(out.iterdir())):
        raise StageFailed(f"{out} is no earlier export, so --force does not replace it", "name another folder")


def _facts(
    name: str, runs: Sequence[RunFolder], weights: str, evaluation: Evaluation | None, licence: str | None
) -> Facts:
    base = runs[0].settings().policy
    is_folder = Path(base).is_dir() or Path(base).is_absolute()
    return Facts(
        name=name,
        base=Path(base).name if is_folder else base,
        base_on_hub=not is_folder,
        licence=licence or licence_of(base),
        weights=weights,
        stages=[describe(each) for each in runs],
        versions={"r1ci_plugin": r1ci_plugin.__version__, **_versions("verl", "torch", "transformers")},
        evaluation=evaluation,
        canary=sorted({task for each in runs for task in canary_tasks(each.settings())}),
    )


def _evaluation_of(folder: Path | None, weights: str) -> Evaluation | None:
    """The evaluation, refused where it is known to be one of other weights."""
    if folder is None:
        return None
    found = read_evaluation(folder)
    if found.weights not in (None, weights):
        raise StageFailed(
            f"{folder} evaluates another policy ({found.policy})", "r1ci eval run with the policy of this run"
        )
    return replace(found, policy=Path(found.policy).name)  # what is published names no folder of this machine


def _versions(*names: str) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
