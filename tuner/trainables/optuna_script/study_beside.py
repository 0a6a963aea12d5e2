"""What an objective of Optuna's may read of its study: the direction, and the trials that are committed.

Those are the trials that its own generation was proposed from, so that what it reads depends on nothing that time
decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from objectives.types import Direction
from tuner.enums import TrialState
from tuner.optuna_bridge.beside import study_beside
from tuner.optuna_bridge.study import OptunaTrial
from tuner.records import Trial
from tuner.store.ledger import Ledger
from tuner.urls import Remote

__all__ = ["Beside"]

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.DIVERGED: "complete",
    TrialState.FAILED: "fail",
}
LENGTHS = ("epochs", "steps", "examples")


@dataclass(frozen=True)
class Beside:
    """Where a study stands: its direction, its ledger, and the generation before which trials are visible.

    `place` is None where there is no ledger; `before` is None where all trials are visible.
    """

    direction: str = "minimize"
    place: Path | Remote | None = None
    before: int | None = None

    def study(self, number: int) -> Any:
        """Return a study of Optuna's with the visible trials, and running ones up to `number`."""
        return study_beside(self.direction, visible(self), number)


@lru_cache(maxsize=2)
def visible(beside: Beside) -> tuple[OptunaTrial, ...]:
    """Return the visible trials as Optuna keeps them."""
    if beside.place is None:
        return ()
    with Ledger.open(beside.place, read_only=True) as ledger:
        trials = ledger.trials()
    return tuple(_plain(trial, beside) for trial in trials if beside.before is None or trial.generation < beside.before)


def _plain(trial: Trial, beside: Beside) -> OptunaTrial:
    """Convert a trial to Optuna's: a diverged one has the worst value, as in an exported study."""
    worst = math.inf if beside.direction == Direction.MINIMIZE else -math.inf
    value = worst if trial.state == TrialState.DIVERGED else trial.value if trial.state == TrialState.COMPLETE else None
    params = {name: value for name, value in trial.config.items() if name not in LENGTHS}
    return OptunaTrial(trial.number, STATES[trial.state], params, value, {}, trial.seconds, attrs=dict(trial.metrics))
