"""Give a policy of the seed policy's kind words for more tasks: a wider vocabulary, the other weights unchanged.

    python -m r1ci_plugin.seed_policy.widen --set data/sft --out FOLDER

The phrases and words of a fine-tuning set (`r1ci sft check`) become tokens beside those there are; a new token begins
as the mean of those it was spelled with before, and means nothing until the policy is fine-tuned on the set. Left out:
the fine-tuning, which is verl's (recipe `r1ci_sft`).
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from r1ci_plugin.seed_policy import seed_policy_path
from r1ci_plugin.seed_policy.kinds import Said, alike
from r1ci_plugin.seed_policy.tokenizer import build_tokenizer
from r1ci_plugin.sft.training_set import SEEN_FILE, SET_FILE, read_row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, required=True, help="folder of a fine-tuning set")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the policy to")
    parser.add_argument("--policy", type=Path, default=seed_policy_path(), help="the policy to widen")
    parser.add_argument("--words", type=int, default=1500, help="most frequent words of the set that become tokens")
    arguments = parser.parse_args()
    before, after = widen(arguments.policy, arguments.set, arguments.out, arguments.words)
    print(f"{before} tokens became {after}: {arguments.out}")


def widen(policy: Path, training_set: Path, out: Path, words: int) -> tuple[int, int]:
    """Write the wider policy. Gives the sizes of both vocabularies."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    old: Any = AutoTokenizer.from_pretrained(policy)
    new = build_tokenizer(alike(_said(training_set)), words, known=[old.decode([number]) for number in _plain(old)])
    model: Any = AutoModelForCausalLM.from_pretrained(policy)
    _embed(model, old, new)
    model.config.eos_token_id = model.generation_config.eos_token_id = new.eos_token_id
    model.config.pad_token_id = model.generation_config.pad_token_id = new.pad_token_id
    model.save_pretrained(out)
    new.save_pretrained(out)
    if (policy / SEEN_FILE).is_file():
        shutil.copyfile(policy / SEEN_FILE, out / SEEN_FILE)
    return len(old), len(new)


def _plain(tokenizer: Any) -> list[int]:
    """Ids of the words and phrases: neither special tokens nor bytes."""
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    return [number for word, number in tokenizer.get_vocab().items() if len(word) > 1 and number not in special]


def _said(training_set: Path) -> Iterator[Said]:
    import pyarrow.parquet as parquet

    for row in parquet.read_table(training_set / SET_FILE).to_pylist():
        spoken = read_row(row)
        yield Said(row["task"], row["form"], spoken.prompt[0]["content"], spoken.turns, spoken.results)


def _embed(model: Any, old: Any, new: Any) -> None:
    """Rows of the embedding (tied to the output) for the new vocabulary."""
    import torch

    weights = model.get_input_embeddings().weight.detach().clone()
    known = old.get_vocab()
    rows = []
    for word, number in sorted(new.get_vocab().items(), key=lambda item: item[1]):
        ids = [known[word]] if word in known else old.encode(new.decode([number]), add_special_tokens=False)
        rows.append(weights[ids].mean(dim=0))
    model.resize_token_embeddings(len(rows), mean_resizing=False)
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(torch.stack(rows))


if __name__ == "__main__":
    main()
