"""The one error of this package: what went wrong with a stage, and the command that mends it."""

from __future__ import annotations


class StageFailed(RuntimeError):
    """One line for a person. `mend` says what to do about it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. Mend: {mend}")
        self.what = what
        self.mend = mend
