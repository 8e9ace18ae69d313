"""Between rollout and training step: drops groups that the infrastructure starved, feeds results back, and logs.

verl's V1 trainer takes every training batch through `sample()` (verl/trainer/ppo/v1/replay_buffer.py); what it returns
beside the batch is logged, which is the only door for training metrics of our own. A custom buffer gets none of the
settings of the stock one, so recipes pass them again as `trainer.v1.sampler.sampler_kwargs`. Left out: what the numbers
mean (`metrics.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import transfer_queue as tq
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.dataset import training_dataset
from r1ci_plugin.curriculum.metrics import Sample, batch_metrics
from r1ci_plugin.curriculum.records import FIELD, RecordWriter

MIN_SURVIVORS = 2
"""A group of fewer trajectories has no advantage to compute."""
MAX_STARVED_BATCHES = 4
"""So many batches' worth of starved groups in one step mean that the infrastructure is down, not shaky."""


class InfrastructureDown(RuntimeError):
    """Trajectories are lost faster than they can be replaced."""


class CurriculumReplayBuffer(ReplayBuffer):  # type: ignore[misc]  # verl ships no types
    """verl's replay buffer of the synchronous trainer, with feedback to the curriculum.

    `sampler_kwargs`: `group_size` (rollout.n), `train_batch_size`, `filter_groups` (verl's algorithm.filter_groups),
    `poll_interval` in seconds, `records_folder` (of the trajectory records; without it none are written), `r1ci` (the
    section of the recipe).
    """

    def __init__(self, trainer_mode: str, sampler_kwargs: Any, **kwargs: Any) -> None:
        if trainer_mode != "sync":
            raise ValueError(f"the curriculum runs in trainer.v1.trainer_mode=sync, not {trainer_mode}")
        filter_groups = sampler_kwargs.get("filter_groups") or {}
        self._group_size = int(sampler_kwargs["group_size"])
        self._records = RecordWriter(
            sampler_kwargs.get("records_folder"), settings_from({"r1ci": sampler_kwargs.get("r1ci")}).records
        )
        self._starved_groups = 0
        self._lost = 0
        super().__init__(
            trainer_mode=trainer_mode,
            sampler_kwargs=sampler_kwargs,
            poll_interval=float(sampler_kwargs.get("poll_interval", 2.0)),
            filter_groups_metric=filter_groups.get("metric") if filter_groups.get("enable") else None,
            max_inflight_gen_batches=filter_groups.get("max_inflight_gen_batches", 1),
            train_batch_size=sampler_kwargs["train_batch_size"],
            # Starved groups are replaced one by one, which needs single-prompt fetches: recipes set
            # sync_refill_failed_groups.
            gen_batch_size=1,
            sync_refill_failed_groups=True,
            **kwargs,
        )

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        """A batch of groups and the metrics of its step. Raises InfrastructureDown."""
        self._starved_groups = self._lost = 0
        batch, metrics = super().sample(global_steps, partition_id, batch_size)
        dataset = training_dataset()
        if dataset is None:
            return batch, metrics
        samples = _read_samples(batch)
        self._records.write(partition_id, global_steps, dataset.stage, samples)
        if partition_id == "train":
            dataset.ledger.record((sample.question_id, sample.acc) for sample in samples)
            lost = self._lost + batch_size * self._group_size - len(samples)
            metrics = {**metrics, **batch_metrics(samples, lost), **_curriculum_metrics(dataset, samples)}
        return batch, metrics

    def _terminal_eviction_reasons(
        self, global_steps: int, partition_id: str
    ) -> tuple[set[str], set[str], set[str], Counter[float]]:
        """Adds groups with too few survivors to the failed ones, before verl's DAPO filter, which raises on an empty
        group.
        """
        starved = self._starved(partition_id) if partition_id == "train" else set()
        self.finished_keys[partition_id] -= starved
        stale, filtered, failed, counts = super()._terminal_eviction_reasons(global_steps, partition_id)
        return stale, filtered, failed | starved, counts

    def _starved(self, partition_id: str) -> set[str]:
        ended = self.finished_keys[partition_id] | self.failure_keys[partition_id]
        survivors = Counter(key.split("_")[0] for key in self.partitions[partition_id])
        starved = {uid for uid in ended if survivors[uid] < min(MIN_SURVIVORS, self._group_size)}
        self._starved_groups += len(starved)
        self._lost += sum(self._group_size - survivors[uid] for uid in starved)
        if self._starved_groups > MAX_STARVED_BATCHES * self.train_batch_size:
            raise InfrastructureDown(
                f"{self._starved_groups} groups of this step lost their trajectories to the infrastructure: "
                "run `r1ci sandbox selftest`, then start again (training resumes at the last checkpoint)"
            )
        return starved


def _read_samples(batch: Any) -> list[Sample]:
    fields = tq.kv_batch_get(
        keys=batch.keys,
        partition_id=batch.partition_id,
        select_fields=["rm_scores", "extra_fields", "extra_info", "data_source"],
    )
    columns = (
        fields["rm_scores"].unbind(),
        *(_plain(fields[name]) for name in ("extra_fields", "extra_info", "data_source")),
    )
    return [
        Sample(
            group=key.split("_")[0],
            question_id=info["question_id"],
            task=task,
            reward=float(scores.sum()),
            facts=extra["r1ci_facts"],
            extra=extra["reward_extra_info"],
            isolation=extra["r1ci_isolation"],
            record=extra.get(FIELD),
        )
        for key, scores, extra, info, task in zip(batch.keys, *columns, strict=True)
    ]


def _plain(column: Any) -> list[Any]:
    return [getattr(value, "data", value) for value in column]


def _curriculum_metrics(dataset: Any, samples: list[Sample]) -> dict[str, float]:
    groups = Counter(dataset.group_of[sample.question_id] for sample in samples)
    accs: dict[int, float] = defaultdict(float)
    for sample in samples:
        accs[dataset.group_of[sample.question_id]] += sample.acc
    return {
        "r1ci/curriculum/stage": float(dataset.stage),
        "r1ci/curriculum/epoch": float(dataset.sampler.epoch),
        "r1ci/curriculum/questions": float(len(dataset)),
        "r1ci/curriculum/seen": float(len(dataset.ledger)),
        **{f"r1ci/curriculum/group_{group}/share": n / len(samples) for group, n in sorted(groups.items())},
        **{f"r1ci/curriculum/group_{group}/acc": accs[group] / n for group, n in sorted(groups.items())},
    }
