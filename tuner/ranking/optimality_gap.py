"""The true optimum of a convex training objective, where a whole-batch method found it, and the gap of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objectives.criterion import criterion_key
from objectives.full_batch import CONVERGED, VERDICTS
from objectives.optimizers import convention_of, hyperparameters
from tuner.records import Trial

__all__ = ["MEASURES", "gaps", "optimum_of", "verdict_of"]

# What a study with whole-batch methods shows of every trial, at its best epoch: the training loss with its weight
# decay, how far that is above the optimum, and how often loss, gradient and Hessian of all train rows were evaluated.
MEASURES = ("objective", "gap", "functions", "gradients", "hessians")


def verdict_of(curves: Mapping[str, Any]) -> str:
    """Return how a whole-batch run ended: the key of `VERDICTS` that all of its replicates share; "" otherwise."""
    if "verdict" not in curves:
        return ""
    last = set(np.asarray(curves["verdict"])[:, -1].tolist())
    code = last.pop()
    return list(VERDICTS)[int(code)] if not last and np.isfinite(code) else ""


def optimum_of(curves: Mapping[str, Any]) -> dict[str, float]:
    """Return `{"optimum": objective}` of a run that converged; empty otherwise."""
    if verdict_of(curves) != CONVERGED:
        return {}
    return {"optimum": float(np.asarray(curves["objective"])[:, -1].mean())}


def gaps(trials: Sequence[Trial]) -> dict[int, float]:
    """Compute how far each trial's objective is above the optimum, by number, where a linear model's is known.

    Only trials that minimise the same: those with the same loss and the same weight decay, where that is part of the
    objective at all.
    """
    linear = [trial for trial in trials if trial.config.get("model") == "linear"]
    known: dict[tuple[Any, ...], float] = {}
    for trial in linear:
        if "optimum" in trial.metrics:
            known[_key(trial)] = min(trial.metrics["optimum"], known.get(_key(trial), np.inf))
    return {t.number: t.metrics["objective"] - known[_key(t)] for t in linear if t.metrics and _key(t) in known}


def _key(trial: Trial) -> tuple[Any, ...]:
    """Return the criterion and weight decay of a trial's objective; nan, which equals nothing, for decoupled decay."""
    strength = hyperparameters(trial.config).get("weight_decay", 0.0)
    pull = float("nan") if strength and convention_of(trial.config).decoupled else strength
    return pull, criterion_key(trial.config)
