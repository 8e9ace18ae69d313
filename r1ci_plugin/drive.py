"""The loop that connects a trajectory's state machine to something that samples and something that runs code.

Rollouts of training, evaluation and the seed policy's own measuring all go through it. Pure asyncio: engines and
executors come in as coroutines. Left out: deciding anything (`trajectory.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.trajectory import Finish, Generate, Interaction, Trajectory

Sampled = tuple[Sequence[int], Sequence[float] | None] | tuple[Sequence[int], Sequence[float] | None, bool]
"""Sampled token ids; their log-probs, None where the engine has none; whether a budget of its own cut them off."""

Sampler = Callable[[list[int], Generate], Awaitable[Sampled]]
"""Continues the token ids as the command says."""

Runner = Callable[[str], Awaitable[ExecResult]]
"""Runs a code call; never raises."""


async def drive(interaction: Interaction, sample: Sampler, run: Runner) -> Trajectory:
    """Take a trajectory from its prompt to its outcome. Whatever `sample` raises is raised."""
    command = interaction.start()
    while not isinstance(command, Finish):
        if isinstance(command, Generate):
            command = interaction.sampled(*await sample(interaction.token_ids, command))
        else:
            command = interaction.executed(await run(command.code))
    return interaction.trajectory
