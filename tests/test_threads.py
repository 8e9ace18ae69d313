"""How many threads a forward pass takes: few tokens are not worth waking threads that sleep."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SMALL_AND_LARGE = """
import json, torch
from r1ci_plugin.threads import take_threads
taken = []
for tokens in (1, 63, 64, 4096):
    take_threads(tokens, 2)
    taken.append(torch.get_num_threads())
print(json.dumps(taken))
"""
ASKED_IN_TIME = "from r1ci_plugin.threads import sleep_while_waiting\nsleep_while_waiting()\n"
ASKED_TOO_LATE = "import torch\n" + ASKED_IN_TIME


def threads_of(code: str, policy: str | None = None) -> list[int]:
    """What a fresh process takes: OpenMP reads its environment once."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "OMP_NUM_THREADS")
    }
    environment |= {"OMP_WAIT_POLICY": policy} if policy else {}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    found: list[int] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("code", "policy", "threads"),
    [
        (SMALL_AND_LARGE, None, [2, 2, 2, 2]),
        (SMALL_AND_LARGE, "ACTIVE", [2, 2, 2, 2]),
        (SMALL_AND_LARGE, "passive", [1, 1, 2, 2]),
        (ASKED_IN_TIME + SMALL_AND_LARGE, None, [1, 1, 2, 2]),
        (ASKED_IN_TIME + SMALL_AND_LARGE, "ACTIVE", [2, 2, 2, 2]),
        (ASKED_TOO_LATE + SMALL_AND_LARGE, None, [2, 2, 2, 2]),
    ],
    ids=[
        "nobody asked",
        "asked to spin",
        "told by the environment",
        "asked",
        "the environment stays",
        "asked too late",
    ],
)
def test_a_small_pass_takes_one_thread_only_where_threads_sleep(
    code: str, policy: str | None, threads: list[int]
) -> None:
    assert threads_of(code, policy) == threads


def test_one_thread_gives_the_caller_its_number_back_also_after_an_error() -> None:
    import torch

    from r1ci_plugin.threads import one_thread

    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="bad"), one_thread():
        assert torch.get_num_threads() == 1
        raise ValueError("bad")
    assert torch.get_num_threads() == before


MADE = """
import os, torch
from transformers import LlamaConfig, LlamaForCausalLM
from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine
from r1ci_plugin.threads import one_thread
torch.set_num_threads(2)
config = LlamaConfig(vocab_size=64, hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4)
with one_thread():
    policy = LlamaForCausalLM(config)
before = len(os.listdir("/proc/self/task"))
engine = EmbeddedEngine(policy, max_model_len=1024, max_num_seqs=8)
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted by Linux")
def test_making_an_engine_leaves_no_thread_behind_but_its_own() -> None:
    environment = {**os.environ, "R1CI_BACKEND": "cpu"}
    done = subprocess.run([sys.executable, "-c", MADE], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "1"
