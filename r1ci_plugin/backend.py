"""What a job will run on: the back end `cpu` or `gpu`, chosen without starting anything, and a verl we support.

The question is about the job, not about the process that asks: the head node of a GPU cluster has no GPU and still
starts GPU jobs, and a CUDA build of torch on a machine without GPU runs on the CPU. So, in this order: what the user
said; the cluster the job will join; the hardware here. Every Ray process of a job is told the choice by R1CI_BACKEND.

Left out: what each back end sets (`recipes/r1ci_backend/`), and registering its classes (`plugin.py`, `rollout/`).
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

Backend = Literal["cpu", "gpu"]
BACKENDS = ("cpu", "gpu")
GROUP = "r1ci_backend@_global_"
SFT_GROUP = "r1ci_sft_backend@_global_"
"""How the choice is written on verl's command line, of the stages and of fine-tuning."""

GPU_DEVICES = ("nvidia[0-9]*", "kfd", "davinci[0-9]*")
"""Device files of NVIDIA, AMD and Ascend below /dev; asked only where torch isn't imported."""

VERL_RANGE = ((0, 9, 1), (0, 10))
"""The verl versions this plugin is written for: from the first, below the second."""

CLUSTER_GPUS = 8
"""GPUs a node, where the job joins a cluster that cannot be asked before Ray starts: verl's own default."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The back end, and why, for the line printed at start."""

    backend: Backend
    reason: str
    on_cluster: bool = False


@cache
def choose() -> Choice:
    """The back end of a job started by this process, decided once. Raises ValueError for an unknown name."""
    return decide(os.environ, sys.argv[1:])


def decide(environ: Mapping[str, str], argv: Sequence[str], device_root: Path = Path("/dev")) -> Choice:
    """The back end of a job started with this environment and command line."""
    told = _told(environ, argv)
    cluster = _cluster(environ)
    if told is not None:
        return Choice(told.backend, told.reason, on_cluster=told.backend == "gpu" and cluster is not None)
    if cluster is not None:
        return Choice("gpu", cluster, on_cluster=True)
    count, reason = _gpus(environ, device_root)
    return Choice("gpu" if count else "cpu", reason)


def gpus_per_node() -> int:
    """GPUs the recipe asks for on each node: those of this machine, or `CLUSTER_GPUS` where the job joins a cluster."""
    choice = choose()
    return CLUSTER_GPUS if choice.on_cluster else max(1, _gpus(os.environ, Path("/dev"))[0])


def _told(environ: Mapping[str, str], argv: Sequence[str]) -> Choice | None:
    """The user's own word. The command line counts here too: verl settles its platform before Hydra has read it."""
    for argument in argv:
        match = re.fullmatch(rf"\+{{0,2}}({re.escape(GROUP)}|{re.escape(SFT_GROUP)})=['\"]?(\w+)['\"]?", argument)
        if match:
            return Choice(_known(match[2], f"{match[1]}={match[2]}"), "asked for on the command line")
    if name := environ.get("R1CI_BACKEND", "").strip().lower():
        return Choice(_known(name, f"R1CI_BACKEND={name}"), "asked for by R1CI_BACKEND")
    if platform := environ.get("VERL_PLATFORM", "").strip().lower():
        return Choice("cpu" if platform == "cpu" else "gpu", f"asked for by VERL_PLATFORM={platform}")
    return None


def _known(name: str, where: str) -> Backend:
    if name not in BACKENDS:
        raise ValueError(f"{where}: the back ends are {' and '.join(BACKENDS)}")
    return cast(Backend, name)


def _cluster(environ: Mapping[str, str]) -> str | None:
    """What names a running Ray cluster that `ray.init()` would join, or None."""
    if (address := environ.get("RAY_ADDRESS", "")) not in ("", "local"):
        return f"RAY_ADDRESS={address} names a Ray cluster"
    note = Path(environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    try:
        address = note.read_text().strip()
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=0.3):
            return f"the Ray cluster at {address} runs on this machine"
    except (OSError, ValueError):
        return None  # no note, or one that a dead cluster left behind


def _gpus(environ: Mapping[str, str], device_root: Path) -> tuple[int, str]:
    """GPUs this machine can use, and the words for it."""
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        npu = getattr(torch, "npu", None)
        count = torch.cuda.device_count() or (npu.device_count() if npu is not None else 0)
        return count, f"torch sees {count} GPUs here" if count else "torch sees no GPU here"
    if environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return 0, "CUDA_VISIBLE_DEVICES hides all GPUs"
    count = sum(1 for pattern in GPU_DEVICES for _ in device_root.glob(pattern))
    return count, f"there are {count} GPU devices here" if count else "there is no GPU device here"


def version_warning() -> str | None:
    """One line for a verl outside the range we support, else None."""
    version = str(getattr(sys.modules.get("verl"), "__version__", ""))
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    low, high = (".".join(map(str, bound)) for bound in VERL_RANGE)
    if not numbers or VERL_RANGE[0] <= numbers < VERL_RANGE[1]:
        return None
    return f"r1ci: verl {version} is outside the supported range: pip install 'verl>={low},<{high}'"
