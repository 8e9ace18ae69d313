"""Faults that a run on GPUs would meet minutes or hours after its start, found before it.

An estimate of memory never stops a run; settings that contradict each other do. Left out: the estimate (`plan/`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from r1ci_plugin import backend
from r1ci_plugin.checks.finding import Finding, broken, ok
from r1ci_plugin.plan.formulas import GIB
from r1ci_plugin.plan.job import CannotPlan, job_of
from r1ci_plugin.plan.mends import Memory, contradictions, mend, problems
from r1ci_plugin.plan.shapes import UnknownModel, shape_of

GPU_GB = 80
"""GPUs the estimate is made for: asking the real one would start CUDA in this process."""


def check_all(config: Any) -> Iterator[Finding]:
    """All findings on the composed configuration of a stage with vLLM."""
    yield from check_cluster(config.trainer.nnodes)
    yield from check_attention(config.actor_rollout_ref.model.path)
    yield from check_plan(config)


def check_cluster(nodes: int) -> Iterator[Finding]:
    """Several nodes are a Ray cluster that runs already: verl would start a local one and find too few GPUs in it."""
    if nodes > 1 and not backend.choose().on_cluster:
        yield broken(
            f"{nodes} nodes need a Ray cluster that runs already",
            "ray start --head --port=6379 on the first, ray start --address=FIRST:6379 on the others, then "
            "export RAY_ADDRESS=FIRST:6379",
        )


def check_attention(policy: str) -> Iterator[Finding]:
    """The policy doesn't ask for dual chunk attention, which vLLM reads from config.json and no longer has
    (github.com/vllm-project/vllm/issues/33470). It differs from plain attention only above one chunk of 262,144 tokens.
    """
    file = _config_file(policy)
    try:
        asks = file is not None and bool(
            json.loads(file.read_text(encoding="utf-8")).get("dual_chunk_attention_config")
        )
    except (OSError, ValueError, AttributeError):
        return  # the check of the policy says what is wrong with it
    if asks:
        local = Path(os.path.expanduser(policy)).is_dir()
        folder = policy if local else f"models/{policy.rpartition('/')[2]}"
        fetch = "" if local else f"hf download {policy} --local-dir {folder} && "
        then = "" if local else f", then actor_rollout_ref.model.path={folder}"
        yield broken(
            f"vLLM cannot load {policy}: its config.json asks for dual chunk attention",
            f"{fetch}sed -i '/dual_chunk_attention_config/,/}}/d' {folder}/config.json{then}",
        )


def _config_file(policy: str) -> Path | None:
    """config.json of a folder, or of a name on the hub if it has been fetched already."""
    folder = Path(os.path.expanduser(policy))
    if folder.is_dir():
        return folder / "config.json"
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(policy, "config.json")
    except ValueError:  # no name of the hub's form
        return None
    return Path(found) if isinstance(found, str) else None


def check_plan(config: Any) -> Iterator[Finding]:
    """Lengths, micro batches and engines agree; what memory the run is expected to need."""
    try:
        job = job_of(config, shape_of(config.actor_rollout_ref.model.path))
    except (CannotPlan, UnknownModel) as error:
        yield ok(f"no memory plan: {error}")
        return
    memory = Memory(GPU_GB * GIB)
    wrong = list(contradictions(job))
    overrides = " ".join(mend(job, memory)) or "data.max_response_length=LESS"
    for line in wrong:
        yield broken(line, overrides)
    short = [line for line in problems(job, memory) if line not in wrong]
    if short:
        what = f"does not fit into GPUs of {GPU_GB} GB: {'; '.join(short)}. Try {overrides}"
        yield ok(f"by the memory plan this {what}", is_told=True)
    elif not wrong:
        yield ok(f"by the memory plan this fits into GPUs of {GPU_GB} GB; `r1ci plan` shows why", is_told=True)
