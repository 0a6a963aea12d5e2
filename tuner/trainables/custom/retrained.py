"""What a training of somebody's objective on a fresh seed says of a config."""

from __future__ import annotations

import math

from tuner.engines import Failure
from tuner.enums import TrialState
from tuner.records import ConfirmationRun, Trial
from tuner.study import Study
from tuner.trainables.custom.tasks import CustomOutcome

__all__ = ["confirmed_of"]


def confirmed_of(study: Study, trial: Trial, number: int, outcome: CustomOutcome | Failure) -> ConfirmationRun:
    """Build the record: goal and test metrics where the search found the trial best, or at the end of a shorter run.

    A run that failed or diverged has none: its config ranks behind all others.
    """
    told = [study.metric, *(name for name in trial.metrics if name.startswith("test_"))]
    if isinstance(outcome, Failure):
        return ConfirmationRun(
            trial.number, number, trial.epoch or 1, dict.fromkeys(told, math.nan), 0.0, TrialState.FAILED
        )
    if outcome.ended[0]:
        nothing = dict.fromkeys(told, math.nan)
        return ConfirmationRun(trial.number, number, trial.epoch or 1, nothing, outcome.seconds, TrialState.DIVERGED)
    curves = {name: curve[0, 0] for name, curve in outcome.curves.items()}
    goal = curves[study.metric]
    there = [i for i in range(len(goal)) if not math.isnan(goal[i])]
    at = (
        len(goal) - 1
        if outcome.final
        else max([i for i in there if i < (trial.epoch or len(goal))], default=there[0] if there else 0)
    )
    names = [name for name in curves if name == study.metric or name.startswith("test_")]
    metrics = {name: float(curves[name][at]) for name in names}
    return ConfirmationRun(trial.number, number, at + 1, metrics, outcome.seconds, TrialState.COMPLETE)
