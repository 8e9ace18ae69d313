"""The embedded back end: verl's platform, training engine and rollout engine for a machine without accelerator.

`platform.py` is loaded by `import verl` (through the plugin) on such a machine; `register()` opens the other doors in
processes that train or run trajectories. Left out: choosing the back end (`r1ci_plugin/backend.py`).
"""

from __future__ import annotations


def register() -> None:
    """Register the FSDP engine for device cpu and the rollout engine `r1ci_cpu` with verl. May be called twice."""
    from r1ci_plugin.rollout.cpu import engine, replica

    engine.register()
    replica.register()
