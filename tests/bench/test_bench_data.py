"""The quick figure of the data build: what one more question costs, and nothing of the first start."""

from __future__ import annotations

from pathlib import Path

import pytest

from r1ci_plugin.bench import data


def test_a_cold_start_is_in_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    cold = iter([100.0])

    def build(out: Path, questions: int, workers: int, hash_seed: int) -> tuple[float, float]:
        out.mkdir()
        (out / "train.parquet").write_bytes(b"the same")
        return 3.0 + 0.5 * questions + next(cold, 0.0), 50.0

    monkeypatch.setattr(data, "build", build)
    for quick in (True, False):
        cold = iter([100.0])
        seconds, peak, same = data.measure(quick)
        assert seconds.value == pytest.approx(3 + 0.5 * data.QUESTIONS)
        assert (peak.value, same.value) == (50, 1)
