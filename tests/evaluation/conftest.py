"""What tests of evaluation share: questions with known answers, a fake provider, and a workplace around it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from r1ci_plugin.tasks import Question, get_task

TASKS = ("reasoning_gym/chain_sum", "symbench/letters", "bbh/word_sorting")


@pytest.fixture(scope="session")
def provider_module() -> ModuleType:
    """tests/evaluation/provider.py, which is also run as a script."""
    spec = importlib.util.spec_from_file_location("r1ci_test_provider", Path(__file__).parent / "provider.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def questions() -> list[Question]:
    """Twelve questions of three tasks."""
    return [get_task(name).make(seed, 1) for name in TASKS for seed in range(4)]


@pytest.fixture(scope="session")
def answers(questions: list[Question]) -> dict[str, str]:
    """Prompt to right answer."""
    return {question.prompt: get_task(question.task).solve(question) for question in questions}


@pytest.fixture
def provider(provider_module: ModuleType, answers: dict[str, str]) -> Callable[..., Any]:
    """Makes a provider that knows the answers; `faults` come first; `brain` replaces what it says."""

    def make(*faults: str, brain: Any = None, codec: Any = None) -> Any:
        return provider_module.Provider(brain or provider_module.scripted(answers), faults, codec)

    return make
