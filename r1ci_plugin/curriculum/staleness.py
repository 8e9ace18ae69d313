"""How old the weights were that a training batch was sampled with: metrics under `r1ci/staleness/`. Pure.

A *version* of the weights is numbered by the step that made it: step s trains on version s - 1, and what it leaves
goes to the rollout engine as version s. Trajectories sampled with s - 1 have staleness 0, which is all there is in
verl's trainer mode `sync`; the asynchronous modes sample ahead, and go on with newer weights in the middle of a
trajectory. verl's own `training/off_policy/*` looks at the first and last version of a trajectory; these metrics weigh
tokens, because a trajectory that waited long for code may owe most of its tokens to the newest weights.

Left out: correcting for it (`algorithm.rollout_correction` of verl, set in `recipes/r1ci_mode/`).
"""

from __future__ import annotations

from collections.abc import Sequence

VERSIONS_FIELD = "r1ci_versions"
"""Where the versions travel in the `extra_fields` of verl's agent loop output."""

TurnVersions = tuple[int | None, int | None, int]
"""Of one call of generate: the oldest and the newest version it was sampled with, None from an engine that does not
say, and how many tokens it gave."""


def bounds(turns: Sequence[TurnVersions]) -> tuple[int | None, int | None]:
    """The oldest and the newest version of a trajectory; (None, None) from an engine that does not say."""
    known = [version for turn in turns for version in turn[:2] if version is not None]
    return (min(known), max(known)) if known else (None, None)


def staleness_metrics(trajectories: Sequence[Sequence[TurnVersions]], version: int) -> dict[str, float]:
    """Metrics of the trajectories of a step that trains on `version`; none where the engine does not say.

    verl tells the first and the last version of a turn that went on with newer weights, not where they changed: all
    its tokens count as of the first. So `mean` is an upper bound where turns were interrupted, and exact elsewhere.
    """
    ages = [(version - oldest, tokens) for turns in trajectories for oldest, _, tokens in turns if oldest is not None]
    total = sum(tokens for _, tokens in ages)
    if not total:
        return {}
    spans = [oldest != newest for oldest, newest in map(bounds, trajectories)]
    return {
        "r1ci/staleness/mean": sum(age * tokens for age, tokens in ages) / total,
        "r1ci/staleness/max": float(max(age for age, _ in ages)),
        "r1ci/staleness/spanning_share": sum(spans) / len(spans),
    }
