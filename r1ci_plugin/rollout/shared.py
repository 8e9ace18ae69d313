"""What all trajectories of a worker process share: settings, executor, and the codec of the policy's tokenizer.

verl makes a new agent loop for every trajectory, so what is costly to make lives here, keyed by its settings.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from r1ci_plugin.codec import TokenizerCodec, end_tokens
from r1ci_plugin.config import ExecutorSettings, R1CISettings, settings_from
from r1ci_plugin.interpreter.executor import Executor
from r1ci_plugin.interpreter.settings import make_executor

_settings: dict[int, tuple[Any, R1CISettings]] = {}
_executors: dict[ExecutorSettings, Executor] = {}
_starts: list[asyncio.Task[None]] = []  # asyncio itself keeps tasks by weak references only
_codecs: dict[int, tuple[Any, TokenizerCodec]] = {}


@cache
def freeze_imports() -> None:
    """Let the garbage collector leave alone what the process holds by its first trajectory: modules live as long as it
    does, and walking them takes a third of a second in which no trajectory goes on."""
    gc.freeze()


def settings_for(config: Any) -> R1CISettings:
    """The settings of a config, which must not change any more. Raises as `settings_from` does."""
    known = _settings.get(id(config))
    if known is None or known[0] is not config:
        known = _settings[id(config)] = (config, settings_from(config))
    return known[1]


def executor_for(settings: ExecutorSettings) -> Executor:
    """The process's executor of these settings. In an event loop it starts at once, while the first tokens are sampled,
    else on first use; it ends with the process."""
    if settings not in _executors:
        executor = _executors[settings] = make_executor(settings)
        with suppress(RuntimeError):
            _starts.append(asyncio.get_running_loop().create_task(_start(executor)))
    return _executors[settings]


async def _start(executor: Executor) -> None:
    with suppress(Exception):  # the first code call tries again, and says what is wrong
        await executor.start()


def codec_for(tokenizer: Any, model_path: Callable[[], str]) -> TokenizerCodec:
    """The codec of a tokenizer, whose turns also end at the end-of-text tokens of the model's configs.

    model_path: asked on first use only; to look into a config costs as much as a turn's parsing.
    """
    known = _codecs.get(id(tokenizer))
    if known is None or known[0] is not tokenizer:
        more = end_tokens(*_saved_configs(model_path()))
        known = _codecs[id(tokenizer)] = (tokenizer, TokenizerCodec(tokenizer, more))
    return known[1]


def _saved_configs(model_path: str) -> Iterator[Any]:
    """Generation config and model config, as far as the policy has them: the engine reads the same files."""
    from transformers import AutoConfig, GenerationConfig

    for kind in (GenerationConfig, AutoConfig):
        with suppress(OSError, ValueError):  # not there, or of a class that only its own code knows
            yield kind.from_pretrained(model_path)
