"""The `r1ci:` section of a recipe: typed values, and one clear line for what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from r1ci_plugin.config import Limits, R1CISettings, settings_from


@pytest.mark.parametrize("config", [None, {}, {"r1ci": None}, {"r1ci": {}}, {"r1ci": {"interaction": None}}])
def test_without_a_section_the_defaults_hold(config: Any) -> None:
    assert settings_from(config) == R1CISettings()


def test_a_partial_section_changes_only_what_it_names() -> None:
    settings = settings_from({"r1ci": {"stage": 2, "interaction": {"max_code_calls": 3, "code_timeout_s": 5}}})
    assert settings == R1CISettings(stage=2, interaction=Limits(max_code_calls=3, code_timeout_s=5.0))


def test_lists_become_tuples_and_missing_values_stay_missing() -> None:
    settings = settings_from({"r1ci": {"manifest": None, "executor": {"endpoints": ["http://a", "http://b"]}}})
    assert settings.executor.endpoints == ("http://a", "http://b") and settings.manifest is None


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"stge": 1}, r"unknown setting r1ci\.stge.*stage"),
        ({"interaction": {"max_calls": 1}}, r"unknown setting r1ci\.interaction\.max_calls.*max_code_calls"),
        ({"interaction": 5}, r"r1ci\.interaction must be a section"),
        ({"interaction": {"max_code_calls": "eight"}}, r"r1ci\.interaction\.max_code_calls must be int, not 'eight'"),
        ({"interaction": {"max_code_calls": True}}, r"r1ci\.interaction\.max_code_calls must be int, not True"),
        ({"executor": {"endpoints": "http://a"}}, r"r1ci\.executor\.endpoints must be tuple, not 'http://a'"),
        ({"manifest": 3}, r"r1ci\.manifest must be str or NoneType, not 3"),
        ({"records": {"share": 1.5}}, r"r1ci\.records needs 0 <= share <= 1"),
        ({"interaction": {"result_max_tokens": 0}}, r"r1ci\.interaction must be positive"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(section: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        settings_from({"r1ci": section})
