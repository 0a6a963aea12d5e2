"""The goal of a study: what value a trial has, whether to believe it, and which of two trials is ahead."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuner.trial import Trial

__all__ = ["UNSTABLE", "goal_at", "is_stable", "rank_key", "ranked", "signed"]

UNSTABLE = 2.0  # times its best, and worse than a constant prediction: a run that blew up after its best epoch


def signed(value: float, direction: str) -> float:
    """The value, turned so that lower is better."""
    return value if direction == "minimize" else -value


def goal_at(curve: Any, direction: str, epochs: int) -> tuple[float, int]:
    """The best of the first `epochs` of a curve `(R, E)`, turned so that lower is better, and its epoch (from 1).

    The mean over replicates counts. A value that is not a number is inf.
    """
    mean = np.asarray(curve)[:, :epochs].mean(axis=0)
    turned = np.where(np.isfinite(mean), signed(mean, direction), np.inf)
    best = int(turned.argmin())
    return float(turned[best]), best + 1


def is_stable(valid_loss: Any, constant: float) -> bool:
    """Whether a run, judged by its validation losses `(R, E)`, ended anywhere near its best epoch.

    `constant` is the loss of a constant prediction. Without this, a spike on the way to exploding can win: on wine the
    lowest loss of a grid came from a run that ended at 5e9.
    """
    curve = np.asarray(valid_loss).mean(axis=0)
    last = float(curve[-1])
    return bool(last <= UNSTABLE * float(curve.min()) or last <= constant)


def rank_key(trial: Trial, direction: str) -> tuple[bool, float, int]:
    """Sorts complete trials, best first: stable ones, then by value, then the earlier trial."""
    value = float("inf") if trial.value is None else signed(trial.value, direction)
    return not trial.stable, value, trial.number


def ranked(trials: list[Trial], direction: str) -> list[Trial]:
    """The complete trials, best first."""
    return sorted((t for t in trials if t.state == "complete"), key=lambda trial: rank_key(trial, direction))
