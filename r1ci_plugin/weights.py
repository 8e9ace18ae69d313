"""Which weights are these? One digest for a policy in a folder and for the same policy in an engine.

Names alone or bytes alone would not do: an engine holds float32 where a file holds bfloat16, and lists a tied tensor
under two names where a file has it once. So every tensor counts as its float32 bytes, and of several names for the same
bytes the last one counts. Left out: shards of a checkpoint that was never exported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class NoWeights(ValueError):
    """The folder holds no weights that can be read without running code."""


def digest(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """SHA-256 (64 hex digits) over names, shapes and float32 bytes; the order of the tensors does not matter."""
    names: dict[str, str] = {}
    for name, tensor in tensors:
        values = tensor.detach().float().cpu().contiguous().reshape(-1).numpy()
        hasher = hashlib.sha256(f"{tuple(tensor.shape)}".encode())
        hasher.update(values.data)
        content = hasher.hexdigest()
        names[content] = max(name, names.get(content, name))
    lines = sorted(f"{name} {content}" for content, name in names.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def folder_digest(folder: Path) -> str:
    """The digest of a Hugging Face folder. Raises NoWeights without safetensors files, or with damaged ones.

    Tensors are read one by one: the memory needed is that of the largest, not of the policy.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise NoWeights(f"{folder} holds no *.safetensors")
    return digest(_tensors(files))


def digest_of(policy: str) -> str | None:
    """The digest of a policy that a recipe or an option names; None where there are no files to compare with: a name on
    the Hub, weights that are no safetensors."""
    try:
        return folder_digest(Path(policy))
    except NoWeights:
        return None


def _tensors(files: Iterable[Path]) -> Iterator[tuple[str, torch.Tensor]]:
    from safetensors import SafetensorError, safe_open

    for file in files:
        try:
            with safe_open(file, framework="pt") as content:
                for name in content.keys():  # noqa: SIM118  # no mapping, though it has keys
                    yield name, content.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise NoWeights(f"{file} cannot be read: {error}") from error
