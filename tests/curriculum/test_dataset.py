"""The training data follows the curriculum, the validation data stays plain, and a checkpoint goes on exactly."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from omegaconf import OmegaConf

from r1ci_plugin.curriculum.dataset import CurriculumDataset, training_dataset
from r1ci_plugin.curriculum.history import read_history
from r1ci_plugin.curriculum.manifest import ManifestError
from r1ci_plugin.curriculum.metrics import Sample
from r1ci_plugin.leftovers import MARK
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.reward.manager import EXTRA_KEYS
from r1ci_plugin.seed_policy.tokenizer import build_tokenizer
from r1ci_plugin.trajectory import Trajectory

TOKENIZER = build_tokenizer([["Question"]])
FACTS = {**Trajectory([1], outcome="answered").facts(), "wall_s": 4.0, "generate_s": 2.0, "execute_s": 1.0}


def write_rows(path: Path, count: int, protocol: str = PROTOCOL) -> str:
    rows = [
        {
            "data_source": "bbh/navigate",
            "prompt": [{"role": "user", "content": f"Question {index}"}],
            "extra_info": {"index": index, "question_id": f"{path.stem}-{index}", "protocol": protocol},
        }
        for index in range(count)
    ]
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return str(path)


def write_manifest(path: Path, groups: list[int]) -> str:
    ids = [f"train-{index}" for index in range(len(groups))]
    parquet.write_table(pa.table({"question_id": ids, "group": groups}), path)
    return str(path)


def make(folder: Path, *, stage: int = 1, groups: list[int] | None = None, count: int = 12, **curriculum: Any) -> Any:
    train = write_rows(folder / "train.parquet", count)
    validation = write_rows(folder / "validation.parquet", 5)
    manifest = write_manifest(folder / "manifest.parquet", groups) if groups else None
    config = OmegaConf.create(
        {
            "train_files": train,
            "val_files": validation,
            "cache_dir": str(folder / "cache"),
            "filter_overlong_prompts": False,
            "r1ci": {"stage": stage, "manifest": manifest, "curriculum": curriculum},
        }
    )
    return CurriculumDataset(train, TOKENIZER, config), CurriculumDataset(validation, TOKENIZER, config)


def test_a_loader_with_processes_of_its_own_is_refused(tmp_path: Path) -> None:
    """verl's default: each process would draw from a copy of the sampler, most questions never."""
    training, _ = make(tmp_path)
    config = OmegaConf.merge(training.config, {"dataloader_num_workers": 8})
    with pytest.raises(ValueError, match=r"data\.dataloader_num_workers=0"):
        CurriculumDataset(training.original_data_files, TOKENIZER, config)


def names(dataset: Any, count: int) -> list[str]:
    return [dataset[position]["extra_info"]["question_id"] for position in range(count)]


def test_training_is_shuffled_and_validation_in_order(tmp_path: Path) -> None:
    train, validation = make(tmp_path)
    drawn = names(train, 12)
    assert sorted(drawn) == sorted(f"train-{index}" for index in range(12)) and drawn != sorted(drawn)
    assert names(validation, 5) == [f"validation-{index}" for index in range(5)]
    assert training_dataset() is train


def test_a_stage_sees_its_groups_only(tmp_path: Path) -> None:
    train, _ = make(tmp_path, stage=2, groups=[1, 2, 3, 4] * 3)
    assert len(train.sampler) == 6
    assert set(names(train, 12)) == {f"train-{index}" for index in range(12) if index % 4 in (0, 1)}


def test_a_restart_goes_on_with_the_same_questions(tmp_path: Path) -> None:
    undisturbed, _ = make(tmp_path)
    expected = names(undisturbed, 40)
    first, _ = make(tmp_path)
    drawn = names(first, 17)
    first.ledger.record([("train-3", 1.0)])
    second, _ = make(tmp_path)
    second.load_state_dict(first.state_dict())
    assert drawn + names(second, 23) == expected
    assert second.ledger.counts("train-3") == (1, 1)


def test_a_checkpoint_of_other_questions_is_refused_with_both_hashes(tmp_path: Path) -> None:
    first, _ = make(tmp_path, stage=1, groups=[1, 2] * 6)
    second, _ = make(tmp_path, stage=2, groups=[1, 2] * 6)
    with pytest.raises(ValueError, match=rf"{first.digest}.*{second.digest}"):
        second.load_state_dict(first.state_dict())


def test_a_changed_manifest_under_an_old_checkpoint_is_refused_with_both_hashes(tmp_path: Path) -> None:
    first, _ = make(tmp_path, groups=[1, 2] * 6)
    state = first.state_dict()
    changed, _ = make(tmp_path, groups=[1, 1, *[1, 2] * 5])
    old, new = first.manifest.digest, changed.manifest.digest
    assert old != new
    with pytest.raises(ValueError, match=rf"manifest {old}, this run has {new}"):
        changed.load_state_dict(state)


