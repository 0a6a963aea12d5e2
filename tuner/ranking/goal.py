"""The goal of a study: the value of a trial, whether it is stable, and which of two trials is better."""

from __future__ import annotations

from typing import Any

import numpy as np

from objectives.types import Direction
from tuner.enums import TrialState
from tuner.records import Trial

__all__ = ["TAIL", "UNSTABLE", "around", "goal_at", "is_stable", "rank_key", "ranked", "signed", "smoothed"]

UNSTABLE = 2.0  # times its best, and worse than a constant prediction: a run that blew up after its best epoch
TAIL = 2.0  # times the lower median of its splits, and worse than a constant prediction: it blew up on one of them


def signed(value: float, direction: str) -> float:
    """Return the value with the sign that makes lower better."""
    return value if direction == Direction.MINIMIZE else -value


def smoothed(curve: Any, window: int) -> Any:
    """Return the moving average of a curve `(E,)` over `window` epochs around each; fewer at its ends."""
    side = window // 2
    padded = np.pad(np.asarray(curve, dtype=np.float64), side, constant_values=np.nan)
    return np.nanmean(np.lib.stride_tricks.sliding_window_view(padded, 2 * side + 1), axis=-1)


def around(epoch: int, window: int, epochs: int) -> slice:
    """Return the `window` epochs around one (from 1) as a slice of a curve of so many epochs."""
    side = window // 2
    return slice(max(0, epoch - 1 - side), min(epochs, epoch + side))


def goal_at(curve: Any, direction: str, epochs: int, window: int = 1) -> tuple[float, int]:
    """Return the best of the first `epochs` of a curve `(R, E)`, lower is better, and its epoch (from 1).

    What counts is the mean over replicates, and of that the moving average over `window` epochs, so that neither one
    split nor a spike of one epoch can win. A value that is not a number is inf.
    """
    mean = np.asarray(curve)[:, :epochs].mean(axis=0)
    turned = np.where(np.isfinite(mean), signed(mean, direction), np.inf)
    turned = smoothed(turned, window) if window > 1 else turned
    best = int(turned.argmin())
    return float(turned[best]), best + 1


def is_stable(valid_loss: Any, constant: float, window: int = 1) -> bool:
    """Return True if validation losses `(R, E)` end near the best epoch and diverge on no split.

    `constant` is the loss of a constant prediction. Without this rule, a spike before divergence can win: on wine the
    lowest loss of a grid came from a run that ended at 5e9. A config that diverges on one split of twenty is a bad one,
    however good its mean without it.
    """
    losses = np.asarray(valid_loss)
    curve = losses.mean(axis=0)
    if not (curve[-1] <= UNSTABLE * float(curve.min()) or curve[-1] <= constant):
        return False
    epochs = losses.shape[1]
    best = goal_at(losses, "minimize", epochs, window)[1]
    at = losses[:, around(best, window, epochs)].mean(axis=1)
    return bool(at.max() <= max(constant, TAIL * float(np.sort(at)[(len(at) - 1) // 2])))


def rank_key(trial: Trial, direction: str) -> tuple[bool, float, int]:
    """Return the sort key of complete trials, best first: stable ones, then by value, then the earlier trial."""
    value = float("inf") if trial.value is None else signed(trial.value, direction)
    return not trial.stable, value, trial.number


def ranked(trials: list[Trial], direction: str) -> list[Trial]:
    """Sort the complete trials, best first."""
    return sorted((t for t in trials if t.state == TrialState.COMPLETE), key=lambda trial: rank_key(trial, direction))
