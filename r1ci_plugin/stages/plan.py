"""What a `r1ci stages run` is to do, refused in one line where it contradicts itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from r1ci_plugin.stages.errors import StageFailed

STAGES = 4
"""There are as many recipes `r1ci_stageN`."""
REFERENCES = ("start", "sft")
"""What the KL term keeps the policy near: the policy the stage starts from, or the one stage 1 started from."""

POLICY = "actor_rollout_ref.model.path"
LOAD_CONTENTS = "actor_rollout_ref.actor.checkpoint.load_contents"
MANIFEST = "r1ci.manifest"

_TAKEN = {
    "recipe": "use --from and --to",
    "r1ci.stage": "use --from and --to",
    POLICY: "use --policy, the policy of the first stage; later stages start from the stage before",
    "trainer.default_local_dir": "set R1CI_RUNS=FOLDER: every stage has a run folder of its own in it",
    "trainer.experiment_name": "set R1CI_RUNS=FOLDER: every stage has a run folder of its own in it",
    "trainer.resume_mode": "leave it out: a stage goes on from its own checkpoint and from no other",
    "trainer.resume_from_path": "leave it out: a stage goes on from its own checkpoint and from no other",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages `first` to `last`, with the same overrides for each. Raises StageFailed for what cannot be done."""

    first: int = 1
    last: int = STAGES
    overrides: tuple[str, ...] = ()
    """As on verl's command line."""
    policy: str | None = None
    """Folder or Hub name of the policy stage 1 starts from; None: the recipe's."""
    reference: str = "start"
    remeasure: bool = False
    """Measure potential and build the manifest anew before every stage but the first."""

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last <= STAGES:
            raise StageFailed(
                f"there are no stages {self.first} to {self.last}", f"choose --from and --to within 1 to {STAGES}"
            )
        if self.reference not in REFERENCES:
            raise StageFailed(f"unknown reference {self.reference!r}", f"--reference {' or '.join(REFERENCES)}")
        if self.policy is not None and self.first > 1 and self.reference == "start":
            raise StageFailed(
                f"--policy is where stage 1 starts, and this begins with stage {self.first}", "leave --policy out"
            )
        for key, mend in self._taken():
            raise StageFailed(f"{key} is not free: the stages set it", mend)

    def _taken(self) -> Iterator[tuple[str, str]]:
        taken = dict(_TAKEN)
        if self.reference == "sft":
            taken[LOAD_CONTENTS] = "leave it out: --reference sft sets it"
        if self.remeasure:
            taken[MANIFEST] = "leave it out: --remeasure builds the manifest of every stage"
        for text in self.overrides:
            key = re.split("[=@]", text.lstrip("+~"), maxsplit=1)[0]
            if key in taken:
                yield key, taken[key]


def override(key: str, value: object) -> str:
    """`key=value` for Hydra's command line, quoted where its grammar needs it."""
    text = str(value)
    if not re.fullmatch(r"[\w./\[\]-]+", text):
        text = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"{key}={text}"