def sample(number: int, acc: float) -> Sample:
    extra = {**dict.fromkeys(EXTRA_KEYS, 0.0), "acc": acc}
    return Sample(f"uid{number}", f"train-{number}", "bbh/navigate", acc, FACTS, extra)


def test_online_merge_moves_questions_and_a_restart_goes_on_with_the_moved_ones(tmp_path: Path) -> None:
    settings = {"schedule": "online_merge", "recut_steps": 2, "decay": 0.0}

    def run(dataset: Any, steps: range) -> list[str]:
        drawn = []
        for step in steps:
            drawn += names(dataset, 4)
            # the first six questions are solved by now, the others are solved every other time
            judged = [sample(number, float(number < 6 or answer)) for number in range(12) for answer in (0, 1)]
            dataset.end_step(step, judged)
        return drawn

    undisturbed, _ = make(tmp_path, groups=[1] * 12, **settings)
    expected = run(undisturbed, range(1, 9))
    first, _ = make(tmp_path, groups=[1] * 12, **settings)
    drawn = run(first, range(1, 4))
    second, _ = make(tmp_path, groups=[1] * 12, **settings)
    second.load_state_dict(first.state_dict())
    assert drawn + run(second, range(4, 9)) == expected
    assert set(expected[8:]) == {f"train-{number}" for number in range(6, 12)}  # from the first cut on
    assert undisturbed.group("train-0") == 4 and undisturbed.group("train-6") == 1


def test_a_step_tells_where_the_curriculum_stands_and_writes_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, str(tmp_path / "run"))
    dataset, _ = make(tmp_path, stage=2, groups=[1, 2, 3] * 4)
    metrics = dataset.end_step(5, [sample(0, 1.0), sample(0, 0.0), sample(1, 1.0)], filtered=[sample(3, 0.0)])
    assert metrics["r1ci/curriculum/stage"] == 2
    assert metrics["r1ci/curriculum/questions"] == 8 and metrics["r1ci/curriculum/unseen"] == 5
    assert metrics["r1ci/curriculum/group_1/share"] == pytest.approx(2 / 3)
    assert metrics["r1ci/curriculum/group_1/acc"] == pytest.approx(1 / 3)  # filtered answers count
    assert metrics["r1ci/curriculum/gate_acceptance"] == pytest.approx(2 / 3)
    assert metrics["r1ci/curriculum/manifest"] == int(dataset.manifest.digest[:8], 16)
    lines = list(read_history(tmp_path / "run" / "ledger.jsonl"))
    assert [(line["question_id"], line["n"], line["right"], line["trained"]) for line in lines] == [
        ("train-0", 2, 1, True),
        ("train-1", 1, 1, True),
        ("train-3", 1, 0, False),
    ]
    assert {line["step"] for line in lines} == {5} and lines[0]["group"] == 1


def test_a_question_that_is_in_the_data_twice_is_drawn_once_an_epoch(tmp_path: Path) -> None:
    rows = parquet.read_table(write_rows(tmp_path / "train.parquet", 6))
    parquet.write_table(pa.concat_tables([rows, rows.slice(2, 2)]), tmp_path / "train.parquet")
    config = OmegaConf.create(
        {
            "train_files": str(tmp_path / "train.parquet"),
            "val_files": "",
            "cache_dir": str(tmp_path / "cache"),
            "filter_overlong_prompts": False,
        }
    )
    dataset = CurriculumDataset(str(tmp_path / "train.parquet"), TOKENIZER, config)
    assert len(dataset) == 8
    assert sorted(names(dataset, 6)) == [f"train-{index}" for index in range(6)]


def test_a_question_missing_from_the_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="train-3"):
        make(tmp_path, groups=[1, 1, 1], count=4)


def test_data_of_another_protocol_is_refused_with_the_remedy(tmp_path: Path) -> None:
    old = write_rows(tmp_path / "old.parquet", 2, protocol="r1ci/0")
    config = OmegaConf.create(
        {"train_files": old, "val_files": old, "cache_dir": str(tmp_path), "filter_overlong_prompts": False}
    )
    with pytest.raises(ValueError, match="r1ci data build"):
        CurriculumDataset(old, TOKENIZER, config)


def test_prompts_that_are_all_too_long_are_an_error_that_names_the_limit(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "train.parquet", 2)
    config = OmegaConf.create(
        {
            "train_files": rows,
            "val_files": rows,
            "cache_dir": str(tmp_path),
            "max_prompt_length": 2,
            "filter_overlong_prompts_workers": 1,
        }
    )
    with pytest.raises(ValueError, match="max_prompt_length=2"):
        CurriculumDataset(rows, TOKENIZER, config)
