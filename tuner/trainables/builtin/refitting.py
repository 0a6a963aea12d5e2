"""Refit: a config trained on all rows that a model may be trained on, as an ensemble of seeds in one pack.

The rows that validated in the search train as well; the test rows stay out, and judge what comes of it. For a
regression, models on fresh splits of the same rows say how far new targets lie from a prediction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from objectives.data import Prepared
from objectives.evaluation.predictions import predict
from objectives.metrics import best_threshold
from objectives.training.descent import descend
from objectives.types import Array
from tuner.model.judged import documents, judged
from tuner.model.trained import ConfirmationNoise, TrainedModel
from tuner.study import MOST_SEEDS
from tuner.trainables.builtin.baselines import codes_of, weights_of
from tuner.trainables.builtin.packs import ReplicateSource, let_go, problem_of
from tuner.trainables.builtin.retrain import unhindered

__all__ = [
    "CARRY",
    "FIRST_SEED",
    "FIRST_SPLIT",
    "Fit",
    "Members",
    "carried",
    "config_of",
    "judge",
    "noise_of",
    "residuals_of",
    "threshold_of",
    "train",
    "weighted_quantiles",
]

FIRST_SEED = 3 * MOST_SEEDS + 1  # of the networks that are shipped: no other training has their seeds
FIRST_SPLIT = 4 * MOST_SEEDS + 1  # of the splits that say how far targets lie from predictions
CARRY = "epochs"  # what stays the same on more rows; tests/benchmarks/shipped_model has the measurement
MOST_RESIDUALS = 10_000  # that are kept: a quantile of so many is known to 0.3 %


@dataclass(frozen=True)
class Fit:
    """A task: train a config on every source for so many epochs."""

    sources: tuple[ReplicateSource, ...]
    config: Mapping[str, Any]
    epochs: int


@dataclass(frozen=True)
class Members:
    """Weights `(R, P)` of the trainings of a task, and which of them have stayed finite, `(R,)`."""

    weights: Array
    alive: Array


def carried(epochs: int, horizon: int, before: int, now: int, carry: str) -> tuple[int, int]:
    """Return the epochs to train on `now` rows, and the schedule's horizon, of a config chosen on `before` rows.

    With "epochs" both stay; with "updates" both shrink as the rows grow, so that as many updates are made.
    """
    if carry == "epochs":
        return epochs, horizon
    share = before / now
    shorter = max(1, round(epochs * share))
    return shorter, max(shorter, round(horizon * share))


def config_of(params: Mapping[str, Any], horizon: int) -> dict[str, Any]:
    """Return the config to train: that of a best config over a horizon, without early stopping."""
    return {**unhindered(params), "epochs": horizon}


def train(task: Fit) -> Members:
    """Train one task in a worker."""
    problem = problem_of(task.sources, task.config)
    state = descend(problem, [task.config], task.epochs).state
    let_go(problem)
    return Members(state.weights[:, 0], state.alive[:, 0])


def residuals_of(task: Fit) -> Array:
    """Train on splits and return how far each validation target lies from what was said of it, `(m, C)`, sorted.

    In the target's own units. Sources of the same data are seeds of one ensemble: a single network is farther off than
    the ensemble that is shipped. Trainings that diverged do not count.
    """
    every = _unseen(task)
    if not every:
        return np.empty((0, 1))
    away = np.concatenate([np.abs(said - data.truth(data.valid.y)) for data, said in every])
    weights = [own for data, _ in every if (own := weights_of(data.valid)) is not None]
    whole = weighted_quantiles(away, np.concatenate(weights)) if weights else np.sort(away, axis=0)
    step = -(-len(whole) // MOST_RESIDUALS)
    return np.ascontiguousarray(whole[::-1][:: max(step, 1)][::-1])  # the largest stays


def weighted_quantiles(values: Array, weights: Array) -> Array:
    """Return as many values `(m, C)` as there are, sorted, that are spread as the given ones are by weight."""
    found, levels = np.empty_like(values), (np.arange(len(values)) + 0.5) / len(values)
    for c, column in enumerate(values.T):
        order = np.argsort(column, kind="stable")
        upto = np.cumsum(weights[order])
        found[:, c] = column[order][np.searchsorted(upto / upto[-1], levels)]
    return found


def threshold_of(task: Fit, name: str) -> float | None:
    """Train on splits and return the threshold at which metric `name` of the validation rows is best.

    None where each training diverged.
    """
    every = _unseen(task)
    if not every:
        return None
    shares, truth = (
        np.concatenate([said[:, 0] for _, said in every]),
        np.concatenate([d.valid.y[:, 0] for d, _ in every]),
    )
    weights = [own for data, _ in every if (own := weights_of(data.valid)) is not None]
    return best_threshold(name, shares, truth, np.concatenate(weights) if weights else None)


def _unseen(task: Fit) -> list[tuple[Prepared, Array]]:
    """Train on splits; return the data of each and what the ensemble of its seeds says of its validation rows."""
    problem = problem_of(task.sources, task.config)
    state = descend(problem, [task.config], task.epochs).state
    found = []
    for directory in dict.fromkeys(source.directory for source in task.sources):
        places = [r for r, source in enumerate(task.sources) if source.directory == directory and state.alive[r, 0]]
        if places:
            data = problem.replicates[places[0]].data
            said = np.mean([predict(problem, state.weights[r, 0], data.valid.x, r) for r in places], axis=0)
            found.append((data, said))
    let_go(problem)
    return found


def noise_of(model: TrainedModel, data: Prepared, residuals: Array) -> ConfirmationNoise | None:
    """Return what intervals are made of; None where nothing was left to measure them by."""
    if not len(residuals):
        return None
    spread = model.of_members(data.train.x[:MOST_RESIDUALS]).var(axis=0).mean(axis=0)
    return ConfirmationNoise(residuals, spread)


def judge(model: TrainedModel, data: Prepared, asked: Sequence[str] = ()) -> dict[str, Any]:
    """Return the test metrics of a model, those that were `asked` for too, for its facts."""
    part, scale = data.test, np.asarray(data.y_scale)
    truth = data.truth(part.y) if data.task == "regression" else codes_of(data.task, part.y)
    members, weights = model.of_members(part.x), weights_of(part)
    return documents(judged(data.task, members, truth, scale, asked, model.threshold, weights, data.transform))
