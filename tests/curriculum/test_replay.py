"""The replay buffer: starved groups are evicted and refilled before verl's filter sees them, and what is left is
compared among itself.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

from r1ci_plugin.curriculum import replay
from r1ci_plugin.curriculum.metrics import Sample
from r1ci_plugin.curriculum.records import RECORD_FIELD
from r1ci_plugin.curriculum.replay import CurriculumReplayBuffer, CurriculumReplayBufferAsync, InfrastructureDown
from r1ci_plugin.curriculum.staleness import VERSIONS_FIELD
from r1ci_plugin.journal import read_lines
from r1ci_plugin.reward.manager import EXTRA_KEYS
from r1ci_plugin.trajectory import Trajectory

FACTS = {**Trajectory([1], outcome="answered").facts(), "wall_s": 4.0, "generate_s": 2.0, "execute_s": 1.0}


class Store:
    """TransferQueue's metadata as the replay buffer uses it, in this process."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.refills = 0

    def group(self, uid: str, survivors: int, status: str = "finished") -> None:
        self.items[uid] = {"is_prompt": True, "status": status, "global_steps": 1}
        self.items.update({f"{uid}_{session}_0": {"status": "success"} for session in range(survivors)})

    def kv_list(self) -> dict[str, Any]:
        return {"train": dict(self.items)}

    def kv_clear(self, keys: list[str], partition_id: str) -> None:
        for key in keys:
            self.items.pop(key, None)

    def refill(self, count: int) -> None:
        for _ in range(count):
            self.refills += 1
            self.group(f"new{self.refills}", survivors=4)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    found = Store()
    monkeypatch.setattr(replay.tq, "kv_list", found.kv_list)
    monkeypatch.setattr(replay.tq, "kv_clear", found.kv_clear)
    monkeypatch.setattr(replay, "training_dataset", lambda: None)
    return found


def buffer_of(store: Store, train_batch_size: int = 2, **sampler: Any) -> CurriculumReplayBuffer:
    return CurriculumReplayBuffer(
        trainer_mode="sync",
        sampler_kwargs={"group_size": 4, "train_batch_size": train_batch_size, "poll_interval": 0.01, **sampler},
        trainer_config={},
        max_off_policy_threshold=None,
        max_off_policy_strategy="drop",
        refill_fn=store.refill,
    )


def test_what_verl_does_not_pass_is_asked_for_by_its_keys() -> None:
    with pytest.raises(ValueError, match=r"\+trainer\.v1\.sampler\.sampler_kwargs\.group_size=") as raised:
        CurriculumReplayBuffer(trainer_mode="sync", sampler_kwargs={}, trainer_config={})
    assert "train_batch_size=${data.train_batch_size}" in str(raised.value)


def async_buffer_of(store: Store, parts: int = 1, **sampler: Any) -> CurriculumReplayBufferAsync:
    return CurriculumReplayBufferAsync(
        trainer_mode="separate_async",
        sampler_kwargs={"group_size": 4, "train_batch_size": 2, "poll_interval": 0.01, **sampler},
        trainer_config={"parameter_sync_step": parts},
        max_off_policy_threshold=4,
        max_off_policy_strategy="wait",
        refill_fn=store.refill,
    )


def uids(batch: Any) -> set[str]:
    return {key.split("_")[0] for key in batch.keys}


@pytest.mark.parametrize("survivors", [0, 1])
def test_a_group_with_fewer_than_two_survivors_is_replaced(store: Store, survivors: int) -> None:
    store.group("good", survivors=4)
    store.group("starved", survivors=survivors)
    batch, _ = buffer_of(store).sample(1, "train", 2)
    assert uids(batch) == {"good", "new1"} and store.refills == 1


def test_a_group_with_two_survivors_is_kept_without_refill(store: Store) -> None:
    store.group("good", survivors=4)
    store.group("thin", survivors=2)
    batch, _ = buffer_of(store).sample(1, "train", 2)
    assert uids(batch) == {"good", "thin"} and store.refills == 0


def test_an_empty_finished_group_does_not_reach_verls_filter_which_raises_on_it(store: Store) -> None:
    store.group("empty", survivors=0)
    buffer = buffer_of(store, filter_groups={"enable": True, "metric": "acc"})
    buffer._sync_metadata_from_transfer_queue()
    _, filtered, failed, _ = buffer._terminal_eviction_reasons(1, "train")
    assert failed == {"empty"} and not filtered


def test_a_dead_infrastructure_ends_the_run_with_the_remedy(store: Store) -> None:
    store.group("a", 0)
    store.group("b", 0)

    def refill(count: int) -> None:
        store.refills += count
        for number in range(count):
            store.group(f"dead{store.refills - number}", survivors=0)

    buffer = buffer_of(store)
    buffer.refill_fn = refill
    with pytest.raises(InfrastructureDown, match="r1ci sandbox selftest"):
        buffer.sample(1, "train", 2)


