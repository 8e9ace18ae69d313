"""Potential measured anew with the policy a stage starts from, and the manifest cut from it: two commands of `r1ci`.

Both go on where they stopped. Left out: measuring (`r1ci potential measure`), cutting groups (`r1ci stages build`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from r1ci_plugin.curriculum.manifest import LEFT_OUT, load_manifest
from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.run_folder import Settings

R1CI = (sys.executable, "-m", "r1ci_plugin")
LIMITS = {
    "--response-tokens": "data.max_response_length",
    "--result-tokens": "r1ci.interaction.result_max_tokens",
    "--code-timeout": "r1ci.interaction.code_timeout_s",
}
"""Limits of a trajectory: option of `r1ci potential measure` to setting of a recipe."""


def remeasure(policy: Path, last: Settings, out: Path, r1ci: Sequence[str] = R1CI) -> Path:
    """The manifest (parquet) for the next stage, made in the folder `out`. Raises StageFailed.

    last: settings of the stage before. Its questions are answered within its limits, and what its manifest left out
    (held-out tasks, fine-tuning questions) stays left out.
    """
    data, counts, manifest = last.train_files[0].parent, out / "potential", out / "manifest.parquet"
    exclude = out / "left_out.json"
    out.mkdir(parents=True, exist_ok=True)
    exclude.write_text(json.dumps(left_out(last.manifest)), encoding="utf-8")
    _call(r1ci, "potential", "measure", "--policy", policy, "--data", data, "--out", counts, *_limits(last))
    _call(r1ci, "stages", "build", "--counts", counts, "--data", data, "--exclude", exclude, "--out", manifest)
    if not manifest.is_file():
        raise StageFailed(f"`r1ci stages build` left no {manifest}", "run the same command again")
    return manifest


def _limits(settings: Settings) -> Iterator[object]:
    for option, key in LIMITS.items():
        if (value := settings.get(key)) is not None:
            yield option
            yield value


def left_out(manifest: str | None) -> list[str]:
    """Ids of the questions that a manifest leaves out."""
    entries = load_manifest(manifest).entries if manifest is not None else ()
    return [entry.question_id for entry in entries if entry.group == LEFT_OUT]


def _call(r1ci: Sequence[str], *arguments: object) -> None:
    """Run with this process's streams, so that its progress is seen."""
    words = [str(argument) for argument in arguments]
    code = subprocess.run([*r1ci, *words]).returncode
    if code:
        raise StageFailed(f"`r1ci {words[0]} {words[1]}` ended with exit code {code}", f"r1ci {' '.join(words)}")
