"""From the text of a trajectory to a policy's tokens: the same ids and the same mask that a rollout would have left.

The state machine of the rollout (`trajectory.py`) is fed with what was said, turn by turn, as if the policy had sampled
it, and with the results that running the code gave. So there is no second way to render a trajectory, and no chat
template touches what the policy is to learn. Left out: reading sets (`dataset.py`), training (verl).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from r1ci_plugin.codec import Codec
from r1ci_plugin.config import Limits
from r1ci_plugin.interpreter.executor import ExecResult
from r1ci_plugin.protocol import parse_turn
from r1ci_plugin.trajectory import Generate, Interaction, Trajectory

T = TypeVar("T")
UNBOUNDED = 1 << 30


def replay(
    turns: Sequence[str],
    results: Sequence[ExecResult],
    codec: Codec,
    prompt_ids: Sequence[int],
    limits: Limits,
    *,
    eos_id: int | None,
    context_tokens: int = UNBOUNDED,
) -> Trajectory:
    """The trajectory in tokens, cut where a rollout with a context of `context_tokens` would have been cut.

    turns: what was said, without end-of-text tokens. results: of the code calls, in order. eos_id: ends a turn without
    a code call, as in a sampled one; None for a codec without such a token. The prompt must leave room for a token,
    and the turns must end in one without a code call or in one call too many, else ValueError.
    """
    interaction = Interaction(codec, prompt_ids, limits, response_tokens=UNBOUNDED, context_tokens=context_tokens)
    said, given = iter(turns), iter(results)
    command = interaction.start()
    while interaction.trajectory.outcome is None:
        if isinstance(command, Generate):
            command = interaction.sampled(_spoken(_next(said, "turns"), codec, eos_id), None)
        else:
            command = interaction.executed(_next(given, "results"))
    if interaction.trajectory.outcome == "lost":
        raise ValueError(f"the trajectory cannot be replayed: {interaction.trajectory.reason}")
    return interaction.trajectory


def replay_trajectory(
    trajectory: Trajectory,
    codec: Codec,
    prompt_ids: Sequence[int],
    limits: Limits,
    *,
    eos_id: int | None,
    context_tokens: int = UNBOUNDED,
) -> Trajectory:
    """A recorded trajectory of any policy or transport in the tokens of another. Raises ValueError for one that was
    lost or cut off: what its policy would have said next is unknown.
    """
    if trajectory.outcome in (None, "lost", "length"):
        raise ValueError(f"a trajectory that ended with {trajectory.outcome!r} has no end to learn")
    results = [call.result for call in trajectory.calls if call.result is not None]
    turns = [turn.text for turn in trajectory.turns]
    return replay(turns, results, codec, prompt_ids, limits, eos_id=eos_id, context_tokens=context_tokens)


def _spoken(text: str, codec: Codec, eos_id: int | None) -> list[int]:
    ids = codec.encode(text)
    return ids if eos_id is None or parse_turn(text).code is not None else [*ids, eos_id]


def _next(items: Iterator[T], what: str) -> T:
    try:
        return next(items)
    except StopIteration:
        raise ValueError(f"the trajectory has too few {what}") from None