class Signals(Store):
    """Groups of four answers each, and what verl's storage knows of them."""

    def __init__(self) -> None:
        super().__init__()
        self.accs: dict[str, list[float]] = {}
        self.upcoming: list[list[float]] = []
        self.kept: set[str] = set()
        self.versions: list[tuple[int, int, int]] = [(0, 0, 10)]

    def add(self, uid: str, accs: list[float]) -> None:
        self.accs[uid] = accs
        self.group(uid, survivors=len(accs))

    def refill(self, count: int) -> None:
        for _ in range(count):
            self.refills += 1
            self.add(f"new{self.refills}", self.upcoming.pop(0) if self.upcoming else [1.0] * 4)

    def kv_batch_get(self, keys: list[str], partition_id: str, select_fields: list[str]) -> dict[str, Any]:
        accs = [self.accs[key.split("_")[0]][int(key.split("_")[1])] for key in keys]
        extra = {**dict.fromkeys(EXTRA_KEYS, 0.0)}
        columns = {
            "rm_scores": torch.tensor(accs)[:, None],
            "extra_fields": [
                {
                    "reward_extra_info": {**extra, "acc": acc, "outcome": "wrong", "reason": "because"},
                    "r1ci_facts": FACTS,
                    "r1ci_isolation": "",
                    VERSIONS_FIELD: self.versions,
                    **({RECORD_FIELD: {"sample": int(key.split("_")[1])}} if key.split("_")[0] in self.kept else {}),
                }
                for key, acc in zip(keys, accs, strict=True)
            ],
            "extra_info": [{"question_id": f"q-{key.split('_')[0]}"} for key in keys],
            "data_source": ["bbh/navigate"] * len(keys),
        }
        return {name: columns[name] for name in select_fields}


class Told:
    """Stands for the data set: remembers what it is told."""

    stage = 3

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.filtered: list[Sample] = []
        self.steps: list[int] = []

    def end_step(self, step: int, samples: list[Sample], filtered: list[Sample]) -> dict[str, float]:
        self.samples, self.filtered = samples, filtered
        self.steps.append(step)
        return {}


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Signals:
    found = Signals()
    for name in ("kv_list", "kv_clear", "kv_batch_get"):
        monkeypatch.setattr(replay.tq, name, getattr(found, name))
    return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found = Told()
    monkeypatch.setattr(replay, "training_dataset", lambda: found)
    return found


MIXED = [1.0, 0.0, 0.0, 1.0]


def filtering(store: Signals, **filter_groups: Any) -> CurriculumReplayBuffer:
    return buffer_of(store, filter_groups={"enable": True, "metric": "acc", **filter_groups})


def test_groups_without_signal_are_replaced_and_their_answers_still_counted(signals: Signals, told: Told) -> None:
    signals.add("solved", [1.0] * 4)
    signals.add("good", MIXED)
    signals.upcoming = [[0.0] * 4, MIXED, MIXED, MIXED]
    batch, metrics = filtering(signals).sample(1, "train", 2)
    assert "solved" not in uids(batch) and len(uids(batch)) == 2
    assert all({signals.accs[uid][0], signals.accs[uid][1]} == {0.0, 1.0} for uid in uids(batch))
    assert {sample.question_id for sample in told.filtered} >= {"q-solved", "q-new1"}
    assert len(told.samples) == 8
    assert metrics["r1ci/curriculum/gate_opened"] == 0


