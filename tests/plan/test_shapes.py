"""The tables of models agree with transformers' own models, built without memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from r1ci_plugin import recipe_files
from r1ci_plugin.plan.shapes import MODELS, ModelShape, UnknownModel, from_config, shape_of

torch = pytest.importorskip("torch")


def config_of(shape: ModelShape) -> Any:
    """transformers' configuration of these sizes."""
    from transformers import Qwen2Config, Qwen3Config

    kind = Qwen3Config if shape.qk_norm else Qwen2Config
    sizes = {} if not shape.qk_norm else {"head_dim": shape.head_dim}
    return kind(
        num_hidden_layers=shape.layers,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        vocab_size=shape.vocab,
        tie_word_embeddings=shape.tied,
        max_position_embeddings=shape.positions,
        **sizes,
    )


def built(config: Any) -> Any:
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize("name, stated", zip(MODELS, (3.09, 7.61, 14.7, 4.0), strict=True))
def test_parameters_are_those_of_the_real_architecture(name: str, stated: float) -> None:
    shape = MODELS[name]
    model = built(config_of(shape))
    assert shape.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert shape.layer == sum(parameter.numel() for parameter in model.model.layers[0].parameters())
    assert shape.parameters / 1e9 == pytest.approx(stated, rel=0.01)  # what the model's card says


@pytest.mark.parametrize("name", MODELS)
def test_sizes_are_read_back_from_a_config_of_theirs(name: str) -> None:
    assert from_config(config_of(MODELS[name]).to_dict()) == MODELS[name]


def test_every_model_of_the_recipes_is_known() -> None:
    for file in (recipe_files.recipes_folder() / "r1ci_model").glob("*.yaml"):
        path = recipe_files.load_recipe(file)["actor_rollout_ref"]["model"]["path"]
        assert shape_of(path).layers > 0, file


def test_the_seed_policy_is_counted_from_its_own_config() -> None:
    from transformers import AutoConfig

    folder = recipe_files.place("seed_policy")
    model = built(AutoConfig.from_pretrained(folder))
    assert shape_of(folder).parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("content", ['{"model_type": "mixtral"}', '{"model_type": "qwen2"}', "no json"])
def test_models_that_are_not_planned_are_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UnknownModel, match=str(tmp_path)):
        shape_of(str(tmp_path))
    with pytest.raises(UnknownModel, match="nobody/nothing"):
        shape_of("nobody/nothing")


def test_a_folder_goes_before_the_table(tmp_path: Path) -> None:
    config = config_of(MODELS["Qwen/Qwen2.5-3B-Instruct"]).to_dict()
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 2}, default=str))
    assert shape_of(str(tmp_path)).layers == 2
