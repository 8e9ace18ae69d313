"""The training data as verl reads it, in the order the curriculum wants.

verl has no sampler hook, so the data set chooses: verl walks positions 0, 1, 2, ... and gets the sampler's next draw.
That needs `data.shuffle=false` and `data.dataloader_num_workers=0` (the draw must happen in the trainer's process,
after all earlier feedback). verl makes the validation set from the same class: there it is plain and in order. The
state (sampler and ledger) rides in verl's `data.pt`, since torchdata's StatefulDataLoader saves the state of its data
set. Left out: what training feeds back (`replay.py`), the pure rules (`assign.py`, `sampler.py`, `ledger.py`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from verl.utils.dataset.rl_dataset import RLHFDataset

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.assign import Known, assign
from r1ci_plugin.curriculum.build import grouping_of, task_chance
from r1ci_plugin.curriculum.history import History
from r1ci_plugin.curriculum.ledger import Ledger
from r1ci_plugin.curriculum.metrics import Sample
from r1ci_plugin.curriculum.progress import Progress, curriculum_metrics, history_lines
from r1ci_plugin.curriculum.recut import regrouped
from r1ci_plugin.curriculum.schedule import Statistics
from r1ci_plugin.data.files import file_names
from r1ci_plugin.leftovers import MARK
from r1ci_plugin.protocol import PROTOCOL

logger = logging.getLogger(__name__)

_training: CurriculumDataset | None = None


def training_dataset() -> CurriculumDataset | None:
    """The training data of this process, None before verl has made it. The replay buffer finds it here."""
    return _training


class CurriculumDataset(RLHFDataset):  # type: ignore[misc]  # verl ships no types
    """verl's data set with the curriculum's order for training.

    Raises ValueError for data of another protocol version and for a loader with processes of its own, ManifestError for
    a manifest that does not fit.
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
        _refuse_loader_processes(config)
        settings = settings_from({"r1ci": config.get("r1ci")})
        rows = list(map(Known.of_row, self.dataframe["data_source"], self.dataframe["extra_info"]))
        assignment = assign(settings, rows)
        self.stage = settings.stage
        self.manifest, self.schedule, self.sampler = assignment.manifest, assignment.schedule, assignment.sampler
        self.manifest_digest = self.manifest.digest if settings.manifest else None
        self.digest = assignment.digest
        self._rows = rows
        self._row_of = {row.question_id: number for number, row in reversed(list(enumerate(rows)))}
        self._is_seen = np.zeros(len(rows), dtype=np.bool_)
        measured = {entry.question_id: (entry.n, entry.right) for entry in self.manifest.entries if entry.n}
        self.ledger = Ledger(measured, settings.curriculum.decay)
        folder = os.environ.get(MARK)
        self.history = History(Path(folder)) if folder else None
        logger.info(
            "stage %d trains on %d of %d questions (manifest %s)",
            settings.stage,
            len(self.sampler),
            len(rows),
            self.manifest.digest,
        )
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

    def group(self, question_id: str) -> int:
        """The group a question is in now."""
        return int(self.sampler.groups[self._row_of[question_id]])

    def end_step(self, step: int, samples: Sequence[Sample], filtered: Sequence[Sample] = ()) -> dict[str, float]:
        """Take in what a training step found out, set what the next one draws from, and give the step's metrics.

        filtered: answers of groups without signal, which were judged but not trained on; they count in pass rates.
        """
        self.ledger.record((sample.question_id, sample.acc) for sample in (*samples, *filtered))
        self._is_seen[[self._row_of[sample.question_id] for sample in (*samples, *filtered)]] = True
        progress = self._progress(samples, filtered)
        if self.history is not None:
            self.history.append(step, history_lines(progress))
        self._prepare_step(step, progress)
        return curriculum_metrics(progress)

    def _progress(self, samples: Sequence[Sample], filtered: Sequence[Sample]) -> Progress:
        return Progress(
            samples,
            filtered,
            group_of={sample.question_id: self.group(sample.question_id) for sample in (*samples, *filtered)},
            ledger=self.ledger,
            stage=self.stage,
            epoch=self.sampler.epoch,
            questions=len(self.sampler),
            unseen=int((self.sampler.eligible() & ~self._is_seen).sum()),
            manifest=self.manifest.digest,
        )

    def _prepare_step(self, step: int, progress: Progress) -> None:
        """Groups and weights for the step after this one."""
        groups, sizes = None, self.sampler.sizes
        if self.schedule.cuts_after(step):
            names = ((row.question_id, row.task) for row in self._rows)
            groups = regrouped(self.sampler.groups, names, self.ledger, grouping_of(self.manifest), task_chance)
            sizes = np.bincount(groups)[1:].tolist()
        weights = self.schedule.weights(step + 1, Statistics(sizes, progress.pass_rates(len(sizes))))
        if groups is None:
            self.sampler.reweight(weights)
        else:
            self.sampler.regroup(groups, weights)

    def state_dict(self) -> dict[str, Any]:
        """What verl's checkpoint keeps of the curriculum."""
        if not self.is_training:
            return {}
        return {
            "manifest": self.manifest.digest,
            "digest": self.digest,
            "sampler": self.sampler.state_dict(),
            "ledger": self.ledger.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the checkpoint was taken. Raises ValueError if it belongs to other questions."""
        if not self.is_training:
            return
        for what, found, own in (
            ("manifest", state["manifest"], self.manifest.digest),
            ("questions", state["digest"], self.digest),
        ):
            if found != own:
                raise ValueError(
                    f"the checkpoint was trained on the {what} {found}, this run has {own}: "
                    "keep data, manifest and stage, or start in a new trainer.default_local_dir"
                )
        self.sampler.load_state_dict(state["sampler"])
        self.ledger.load_state_dict(state["ledger"])
        self._is_seen[[self._row_of[question_id] for question_id in state["ledger"]]] = True


def _refuse_loader_processes(config: Any) -> None:
    """verl's default is eight processes: each would draw from a sampler of its own, most questions never."""
    processes = config.get("dataloader_num_workers") or 0
    if processes:
        raise ValueError(
            f"CurriculumDataset draws in the trainer's own process, not in {processes} of the data loader's: "
            "set data.dataloader_num_workers=0 and data.shuffle=false"
        )


def _is_training(files: Any, config: Any) -> bool:
    """verl does not say which side it makes; it makes the training side first."""
    own, train, validation = (file_names(value) for value in (files, config.train_files, config.val_files))
    return own == train and (train != validation or _training is None)