def test_a_policy_that_solves_everything_does_not_starve_a_step(
    signals: Signals, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    signals.add("a", [1.0] * 4)
    signals.add("b", [1.0] * 4)
    batch, metrics = filtering(signals, max_num_gen_batches=3).sample(1, "train", 2)
    assert len(uids(batch)) == 2 and len(batch.keys) == 8
    assert metrics["r1ci/curriculum/gate_opened"] == 1
    assert len({sample.group for sample in told.filtered}) >= 3 * 2
    assert "lets all others through" in caplog.text


def test_the_filter_is_closed_again_in_the_next_step(signals: Signals, told: Told) -> None:
    signals.add("a", [1.0] * 4)
    signals.add("b", [1.0] * 4)
    buffer = filtering(signals, max_num_gen_batches=1)
    buffer.sample(1, "train", 2)
    signals.items.clear()
    signals.add("solved", [1.0] * 4)
    signals.add("good", MIXED)
    signals.upcoming = [MIXED] * 4
    batch, metrics = buffer.sample(2, "train", 2)
    assert "solved" not in uids(batch) and metrics["r1ci/curriculum/gate_opened"] == 0


@pytest.mark.parametrize(
    ("kind", "mode"), [(CurriculumReplayBuffer, "separate_async"), (CurriculumReplayBufferAsync, "sync")]
)
def test_a_buffer_refuses_the_mode_of_the_other_and_names_the_choice_that_sets_both(kind: Any, mode: str) -> None:
    with pytest.raises(ValueError, match=f"r1ci_mode@_global_={mode}"):
        kind(trainer_mode=mode, sampler_kwargs={"group_size": 4, "train_batch_size": 2}, trainer_config={})


@pytest.mark.parametrize("survivors", [0, 1])
def test_an_asynchronous_step_replaces_starved_groups_too(store: Store, survivors: int) -> None:
    store.group("good", survivors=4)
    store.group("starved", survivors=survivors)
    batch, _ = async_buffer_of(store).sample(1, "train", 2)
    assert uids(batch) == {"good", "new1"} and store.refills == 1


def test_a_step_of_several_batches_is_fed_back_once_and_whole(signals: Signals, told: Told) -> None:
    for uid in "abcd":
        signals.add(uid, MIXED)
    signals.add("starved", [1.0])
    buffer = async_buffer_of(signals, parts=2)
    first, early = buffer.sample(7, "train", 2)
    second, metrics = buffer.sample(7, "train", 2)
    assert not told.steps[:-1] and told.steps == [7]
    assert len(told.samples) == 16 and len(uids(first) | uids(second)) == 4
    assert not any(name.startswith("r1ci/") for name in early)
    assert metrics["r1ci/agent/lost"] == 3.0


def test_a_validation_between_steps_leaves_the_counts_of_the_step_alone(signals: Signals, told: Told) -> None:
    signals.add("a", MIXED)
    signals.add("b", MIXED[:3])
    buffer = async_buffer_of(signals, parts=2)
    buffer.sample(7, "train", 1)
    buffer.sample(7, "val", 0)
    _, metrics = buffer.sample(7, "train", 1)
    assert metrics["r1ci/agent/lost"] == 1.0 and len(told.samples) == 7


def test_asking_how_many_groups_are_ready_counts_nothing(signals: Signals, told: Told) -> None:
    signals.add("a", MIXED)
    signals.add("starved", [1.0])
    buffer = async_buffer_of(signals)
    assert [buffer.get_sampleable_count(1, "train") for _ in range(20)] == [1] * 20
    _, metrics = buffer.sample(1, "train", 1)
    assert metrics["r1ci/agent/lost"] == 3.0


def test_staleness_is_that_of_the_weights_the_step_trains(signals: Signals, told: Told) -> None:
    signals.add("a", MIXED)
    signals.versions = [(3, 3, 30), (3, 4, 10)]
    _, metrics = async_buffer_of(signals).sample(6, "train", 1)
    assert (metrics["r1ci/staleness/mean"], metrics["r1ci/staleness/max"]) == (2.0, 2.0)
    assert metrics["r1ci/staleness/spanning_share"] == 1.0


def test_siblings_of_a_lost_trajectory_get_the_advantages_of_the_smaller_group() -> None:
    def advantages(rewards: list[float], index: list[str]) -> list[float]:
        scores = torch.tensor(rewards)[:, None]
        advantage, _ = compute_grpo_outcome_advantage(scores, torch.ones_like(scores), np.array(index, dtype=object))
        return [float(value) for value in advantage[:, 0]]

    whole_batch = advantages([1.1, 0.1, -0.1, 1.1, 0.1], ["a", "a", "a", "b", "b"])
    assert whole_batch[:3] == advantages([1.1, 0.1, -0.1], ["a"] * 3)
    masked = advantages([1.1, 0.1, -0.1, 0.0, 1.1, 0.1], ["a"] * 4 + ["b"] * 2)
    assert whole_batch[:3] != masked[:3]  # what a masked sample with a made-up reward would do


def test_the_records_of_a_batch_are_written_with_the_step_and_stage(
    signals: Signals, told: Told, tmp_path: Path
) -> None:
    signals.kept = {"good"}
    signals.add("good", MIXED)
    signals.add("other", MIXED)
    buffer_of(signals, records_folder=str(tmp_path)).sample(5, "train", 2)
    (file,) = tmp_path.iterdir()
    lines = list(read_lines(file))
    assert [line["key"] for line in lines] == [f"train|5|good|{number}" for number in range(4)]
    assert {(line["training"]["step"], line["training"]["stage"]) for line in lines} == {(5, 3)}
    assert [line["training"]["reward"] for line in lines] == MIXED and lines[0]["verdict"]["reason"] == "because"
