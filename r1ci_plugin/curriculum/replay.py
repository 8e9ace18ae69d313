"""Between rollout and training step: drops starved groups, filters groups without signal, feeds back, and logs.

verl's V1 trainer takes every training batch through `sample()` (verl/trainer/ppo/v1/replay_buffer.py); what it returns
beside the batch is logged, which is the only door for training metrics of our own. A custom buffer gets none of the
settings of the stock one, so recipes pass them again as `trainer.v1.sampler.sampler_kwargs`. verl's filter for groups
without signal (`algorithm.filter_groups`, on `acc`) works here too and never starves a step: once so many batches'
worth of groups were filtered, it lets all groups of the step through. Left out: what the numbers mean (`metrics.py`,
`progress.py`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

import transfer_queue as tq
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.dataset import training_dataset
from r1ci_plugin.curriculum.metrics import Sample, batch_metrics
from r1ci_plugin.curriculum.records import FIELD, RecordWriter
from r1ci_plugin.curriculum.starts import StartWriter

logger = logging.getLogger(__name__)

MIN_SURVIVORS = 2
"""A group of fewer trajectories has no advantage to compute."""
MAX_STARVED_BATCHES = 4
"""So many batches' worth of starved groups in one step mean that the infrastructure is down, not shaky."""

MAX_FILTERED_BATCHES = 10
"""So many batches' worth of groups without signal are filtered in one step before the filter opens, where
`algorithm.filter_groups.max_num_gen_batches` does not say otherwise."""

EvictionReasons = tuple[set[str], set[str], set[str], "Counter[float]"]
"""verl's: stale, filtered and failed groups, and how many filtered groups had which value."""


class InfrastructureDown(RuntimeError):
    """Trajectories are lost faster than they can be replaced."""


class CurriculumReplayBuffer(ReplayBuffer):  # type: ignore[misc]  # verl ships no types
    """verl's replay buffer of the synchronous trainer, with feedback to the curriculum.

    `sampler_kwargs`: `group_size` (rollout.n), `train_batch_size`, `filter_groups` (verl's algorithm.filter_groups),
    `poll_interval` in seconds.
    """

    def __init__(self, trainer_mode: str, sampler_kwargs: Any, **kwargs: Any) -> None:
        if trainer_mode != "sync":
            raise ValueError(f"the curriculum runs in trainer.v1.trainer_mode=sync, not {trainer_mode}")
        filter_groups = sampler_kwargs.get("filter_groups") or {}
        self._group_size = int(sampler_kwargs["group_size"])
        self._start = StartWriter()
        self._records = RecordWriter(
            sampler_kwargs.get("records_folder"), settings_from({"r1ci": sampler_kwargs.get("r1ci")}).records
        )
        batches = int(filter_groups.get("max_num_gen_batches") or MAX_FILTERED_BATCHES)
        self._most_filtered = batches * int(sampler_kwargs["train_batch_size"])
        self._begin_step()
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

    def _begin_step(self) -> None:
        self._starved_groups = self._lost = self._filtered_groups = 0
        self._filtered: list[Sample] = []

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        """A batch of groups and the metrics of its step. Raises InfrastructureDown."""
        self._begin_step()
        batch, metrics = super().sample(global_steps, partition_id, batch_size)
        dataset = training_dataset()
        if dataset is None:
            return batch, metrics
        samples = _read_samples(batch.keys, partition_id)
        self._records.write(partition_id, global_steps, dataset.stage, samples)
        if partition_id == "train":
            self._start.write(global_steps - 1, dataset)
            lost = self._lost + batch_size * self._group_size - len(samples)
            metrics = {
                **metrics,
                **batch_metrics(samples, lost),
                **dataset.end_step(global_steps, samples, self._filtered),
                "r1ci/curriculum/gate_opened": float(self._gate_is_open()),
            }
        return batch, metrics

    def _dapo_filtered_keys(self, partition_id: str) -> tuple[set[str], Counter[float]]:
        """verl's filter, until it has held back too many groups of this step."""
        if self._gate_is_open():
            return set(), Counter()
        uids, counts = super()._dapo_filtered_keys(partition_id)
        return uids, counts

    def _gate_is_open(self) -> bool:
        return self._filtered_groups >= self._most_filtered

    def _evict_terminal_groups(self, global_steps: int, partition_id: str, eviction_reasons: EvictionReasons) -> Any:
        """Keeps the answers of filtered groups, which say much of their questions, before verl drops them."""
        filtered = eviction_reasons[1]
        if filtered and training_dataset() is not None:
            keys = [key for key in self.partitions[partition_id] if key.split("_")[0] in filtered]
            self._filtered += _read_samples(keys, partition_id)
        self._filtered_groups += len(filtered)
        if filtered and self._gate_is_open():
            logger.warning(
                "step %d: %d groups without signal were filtered, the filter lets all others through",
                global_steps,
                self._filtered_groups,
            )
        return super()._evict_terminal_groups(global_steps, partition_id, eviction_reasons)

    def _terminal_eviction_reasons(self, global_steps: int, partition_id: str) -> EvictionReasons:
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


def _read_samples(keys: Iterable[str], partition_id: str) -> list[Sample]:
    keys = list(keys)
    fields = tq.kv_batch_get(
        keys=keys,
        partition_id=partition_id,
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
            generate_s=extra["r1ci_seconds"]["generate"],
            execute_s=extra["r1ci_seconds"]["execute"],
            record=extra.get(FIELD),
        )
        for key, scores, extra, info, task in zip(keys, *columns, strict=True)
    ]


def _plain(column: Any) -> list[Any]:
    return [getattr(value, "data", value) for value in column]
