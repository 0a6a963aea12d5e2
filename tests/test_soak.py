"""A study under faults, for as many minutes as asked: nothing is lost, nothing runs twice, nothing deviates.

TUNER_SOAK_MINUTES=2 pytest -m slow tests/test_soak.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks.faults import report, soak

MINUTES = float(os.environ.get("TUNER_SOAK_MINUTES", "0"))


@pytest.mark.slow
@pytest.mark.skipif(not MINUTES, reason="set TUNER_SOAK_MINUTES=2, or more, for a soak")
@pytest.mark.skipif(os.name != "posix", reason="signals and process groups are those of POSIX")
def test_a_study_outlives_faults_of_every_kind(tmp_path: Path) -> None:
    kinds, done, deviating = soak(MINUTES, 100_000, 2.0, 0, tmp_path)
    assert report(kinds, done, deviating) == 0
    assert done > 100
    assert sum(kind.times for kind in kinds.values()) > 8
