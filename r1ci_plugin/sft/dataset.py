"""The fine-tuning set as verl's SFT trainer reads it: ids and loss mask as a rollout would have left them.

verl makes it by `data.custom_cls` (verl/trainer/sft_trainer.py, create_sft_dataset). Every row goes through the state
machine of the rollout (`replay.py`), so SFT and RL agree to the token: loss on what the policy is to say, its
end-of-text token included, and on nothing else. Left out: filters, padding (the trainer packs or pads).
"""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as parquet
import torch
from torch.utils.data import Dataset

from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.config import settings_from
from r1ci_plugin.sft.replay import UNBOUNDED, replay
from r1ci_plugin.sft.training_set import read_row


class SFTDataset(Dataset):  # type: ignore[type-arg]
    """Rows of `sft.parquet` in tokens; all are made at once, so that a set that does not fit fails before training.

    config: the section `data`. `max_length` bounds prompt and response; `truncation` is `error`, or `right` for rows
    cut where a rollout would have been cut. Only `pad_mode: no_padding`. Raises ValueError for what does not fit.
    """

    def __init__(
        self, parquet_files: Any, tokenizer: Any, config: Any, processor: Any = None, max_samples: int = -1
    ) -> None:
        if config.get("pad_mode", "no_padding") != "no_padding":
            raise ValueError("set data.pad_mode=no_padding: the trainer pads or packs, the data set does not")
        self._codec = TokenizerCodec(tokenizer)
        self._eos_id = int(tokenizer.eos_token_id)
        self._limits = settings_from({"r1ci": config.get("r1ci")}).interaction
        self._max_length = int(config["max_length"])
        self._truncation = str(config.get("truncation", "error"))
        files = [parquet_files] if isinstance(parquet_files, str) else list(parquet_files)
        rows = [row for file in files for row in parquet.read_table(file).to_pylist()]
        self._examples = [self._example(row) for row in (rows[:max_samples] if max_samples > 0 else rows)]
        self._refuse_too_long(files)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, position: int) -> dict[str, torch.Tensor]:
        """`input_ids`, `position_ids` and `loss_mask`, each (tokens,); the mask is 1 on ids the policy is to sample."""
        ids, mask = self._examples[position]
        return {
            "input_ids": torch.tensor(ids),
            "position_ids": torch.arange(len(ids)),
            "loss_mask": torch.tensor(mask),
        }

    def _example(self, row: dict[str, Any]) -> tuple[list[int], list[int]]:
        spoken = read_row(row)
        prompt_ids = self._codec.encode_prompt(spoken.prompt)
        room = self._max_length if self._truncation == "right" else UNBOUNDED
        trajectory = replay(
            spoken.turns,
            spoken.results,
            self._codec,
            prompt_ids,
            self._limits,
            eos_id=self._eos_id,
            context_tokens=room,
        )
        return prompt_ids + trajectory.response_ids, [0] * len(prompt_ids) + trajectory.response_mask

    def _refuse_too_long(self, files: list[str]) -> None:
        lengths = [len(ids) for ids, _ in self._examples]
        over = sum(length > self._max_length for length in lengths)
        if over:
            raise ValueError(
                f"{over} of {len(lengths)} trajectories in {', '.join(files)} have more than "
                f"data.max_length={self._max_length} tokens of this policy's tokenizer (the longest {max(lengths)}): "
                f"`r1ci sft check --tokenizer POLICY --max-tokens {self._max_length}` leaves them out"
            )
