"""The digest of a policy is the same in a file and in an engine, and differs where a policy differs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from r1ci_plugin.weights import NoWeights, digest, folder_digest

STATE = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4), "c": torch.zeros(4)}


def of(state: dict[str, torch.Tensor]) -> str:
    return digest(state.items())


def test_a_folder_in_bfloat16_with_shards_is_the_engine_in_float32_with_tied_names(tmp_path: Path) -> None:
    half = {name: tensor.bfloat16() for name, tensor in STATE.items()}
    save_file({"a": half["a"]}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": half["b"], "c": half["c"]}, tmp_path / "model-00002-of-00002.safetensors")
    engine = {"Zc": STATE["c"], **STATE}  # tied, under a name that sorts before
    assert folder_digest(tmp_path) == of(engine) == of(dict(reversed(STATE.items())))


@given(st.sampled_from(sorted(STATE)), st.floats(-2, 2, width=32).filter(bool), st.data())
def test_any_changed_number_changes_the_digest(name: str, change: float, data: st.DataObject) -> None:
    tensor = STATE[name].clone()
    place = data.draw(st.integers(0, tensor.numel() - 1))
    tensor.view(-1)[place] += change
    if not torch.equal(tensor, STATE[name]):
        assert of({**STATE, name: tensor}) != of(STATE)


@pytest.mark.parametrize(
    "other",
    [
        {"a": STATE["a"].reshape(3, 2)},
        {"b": STATE["c"], "c": STATE["b"]},
        {"d": torch.zeros(1)},
    ],
)
def test_shapes_swapped_tensors_and_further_ones_count(other: dict[str, torch.Tensor]) -> None:
    assert of({**STATE, **other}) != of(STATE)


def test_a_folder_without_readable_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoWeights, match="holds no"):
        folder_digest(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not at all")
    with pytest.raises(NoWeights, match="cannot be read"):
        folder_digest(tmp_path)
