"""How often Python looks for reference cycles in processes whose start is one long import.

What an import makes stays. Python looks through the newest objects after every 700 that come, and finds nothing to
free: a sixth of the time that verl takes to import. A job on the CPU starts eight such processes on two cores.
Measured, processor seconds of `import verl.experimental.agent_loop.agent_loop`, medians of three in turns: 11.3 as
Python has it, 9.5 after `collect_seldom`, 9.2 without any collection. Left out: all else about memory
(`docs/memory_plan.md`).
"""

from __future__ import annotations

import gc

_OBJECTS = 100_000
"""New containers between two looks at the youngest; what a look would have freed is a few MB."""


def collect_seldom() -> None:
    """Look less often, in this process from now on. Ray calls it first in every worker of a job on the CPU
    (`worker_process_setup_hook`), the command line before its commands import anything heavy."""
    gc.set_threshold(_OBJECTS)
