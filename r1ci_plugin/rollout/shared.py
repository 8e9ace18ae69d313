"""What all trajectories of a worker process share: the executor and the codec of the policy's tokenizer.

verl makes a new agent loop for every trajectory, so what is costly to make lives here, keyed by its settings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from r1ci_plugin.codec import TokenizerCodec
from r1ci_plugin.config import ExecutorSettings
from r1ci_plugin.interpreter.executor import Executor
from r1ci_plugin.interpreter.local.cores import available_cores
from r1ci_plugin.interpreter.settings import make_executor

_executors: dict[ExecutorSettings, Executor] = {}
_codecs: dict[int, tuple[Any, TokenizerCodec]] = {}


def executor_for(settings: ExecutorSettings, workers: int = 1) -> Executor:
    """The process's executor of these settings; it starts on first use and ends with the process.

    workers: agent loop workers of the job. verl deals them out over the nodes; those of a node share its cores, where
    the settings name no number of slots.
    """
    if settings not in _executors:
        slots = settings.slots
        if settings.kind == "local" and slots is None:
            slots = slots_of_a_worker(available_cores(), workers, _nodes())
        _executors[settings] = make_executor(replace(settings, slots=slots))
    return _executors[settings]


def slots_of_a_worker(cores: int, workers: int, nodes: int) -> int:
    """What each of a node's workers may take of its cores, at least 1."""
    on_a_node = -(-workers // nodes)
    return max(1, cores // on_a_node)


def _nodes() -> int:
    """Nodes that verl places agent loop workers on (verl/experimental/agent_loop/agent_loop.py)."""
    import ray

    if not ray.is_initialized():
        return 1
    return max(1, len([node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) > 0]))


def codec_for(tokenizer: Any, model_path: str) -> TokenizerCodec:
    """The codec of a tokenizer, whose turns also end at the end-of-text tokens of the model's generation config."""
    known = _codecs.get(id(tokenizer))
    if known is None or known[0] is not tokenizer:
        known = _codecs[id(tokenizer)] = (tokenizer, TokenizerCodec(tokenizer, _generation_eos(model_path)))
    return known[1]


def _generation_eos(model_path: str) -> list[int]:
    from transformers import GenerationConfig

    try:
        eos = GenerationConfig.from_pretrained(model_path).eos_token_id
    except OSError:  # a policy without generation config: the tokenizer's own end-of-text token it is
        return []
    return [] if eos is None else [eos] if isinstance(eos, int) else list(eos)
