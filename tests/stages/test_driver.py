"""The driver brings stages to their end from any interruption, and stops at the first thing that is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch
from safetensors.torch import load_file, save_file

from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.state import State

STEPS = 3  # as in conftest

POINTS = (
    "config",
    "start",
    "metrics1",
    "torn_checkpoint2",
    "checkpoint2",
    "metrics2",
    "checkpoint3",
    "metrics3",
    "end",
)


def outcome(world: Any) -> list[tuple[Any, ...]]:
    """What must not depend on interruptions."""
    stages = [State(world.runs).get(stage) for stage in (1, 2)]
    return [
        (stage.stage, stage.steps, stage.weights, stage.began_with, stage.manifest, stage.groups) for stage in stages
    ]


def value_of(policy: str) -> int:
    return int(load_file(Path(policy) / "model.safetensors")["w"][0, 0])


def test_stages_run_in_order_and_each_starts_from_the_policy_of_the_one_before(world: Any) -> None:
    first, second, third = world.drive(1, 3)
    assert world.jobs() == [1, 2, 3]
    assert [value_of(stage.policy) for stage in (first, second, third)] == [STEPS, 2 * STEPS, 3 * STEPS]
    assert second.began_with == first.weights and third.began_with == second.weights
    assert all(stage.seen_in_engine and stage.steps == STEPS for stage in (first, second, third))
    assert [stage.groups for stage in (first, second, third)] == [{1: 4}, {1: 4, 2: 4}, {1: 4, 2: 4, 3: 4}]


def test_steps_are_reported_once_each_and_up_to_the_last(world: Any) -> None:
    world.drive(1, 2)
    assert world.reported == sorted(set(world.reported))
    assert {(1, STEPS, STEPS), (2, STEPS, STEPS)} <= set(world.reported)


def test_overrides_reach_every_stage(world: Any) -> None:
    world.drive(1, 2, ("trainer.total_training_steps=2", "data.train_batch_size=4"))
    for stage in (1, 2):
        [file] = world.run(stage).glob("hydra/*/.hydra/overrides.yaml")
        assert "data.train_batch_size=4" in json.loads(file.read_text())
    assert [value_of(State(world.runs).get(stage).policy) for stage in (1, 2)] == [2, 4]


def test_a_finished_stage_is_not_run_again(world: Any) -> None:
    world.drive(1, 1)
    world.drive(1, 2)
    world.drive(1, 2)
    assert world.jobs() == [1, 2]


def test_a_stage_that_died_anywhere_goes_on_where_it_stopped(make_world: Callable[[str], Any]) -> None:
    undisturbed = make_world("undisturbed")
    undisturbed.drive(1, 2)
    for number, point in enumerate(POINTS):
        world = make_world(point)
        stage = 1 + number % 2
        world.tell(stage, die=point)
        with pytest.raises(StageFailed, match=f"stage {stage} ended with exit code -9"):
            world.drive(1, 2)
        world.drive(1, 2)
        assert outcome(world) == outcome(undisturbed), point
        assert world.jobs().count(stage) == 2


def test_a_driver_that_was_killed_finds_its_job_alive_and_follows_it(world: Any) -> None:
    world.tell(1, wait="metrics1")
    script = (
        "import sys; from pathlib import Path; from r1ci_plugin.stages.driver import *;"
        f"Driver(Plan(1, 1, policy={str(world.policy)!r}), Path({str(world.runs)!r}),"
        f" commands=Commands(main_ppo={list(world.commands().main_ppo)!r})).run()"
    )
    driver = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: any(world.run(1).glob("metrics/*.jsonl")))
    wait_for(lambda: (world.run(1) / "starts.jsonl").exists())
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    threading.Timer(0.3, (world.folder / "go").touch).start()
    world.drive(1, 2)
    assert world.jobs() == [1, 2]
    assert any("still running" in line for line in world.said)


def test_a_driver_that_is_told_to_end_takes_its_job_with_it(world: Any) -> None:
    world.tell(1, wait="metrics1")
    script = (
        "import sys, signal; from pathlib import Path; from r1ci_plugin.stages.driver import *;"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143));"
        f"Driver(Plan(1, 1, policy={str(world.policy)!r}), Path({str(world.runs)!r}),"
        f" commands=Commands(main_ppo={list(world.commands().main_ppo)!r})).run()"
    )
    driver = subprocess.Popen([sys.executable, "-c", script])
    job = world.run(1) / ".job"
    wait_for(lambda: job.exists() and job.read_text() and (world.run(1) / "starts.jsonl").exists())
    driver.terminate()
    assert driver.wait() == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int(job.read_text()), 0)


def test_two_drivers_in_one_folder_are_refused(world: Any) -> None:
    world.tell(1, wait="metrics1")
    other = threading.Thread(target=world.drive, args=(1, 1))
    other.start()
    try:
        wait_for(lambda: (world.run(1) / ".job").exists())
        with pytest.raises(StageFailed, match="another `r1ci stages run` works"):
            world.drive(1, 1)
    finally:
        (world.folder / "go").touch()
        other.join()


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_start_at_another_step_is_found(world: Any) -> None:
    world.tell(2, say={"step": 40})
    with pytest.raises(StageFailed, match="stage 2 began at step 40, not at step 0"):
        world.drive(1, 2)
    assert State(world.runs).get(1) and not State(world.runs).get(2)


def test_a_folder_with_a_checkpoint_of_another_run_is_found(world: Any) -> None:
    """The trap in verl: it goes on from whatever checkpoint lies in the folder."""
    world.drive(1, 1)
    os.makedirs(world.runs / "r1ci_stage2")
    (world.run(1) / "global_step_2").rename(world.run(2) / "global_step_2")
    (world.run(2) / "latest_checkpointed_iteration.txt").write_text("2")
    with pytest.raises(StageFailed, match="stage 2 began at step 2, not at step 0"):
        world.drive(1, 2)


def test_other_weights_than_those_of_the_stage_before_are_found(world: Any) -> None:
    world.tell(2, say={"weights": "0" * 64})
    with pytest.raises(StageFailed, match="stage 2 began with the weights 0000000000000000"):
        world.drive(1, 2)


def test_a_job_that_began_wrong_is_stopped_at_once(world: Any) -> None:
    world.tell(1, say={"weights": "0" * 64}, wait="start")
    with pytest.raises(StageFailed, match="began with the weights"):
        world.drive(1, 1)
    assert not list(world.run(1).glob("global_step_*"))


@pytest.mark.parametrize(
    "said, found",
    [
        ({"groups": {1: 4, 2: 4}}, "trains on 4 rows of group 1, 4 rows of group 2, but"),
        ({"groups": {}}, "trains on no rows, but"),
        ({"manifest": "0123"}, "trains by the manifest 0123"),
        ({"stage": 3}, "trained stage 3, not 1"),
    ],
)
def test_other_rows_than_those_of_its_groups_are_found(world: Any, said: dict[str, Any], found: str) -> None:
    world.tell(1, say=said)
    with pytest.raises(StageFailed, match=found):
        world.drive(1, 1)


def test_a_stage_that_ended_early_is_an_error_and_goes_on_when_started_again(world: Any) -> None:
    world.tell(1, stop_after=2)
    with pytest.raises(StageFailed, match=r"stage 1 ended at step 2 of 3\. Mend: .* run the same command again"):
        world.drive(1, 1)
    [finished] = world.drive(1, 1)
    assert finished.steps == STEPS


def test_steps_without_an_update_are_found(world: Any) -> None:
    world.tell(1, lose_metrics=[1])
    with pytest.raises(StageFailed, match="no optimizer step in 1 of 3 steps, first 1"):
        world.drive(1, 1)


def test_a_job_may_be_killed_between_its_last_checkpoint_and_the_line_that_tells_of_it(world: Any) -> None:
    world.tell(1, lose_metrics=[STEPS])
    [finished] = world.drive(1, 1)
    assert finished.steps == STEPS


def test_the_error_of_a_job_is_in_the_line_the_driver_ends_with(world: Any) -> None:
    world.tell(1, fail="r1ci: ERROR there is no data at x. Mend: r1ci data build")
    with pytest.raises(StageFailed, match="exit code 1: r1ci: ERROR there is no data at x"):
        world.drive(1, 1)


def test_a_policy_that_was_changed_after_its_stage_is_refused(world: Any) -> None:
    [first] = world.drive(1, 1)
    save_file({"w": torch.zeros(2, 2)}, Path(first.policy) / "model.safetensors")
    with pytest.raises(StageFailed, match="the policy of stage 1 is not the one it ended with"):
        world.drive(1, 2)
    assert world.jobs() == [1]


def test_a_stage_whose_folder_was_moved_away_is_trained_again_and_so_must_be_what_was_built_on_it(world: Any) -> None:
    world.drive(1, 2)
    world.run(1).rename(world.runs / "kept")
    with pytest.raises(StageFailed, match="stage 2 is finished, but it began with another policy"):
        world.drive(1, 2, ("trainer.total_training_steps=2",))
    world.run(2).rename(world.runs / "kept too")
    world.drive(1, 2)
    assert world.jobs() == [1, 2, 1, 2]


def test_a_finished_stage_is_not_taken_for_one_from_another_policy(world: Any) -> None:
    world.drive(1, 1)
    other = world.make_policy("other", 9)
    with pytest.raises(StageFailed, match="stage 1 is finished, but it began with another policy"):
        world.drive(1, 1, policy=str(other))


def test_a_stage_trained_by_hand_is_checked_and_built_upon(world: Any) -> None:
    world.drive(1, 1)
    (world.runs / "stages.json").unlink()
    [second] = world.drive(2, 2)
    assert value_of(second.policy) == 2 * STEPS


def test_a_later_stage_without_the_one_before_is_refused(world: Any) -> None:
    with pytest.raises(StageFailed, match=r"stage 3 starts from the policy of stage 2.*--from 2"):
        world.drive(3, 4)


def test_shards_are_merged_where_the_run_saved_no_folder(world: Any) -> None:
    world.tell(1, save_hf=False)
    first, second = world.drive(1, 2)
    assert (value_of(first.policy), value_of(second.policy)) == (STEPS, 2 * STEPS)


def test_the_reference_may_stay_the_sft_policy(world: Any) -> None:
    world.tell(2, die="metrics2")
    with pytest.raises(StageFailed):
        world.drive(1, 2, reference="sft")
    first, second = world.drive(1, 2, reference="sft")
    assert second.began_with == first.weights and value_of(second.policy) == 2 * STEPS
    overrides = [json.loads(file.read_text()) for file in sorted(world.run(2).glob("hydra/*/.hydra/overrides.yaml"))]
    policy = f"actor_rollout_ref.model.path='{world.policy}'"
    fresh = "actor_rollout_ref.actor.checkpoint.load_contents=[model]"
    assert [(policy in given, fresh in given) for given in overrides] == [(True, True), (True, False)]
    assert not (world.run(2) / "global_step_0" / "data.pt").exists()


def test_a_critic_does_not_go_with_the_sft_policy_as_reference(world: Any) -> None:
    world.drive(1, 1)
    (world.run(1) / "global_step_3" / "critic").mkdir()
    with pytest.raises(StageFailed, match="has a critic"):
        world.drive(1, 2, reference="sft")


def test_potential_is_measured_anew_with_the_policy_a_stage_starts_from(world: Any) -> None:
    world.tell(2, die="start")
    with pytest.raises(StageFailed):
        world.drive(1, 2, remeasure=True)
    first, second = world.drive(1, 2, remeasure=True)
    assert first.groups == {1: 4}
    assert second.groups == {1: 6, 2: 6} and second.manifest != first.manifest
    measured = world.runs / f"remeasured_before_stage2_{first.weights[:8]}"  # another policy, another measurement
    assert (measured / "potential" / "limit").read_text() == "77"  # as in training


def test_what_the_first_manifest_leaves_out_is_not_measured_back_in(world: Any) -> None:
    table = parquet.read_table(world.data / "manifest.parquet")
    groups = [0, 0, *table["group"].to_pylist()[2:]]
    parquet.write_table(table.set_column(1, "group", pa.array(groups)), world.data / "manifest.parquet")
    first, second = world.drive(1, 2, remeasure=True)
    assert first.groups == {1: 3} and second.groups == {1: 5, 2: 5}


@pytest.mark.parametrize(
    "plan, refused",
    [
        ({"overrides": ("actor_rollout_ref.model.path=/x",)}, "use --policy"),
        ({"overrides": ("+recipe=r1ci_stage2",)}, "use --from and --to"),
        ({"overrides": ("trainer.default_local_dir=/x",)}, "R1CI_RUNS"),
        ({"overrides": ("r1ci.manifest=/x",), "remeasure": True}, "--remeasure builds"),
        ({"first": 3, "last": 2}, "there are no stages 3 to 2"),
        ({"first": 2, "policy": "/x"}, "leave --policy out"),
        ({"reference": "other"}, "unknown reference"),
    ],
)
def test_plans_that_contradict_themselves_are_refused_before_anything_starts(
    world: Any, plan: dict[str, Any], refused: str
) -> None:
    with pytest.raises(StageFailed, match=refused):
        world.drive(**plan)
    assert not world.jobs()


def test_a_damaged_state_file_is_said_in_one_line(world: Any) -> None:
    world.drive(1, 1)
    for text in ("{", '{"stages": [{"groups": null, "overrides": []}]}'):
        (world.runs / "stages.json").write_text(text)
        with pytest.raises(StageFailed, match="is damaged"):
            world.drive(1, 1)
