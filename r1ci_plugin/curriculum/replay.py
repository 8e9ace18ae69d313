"""Between rollout and training step: drops starved groups, filters groups without signal, feeds back, and logs.

verl's V1 trainer takes every training batch through `sample()` (verl/trainer/ppo/v1/replay_buffer.py); what it returns
beside the batch is logged, which is the only door for training metrics of our own. A custom buffer gets none of the
settings of the stock one, so recipes pass them again as `trainer.v1.sampler.sampler_kwargs`. verl's filter for groups
without signal (`algorithm.filter_groups`, on `acc`) works here too and never starves a step: once so many batches'
worth of groups were filtered, it lets all groups of the step through.

verl has one buffer for its synchronous trainer and one for the asynchronous ones, so there are two here, over the same
feedback (`recipes/r1ci_mode/` names the right one). In the asynchronous modes a step's groups are those that are
finished, whenever their questions were drawn; with `parameter_sync_step` of k, a step is k batches, and is fed back and
logged as a whole with the last of them. Left out: what the numbers mean (`metrics.py`, `staleness.py`, `progress.py`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import transfer_queue as tq
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer, ReplayBufferAsync

from r1ci_plugin.config import settings_from
from r1ci_plugin.curriculum.dataset import training_dataset
from r1ci_plugin.curriculum.metrics import Sample, batch_metrics
from r1ci_plugin.curriculum.records import RECORD_FIELD, RecordWriter
from r1ci_plugin.curriculum.staleness import VERSIONS_FIELD, staleness_metrics
from r1ci_plugin.curriculum.starts import StartWriter

logger = logging.getLogger(__name__)

KWARGS = "+trainer.v1.sampler.sampler_kwargs"
NEEDED = {"group_size": "${actor_rollout_ref.rollout.n}", "train_batch_size": "${data.train_batch_size}"}
"""What it cannot do without, as a command line gives it."""
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


@dataclass(slots=True)
class _Step:
    """What a training step has gathered so far."""

    number: int
    samples: list[Sample] = field(default_factory=list)
    filtered: list[Sample] = field(default_factory=list)
    """Of groups without signal."""
    batches: int = 0
    lost: int = 0
    """Trajectories."""
    starved_groups: int = 0
    filtered_groups: int = 0


class _Feedback:
    """What both buffers add to verl's. Comes before verl's class among the bases.

    `sampler_kwargs`: `group_size` (rollout.n), `train_batch_size`, `filter_groups` (verl's algorithm.filter_groups),
    `poll_interval` in seconds.
    """

    modes: tuple[str, ...]
    """Values of trainer.v1.trainer_mode it is for."""
    partitions: dict[str, dict[str, Any]]
    finished_keys: dict[str, set[str]]
    failure_keys: dict[str, set[str]]
    train_batch_size: int

    def __init__(self, trainer_mode: str, sampler_kwargs: Any, trainer_config: Any, **kwargs: Any) -> None:
        if trainer_mode not in self.modes:
            raise ValueError(
                f"{type(self).__name__} is not for trainer.v1.trainer_mode={trainer_mode}: choose the mode by "
                f"r1ci_mode@_global_={trainer_mode}, which sets both"
            )
        if lacking := [f"'{KWARGS}.{key}={value}'" for key, value in NEEDED.items() if not sampler_kwargs.get(key)]:
            raise ValueError(
                f"{type(self).__name__} is given nothing by verl but its sampler_kwargs: set {' '.join(lacking)}"
            )
        filter_groups = sampler_kwargs.get("filter_groups") or {}
        self._group_size = int(sampler_kwargs["group_size"])
        self._batches_per_step = int((trainer_config or {}).get("parameter_sync_step", 1))
        self._start = StartWriter()
        self._records = RecordWriter(
            sampler_kwargs.get("records_folder"), settings_from({"r1ci": sampler_kwargs.get("r1ci")}).records
        )
        batches = int(filter_groups.get("max_num_gen_batches") or MAX_FILTERED_BATCHES)
        self._most_filtered = batches * int(sampler_kwargs["train_batch_size"])
        self._step = _Step(0)
        super().__init__(
            trainer_mode=trainer_mode,  # type: ignore[call-arg]  # verl's class comes next
            trainer_config=trainer_config,
            sampler_kwargs=sampler_kwargs,
            poll_interval=float(sampler_kwargs.get("poll_interval", 2.0)),
            filter_groups_metric=filter_groups.get("metric") if filter_groups.get("enable") else None,
            max_inflight_gen_batches=filter_groups.get("max_inflight_gen_batches", 1),
            train_batch_size=sampler_kwargs["train_batch_size"],
            # Starved groups are replaced one by one, which needs single-prompt fetches: recipes set
            # sync_refill_failed_groups, and the asynchronous trainers always fetch so.
            gen_batch_size=1,
            sync_refill_failed_groups=True,
            **kwargs,
        )

    def _of_step(self, number: int) -> _Step:
        """The running step; a new one where `number` says so."""
        if self._step.number != number:
            self._step = _Step(number)
        return self._step

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        """A batch of groups and, with the last batch of a step, its metrics. Raises InfrastructureDown."""
        if partition_id == "train":
            self._of_step(global_steps)
        batch, metrics = super().sample(global_steps, partition_id, batch_size)  # type: ignore[misc]
        dataset = training_dataset()
        if dataset is None:
            return batch, metrics
        samples = _read_samples(batch.keys, partition_id)
        self._records.write(partition_id, global_steps, dataset.stage, samples)
        if partition_id != "train":
            return batch, metrics
        self._start.write(global_steps - 1, dataset)
        step = self._step
        step.batches += 1
        step.samples += samples
        step.lost += batch_size * self._group_size - len(samples)
        return batch, {**metrics, **(self._end_step(dataset) if step.batches == self._batches_per_step else {})}

    def _end_step(self, dataset: Any) -> dict[str, float]:
        step = self._step
        return {
            **batch_metrics(step.samples, step.lost),
            **staleness_metrics([sample.versions for sample in step.samples], version=step.number - 1),
            **dataset.end_step(step.number, step.samples, step.filtered),
            "r1ci/curriculum/gate_opened": float(self._gate_is_open()),
        }

    def _dapo_filtered_keys(self, partition_id: str) -> tuple[set[str], Counter[float]]:
        """verl's filter, until it has held back too many groups of this step."""
        if self._gate_is_open():
            return set(), Counter()
        uids, counts = super()._dapo_filtered_keys(partition_id)  # type: ignore[misc]
        return uids, counts

    def _gate_is_open(self) -> bool:
        return self._step.filtered_groups >= self._most_filtered

    def _evict_terminal_groups(self, global_steps: int, partition_id: str, eviction_reasons: EvictionReasons) -> Any:
        """Counts what is dropped, and keeps what filtered groups say of their questions, before verl drops them."""
        if partition_id == "train":
            _, filtered, failed, _ = eviction_reasons
            step = self._of_step(global_steps)
            self._count_failed(step, failed)
            self._take_filtered(step, filtered)
        return super()._evict_terminal_groups(global_steps, partition_id, eviction_reasons)  # type: ignore[misc]

    def _take_filtered(self, step: _Step, filtered: set[str]) -> None:
        if not filtered:
            return
        if training_dataset() is not None:
            keys = [key for key in self.partitions["train"] if key.split("_")[0] in filtered]
            step.filtered += _read_samples(keys, "train")
        step.filtered_groups += len(filtered)
        if self._gate_is_open():
            logger.warning(
                "step %d: %d groups without signal were filtered, the filter lets all others through",
                step.number,
                step.filtered_groups,
            )

    def _count_failed(self, step: _Step, failed: set[str]) -> None:
        survivors = self._survivors()
        step.starved_groups += len(failed)
        step.lost += sum(self._group_size - survivors[uid] for uid in failed)
        if step.starved_groups > MAX_STARVED_BATCHES * self.train_batch_size:
            raise InfrastructureDown(
                f"{step.starved_groups} groups of this step lost their trajectories to the infrastructure: "
                "run `r1ci sandbox selftest`, then start again (training resumes at the last checkpoint)"
            )

    def _terminal_eviction_reasons(self, global_steps: int, partition_id: str) -> EvictionReasons:
        """Adds groups with too few survivors to the failed ones, before verl's DAPO filter, which raises on an empty
        group. verl also asks only to count (`get_sampleable_count`): nothing is taken into the step here.
        """
        starved = self._starved() if partition_id == "train" else set()
        self.finished_keys[partition_id] -= starved
        stale, filtered, failed, counts = super()._terminal_eviction_reasons(  # type: ignore[misc]
            global_steps, partition_id
        )
        return stale, filtered, failed | starved, counts

    def _starved(self) -> set[str]:
        survivors = self._survivors()
        ended = self.finished_keys["train"] | self.failure_keys["train"]
        return {uid for uid in ended if survivors[uid] < min(MIN_SURVIVORS, self._group_size)}

    def _survivors(self) -> Counter[str]:
        return Counter(key.split("_")[0] for key in self.partitions["train"])


class CurriculumReplayBuffer(_Feedback, ReplayBuffer):  # type: ignore[misc]  # verl ships no types
    """verl's replay buffer of the synchronous trainer, with feedback to the curriculum."""

    modes = ("sync",)


class CurriculumReplayBufferAsync(_Feedback, ReplayBufferAsync):  # type: ignore[misc]  # verl ships no types
    """verl's replay buffer of the asynchronous trainers, with feedback to the curriculum.

    Here verl itself evicts and replaces a group with any failed trajectory, and groups that are too old
    (`trainer.v1.sampler.max_off_policy_threshold`, strategy `drop`). The answers of the latter are not fed back.
    """

    modes = ("colocate_async", "separate_async")


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
            record=extra.get(RECORD_FIELD),
            versions=extra.get(VERSIONS_FIELD, ()),
        )
        for key, scores, extra, info, task in zip(keys, *columns, strict=True)
    ]


def _plain(column: Any) -> list[Any]:
    return [getattr(value, "data", value) for value in column]
