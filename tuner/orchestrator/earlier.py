"""What a trial is compared with at a rung where trials are proposed one by one: earlier trials, finished or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tuner.enums import TrialState
from tuner.orchestrator.live import LiveGeneration, LiveTrial
from tuner.ranking.goal import goal_at
from tuner.records import Stage, Trial
from tuner.search import group_of, rungs
from tuner.study import Study
from tuner.trainables.protocols import Trainer

__all__ = ["WINDOW", "marks"]

WINDOW = 32  # trials that one is compared with


def marks(
    study: Study, training: Trainer, rung: int, history: Sequence[Trial], in_flight: Sequence[LiveGeneration]
) -> dict[str, list[float]]:
    """Return the values of the latest earlier trials at a rung, by group; lower is better.

    `in_flight` are the generations between the history and the trial: all of them have reached the rung, or have ended.
    """
    stage, found = rungs(study)[rung], dict[str, list[float]]()
    trials: list[tuple[str, Trial | LiveTrial]] = [(trial.state, trial) for trial in history]
    trials += [(trial.ended, trial) for generation in in_flight for trial in generation.trials]
    for state, trial in reversed(trials):
        group = found.setdefault(group_of(study, trial.config), [])
        there = trial.rung > rung or (trial.rung == rung and state != TrialState.FAILED)
        if there and len(group) < WINDOW:
            lost = trial.rung == rung and state == TrialState.DIVERGED
            group.append(math.inf if lost else _mark(study, training, trial.config, trial.curves, stage))
    return found


def _mark(study: Study, training: Trainer, config: Mapping[str, Any], curves: Mapping[str, Any], stage: Stage) -> float:
    """Return the value of curves `(R, E)` at a rung, lower is better; inf where they ended far from their best.

    It depends on the curves up to the rung alone, so it is the same for a trial in flight and for its record.
    """
    rows, epochs = stage.splits * study.train.replicates, study.budget.epochs(config, stage.amount)
    then = {name: curve[:rows, :epochs] for name, curve in curves.items()}
    if not np.size(then.get(study.metric, ())) or not training.steady(then):
        return math.inf
    return goal_at(then[study.metric], study.direction, epochs, study.window)[0]
