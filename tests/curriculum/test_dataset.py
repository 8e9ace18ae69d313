"""The training data follows the curriculum, the validation data stays plain, and a checkpoint goes on exactly."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from omegaconf import OmegaConf

from r1ci_plugin.curriculum.dataset import CurriculumDataset, training_dataset
from r1ci_plugin.curriculum.manifest import ManifestError
from r1ci_plugin.protocol import PROTOCOL
from r1ci_plugin.seed_policy.tokenizer import build_tokenizer

TOKENIZER = build_tokenizer([["Question"]])


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


def make(folder: Path, *, stage: int = 1, groups: list[int] | None = None, count: int = 12, seed: int = 0) -> Any:
    train = write_rows(folder / "train.parquet", count)
    validation = write_rows(folder / "validation.parquet", 5)
    manifest = write_manifest(folder / "manifest.parquet", groups) if groups else None
    config = OmegaConf.create(
        {
            "train_files": train,
            "val_files": validation,
            "cache_dir": str(folder / "cache"),
            "filter_overlong_prompts": False,
            "r1ci": {"stage": stage, "manifest": manifest, "curriculum": {"seed": seed}},
        }
    )
    return CurriculumDataset(train, TOKENIZER, config), CurriculumDataset(validation, TOKENIZER, config)


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
