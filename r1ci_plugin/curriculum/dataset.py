"""The training data as verl reads it, in the order the curriculum wants.

verl has no sampler hook, so the data set chooses: verl walks positions 0, 1, 2, ... and gets the sampler's next draw.
That needs `data.shuffle=false` and `data.dataloader_num_workers=0` (the draw must happen in the trainer's process,
after all earlier feedback). verl makes the validation set from the same class: there it is plain and in order. The
state (sampler and ledger) rides in verl's `data.pt`, since torchdata's StatefulDataLoader saves the state of its data
set. Left out: what training feeds back (`replay.py`), the pure rules (`sampler.py`, `manifest.py`, `ledger.py`).
"""

from __future__ import annotations

import logging
from typing import Any

from verl.utils.dataset.rl_dataset import RLHFDataset

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.ledger import Ledger
from r1ci_plugin.curriculum.manifest import digest, load_manifest
from r1ci_plugin.curriculum.sampler import CurriculumSampler, eligible_rows
from r1ci_plugin.protocol import PROTOCOL

logger = logging.getLogger(__name__)

_training: CurriculumDataset | None = None


def training_dataset() -> CurriculumDataset | None:
    """The training data of this process, None before verl has made it. The replay buffer finds it here."""
    return _training


class CurriculumDataset(RLHFDataset):  # type: ignore[misc]  # verl ships no types
    """verl's data set with the curriculum's order for training.

    Raises ValueError for data of another protocol version, ManifestError for a manifest that does not fit.
    """

    dataframe: Any
    """The rows, a `datasets.Dataset` (verl/utils/dataset/rl_dataset.py)."""

    def __init__(
        self, data_files: Any, tokenizer: Any, config: Any, processor: Any = None, max_samples: int = -1
    ) -> None:
        super().__init__(data_files, tokenizer, config, processor=processor, max_samples=max_samples)
        if not len(self.dataframe):
            raise ValueError(
                f"no question of {self.original_data_files} is left: all prompts have more than "
                f"data.max_prompt_length={self.max_prompt_length} tokens of this policy's tokenizer"
            )
        self._refuse_other_protocol()
        self.is_training = _is_training(self.original_data_files, config)
        if self.is_training:
            self._prepare_training(config)

    def _prepare_training(self, config: Any) -> None:
        global _training
        settings = settings_from({"r1ci": config.get("r1ci")})
        self.stage = settings.stage
        question_ids = [info["question_id"] for info in self.dataframe["extra_info"]]
        manifest = load_manifest(settings.manifest) if settings.manifest else None
        groups = manifest.group_of(question_ids) if manifest else [1] * len(question_ids)
        rows = eligible_rows(groups, settings.stage)
        self.dataframe = self.dataframe.select(rows.tolist())
        self.group_of = {question_ids[row]: groups[row] for row in rows}
        self.manifest_digest = manifest.digest if manifest else None
        self.digest = digest([self.manifest_digest or "all", settings.stage, *self.group_of])
        self.sampler = CurriculumSampler(range(len(rows)), settings.curriculum.seed)
        self.ledger = Ledger()
        logger.info("stage %d trains on %d of %d questions", settings.stage, len(rows), len(question_ids))
        _training = self

    def _refuse_other_protocol(self) -> None:
        found = {info.get("protocol") for info in self.dataframe["extra_info"]}
        if found - {PROTOCOL}:
            raise ValueError(
                f"the data was built for protocol {found - {PROTOCOL}}, installed is {PROTOCOL}: "
                "run `r1ci data build` again"
            )

    def __getitem__(self, position: int) -> Any:
        return super().__getitem__(self.sampler.draw() if self.is_training else position)

    def state_dict(self) -> dict[str, Any]:
        """What verl's checkpoint keeps of the curriculum."""
        if not self.is_training:
            return {}
        return {"digest": self.digest, "sampler": self.sampler.state_dict(), "ledger": self.ledger.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the checkpoint was taken. Raises ValueError if it belongs to other questions."""
        if not self.is_training:
            return
        if state["digest"] != self.digest:
            raise ValueError(
                f"the checkpoint was trained on the questions {state['digest']}, this run has {self.digest}: "
                "keep data, manifest and stage, or start in a new trainer.default_local_dir"
            )
        self.sampler.load_state_dict(state["sampler"])
        self.ledger.load_state_dict(state["ledger"])


def _is_training(files: Any, config: Any) -> bool:
    """verl does not say which side it makes; it makes the training side first."""
    own, train, validation = (_file_list(value) for value in (files, config.train_files, config.val_files))
    return own == train and (train != validation or _training is None)


def _file_list(files: Any) -> list[str]:
    return [files] if isinstance(files, str) else list(files)
