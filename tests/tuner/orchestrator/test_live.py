"""A generation in flight: what its trials have spent, and what is left to them."""

from __future__ import annotations

import pytest

from tuner.orchestrator.live import LiveGeneration, LiveTrial
from tuner.records import Stage
from tuner.trainables.builtin.packs import Pack
from tuner.trainables.protocols import Advance


def advanced(seconds: float) -> Advance:
    """What a task of so many seconds did for a trial."""
    return Advance({}, None, seconds)


def task(*trials: int) -> Pack:
    return Pack((), trials, tuple({} for _ in trials), 1, None)


def test_the_limit_of_a_trial_is_for_all_of_its_rungs_together() -> None:
    live = LiveGeneration(1, [LiveTrial(i, {}, {}) for i in (8, 9)], (Stage(1), Stage(4), Stage(16)))
    assert live.left(task(8, 9), 10.0) == 10.0
    live.take(task(8, 9), [advanced(4.0), advanced(1.0)])
    live.rung = 1
    assert live.left(task(8), 10.0) == pytest.approx(6.0)
    live.take(task(8), [advanced(3.0)])
    live.rung = 2
    assert live.left(task(8), 10.0) == pytest.approx(3.0)
    assert live.left(task(9), 10.0) == pytest.approx(9.0)
    assert live.left(task(8, 9), 10.0) == pytest.approx(3.0)  # a pack has what the one has that took longest
    live.take(task(8), [advanced(5.0)])
    assert live.left(task(8), 10.0) == pytest.approx(1e-3)  # it ends at once, and does not run without a limit
    assert live.left(task(8), None) is None
