"""verl's platform for machines without accelerator, and the one shim it needs.

Loaded by `import verl` through the plugin when the chosen back end is `cpu`, so it imports torch, as verl has already
done, and nothing else that takes time. Loading it registers the platform; `activate` runs only if the CPU is chosen.

verl asks Ray for GPUs in places that cannot be configured, so each worker takes one *logical* GPU slot
(`ray_kwargs.ray_init.num_gpus` in the recipe). Left out: choosing (`r1ci_plugin/backend.py`), the engines.
"""

from __future__ import annotations

import functools
import os
import resource
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry

from r1ci_plugin import backend
from r1ci_plugin.threads import sleep_while_waiting

NAME = "cpu"


def _nothing(*args: Any, **kwargs: Any) -> None:
    """For operations that a CPU has no use for."""


def _peak_memory(*args: Any, **kwargs: Any) -> int:
    """Bytes of this process's largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _memory_info(*args: Any, **kwargs: Any) -> tuple[int, int]:
    """Free and total bytes of the machine."""
    page = os.sysconf("SC_PAGE_SIZE")
    return os.sysconf("SC_AVPHYS_PAGES") * page, os.sysconf("SC_PHYS_PAGES") * page


class _DeviceModule(types.ModuleType):
    """What verl calls on `torch.cuda`, for the CPU; what is not named here is looked up in `torch.cpu`."""

    empty_cache = reset_peak_memory_stats = ipc_collect = staticmethod(_nothing)
    set_device = set_per_process_memory_fraction = staticmethod(_nothing)
    memory_allocated = memory_reserved = staticmethod(_peak_memory)
    max_memory_allocated = max_memory_reserved = staticmethod(_peak_memory)
    mem_get_info = staticmethod(_memory_info)
    manual_seed = manual_seed_all = staticmethod(torch.manual_seed)
    get_rng_state = staticmethod(torch.get_rng_state)
    set_rng_state = staticmethod(torch.set_rng_state)

    @staticmethod
    def get_device_name(*args: Any, **kwargs: Any) -> str:
        return "CPU"  # verl's table of peak FLOPS has this name

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.cpu, name)


_DEVICE_MODULE = _DeviceModule("r1ci_cpu_device")


@PlatformRegistry.register(platform=NAME)
class PlatformCPU(PlatformBase):  # type: ignore[misc]  # verl ships no types
    """verl's view of the CPU: one device, gloo, logical GPU slots in Ray."""

    @property
    def device_name(self) -> str:
        return NAME

    @property
    def vendor_name(self) -> str:
        return NAME

    @property
    def device_module(self) -> types.ModuleType:
        return _DEVICE_MODULE

    def is_available(self) -> bool:
        return True

    def is_platform_available(self, use_smi_check: bool = False) -> bool:
        return backend.choose().backend == NAME

    def current_device(self) -> Any:
        return NAME

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None:
        """There is one."""

    def synchronize(self, device_index: int | None = None) -> None:
        """CPU work is done when its call returns."""

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None:
        """The CPU allocator has none."""

    def empty_cache(self) -> None:
        """The CPU allocator keeps none."""

    def get_device_capability(self, device_index: int = 0) -> tuple[int | None, int | None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None:
        """There is no device profiler."""

    def profiler_stop(self) -> None:
        """There is no device profiler."""

    def ray_resource_name(self) -> str:
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False

    def cudart(self) -> Any:
        return None


def activate() -> None:
    """Make this process, and those it starts, take the CPU platform. May be called twice."""
    os.environ["VERL_PLATFORM"] = NAME
    sleep_while_waiting()  # trainer, rollout engine and interpreter share the processors
    _shim_process_group()


def _shim_process_group() -> None:
    """verl names its backends "cpu:gloo,DEVICE:BACKEND"; where DEVICE is cpu, torch refuses the double entry."""
    import torch.distributed as dist

    original = dist.init_process_group
    if hasattr(original, "_r1ci_shim"):
        return

    @functools.wraps(original)
    def init_process_group(backend: str | None = None, *args: Any, **kwargs: Any) -> Any:
        _register_engines()
        return original("cpu:gloo" if backend == "cpu:gloo,cpu:gloo" else backend, *args, **kwargs)

    init_process_group._r1ci_shim = True  # type: ignore[attr-defined]
    dist.init_process_group = init_process_group


def _register_engines() -> None:
    """A training process begins. verl makes its engine next, and a critic's before anything imports `external_lib`
    there (verl/workers/engine_workers.py)."""
    if "verl.workers.engine" in sys.modules:
        from r1ci_plugin.rollout import cpu

        cpu.register()


if backend.choose().backend == NAME:
    activate()
