"""The CPU platform: taken where it should be, never on a machine with an accelerator that was not asked for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PREPARE = """
import json, os, sys, torch, torch.distributed
before = torch.distributed.init_process_group
import verl
import r1ci_plugin.plugin as plugin
from verl.plugin.platform import PlatformRegistry
from verl.plugin.platform.platform_manager import _detect_platform_name

def load_and_report():
    # As plugin.py does where the choice is cpu; here on any machine, to see that loading alone takes nothing.
    sys.modules.pop("r1ci_plugin.rollout.cpu.platform", None)
    plugin.backend.choose.cache_clear()
    plugin._register_platform()
    print(json.dumps({
        "chosen": _detect_platform_name(),
        "registered": "cpu" in PlatformRegistry.registered_names(),
        "shimmed": torch.distributed.init_process_group is not before,
        "environment": os.environ.get("VERL_PLATFORM"),
    }))
"""
ON_A_CPU_MACHINE = """
load_and_report()
from verl.utils.distributed import initialize_global_process_group_ray
from verl.utils.device import get_torch_device
initialize_global_process_group_ray()
total = torch.ones(2)
torch.distributed.all_reduce(total)
assert total.tolist() == [1, 1]
device = get_torch_device()
device.empty_cache(), device.synchronize(), device.set_device(0)
assert device.max_memory_allocated() > 1e6
free, all_of_it = device.mem_get_info()
assert 0 < free <= all_of_it
"""
IN_A_CRITICS_PROCESS = """
from verl.utils.distributed import initialize_global_process_group_ray
from verl.workers.engine import EngineRegistry
load_and_report()
initialize_global_process_group_ray()
assert EngineRegistry.get_engine_cls("value_model", "fsdp2").__name__ == "CPUCritic"
"""
ON_A_CUDA_MACHINE = """
load_and_report()
os.environ["R1CI_BACKEND"] = "cpu"
load_and_report()
"""
FAKE_CUDA = """
import torch
torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 1
torch.version.cuda = "13.0"
"""
TAKEN = {"chosen": "cpu", "registered": True, "shimmed": True, "environment": "cpu"}


def reports(code: str, **environment: str) -> list[dict[str, object]]:
    """What a fresh process reports: verl settles its platform once a process."""
    names = ("R1CI_BACKEND", "VERL_PLATFORM", "RAY_ADDRESS", "OMP_WAIT_POLICY")
    clean = {name: value for name, value in os.environ.items() if name not in names}
    root = str(Path(__file__).parents[3])
    env = {**clean, "PYTHONPATH": root, "RAY_TMPDIR": "/nonexistent", **environment}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_machine_without_accelerator_gets_the_cpu_platform_and_its_process_groups(tmp_path: Path) -> None:
    group = {"RANK": "0", "WORLD_SIZE": "1", "DIST_INIT_METHOD": f"file://{tmp_path}/rendezvous"}
    assert reports(PREPARE + ON_A_CPU_MACHINE, **group) == [TAKEN]


def test_a_critic_finds_its_engine_though_nothing_imports_our_library_in_its_process(tmp_path: Path) -> None:
    group = {"RANK": "0", "WORLD_SIZE": "1", "DIST_INIT_METHOD": f"file://{tmp_path}/rendezvous"}
    assert reports(PREPARE + IN_A_CRITICS_PROCESS, **group) == [TAKEN]


def test_a_cuda_machine_keeps_its_platform_until_asked_for_the_cpu() -> None:
    unasked, asked = reports(FAKE_CUDA + PREPARE + ON_A_CUDA_MACHINE)
    assert unasked["chosen"] != "cpu"
    assert (unasked["shimmed"], unasked["environment"]) == (False, None)
    assert asked == TAKEN


@pytest.mark.parametrize("strategy", ["fsdp", "fsdp2"])
def test_the_training_engine_for_cpu_is_ours(strategy: str) -> None:
    from verl.workers.engine.base import EngineRegistry

    from r1ci_plugin.rollout import cpu
    from r1ci_plugin.rollout.cpu.engine import CPUCritic, CPUEngine

    cpu.register()
    cpu.register()
    assert EngineRegistry._engines["language_model"][strategy]["cpu"] is CPUEngine
    assert EngineRegistry._engines["value_model"][strategy]["cpu"] is CPUCritic
