"""Is there a policy to begin with, and can it be talked to?

Left out: whether it fits into memory (`gpu.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from r1ci_plugin.checks.finding import Finding, broken, ok


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
