"""Findings about learning curves: those that end too early, and those that rise again."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from objectives.types import Direction
from tuner.records import Trial
from tuner.report.findings.commands import accepts, longer, named
from tuner.report.findings.finding import Finding, NextStep, better, number, percent, top
from tuner.report.report_data import ReportData, goal_curve
from tuner.study import is_searched

__all__ = ["LONGER", "UNKNOWN", "overfitting", "still_improving"]

LATE = 0.95  # of the epochs: a best epoch beyond that is at the end
TENTHS = 10  # epochs, of which a tenth is a whole one
GAIN = 0.01  # of all that was gained since the first epoch, in the last tenth
OVER = 0.1  # relative: how far above its best the validation loss ends
DECAY = "{low = 1e-5, high = 1e-1}"
DROPOUT = "model.dropout=[0.0, 0.2, 0.5]"
PATIENCE = "train.patience=5"  # epochs without a gain
UNKNOWN = "not known, not measured here"
LONGER = 2  # times as long, where the end is not in sight


def still_improving(frames: ReportData) -> Finding | None:
    """Find that most of the top trials were best at their last epoch and still improved in the last tenth of them."""
    leaders = [t for t in top(frames) if frames.study.metric in t.curves and t.epochs >= TENTHS]
    late = [t for t in leaders if t.epoch is not None and t.epoch >= LATE * t.epochs and _gain(frames, t) > GAIN]
    if not late or 2 * len(late) <= len(leaders):
        return None
    epochs, gain = max(t.epochs for t in late), median(_gain(frames, t) for t in late)
    sentence = (
        f"{len(late)} of the top {len(leaders)} trials were still improving at their last epoch, {epochs}: the last"
        f" tenth of their epochs brought {percent(gain)} of all that they gained. Train longer."
    )
    numbers = {"late": len(late), "of": len(leaders), "epochs": epochs, "gain": gain}
    most = TENTHS * (LONGER - 1) * median(_late_gain(frames, t) for t in late)
    if frames.noise and most < frames.noise.reach:
        return None  # even at this pace it would be lost in the noise
    to_gain = f"at most about {number(most)}, if it goes on as in that last tenth"
    return Finding("still_improving", sentence, numbers, "curves", longer(frames, LONGER), to_gain)


def _gain(frames: ReportData, trial: Trial) -> float:
    """Return the share of the improvement since the first epoch that came in the last tenth of the epochs."""
    curve = goal_curve(trial, frames.study.metric)
    all_of_it = better(frames, _best(frames, curve), float(curve[0]))
    return _late_gain(frames, trial) / all_of_it if all_of_it > 0 else 0.0


def _late_gain(frames: ReportData, trial: Trial) -> float:
    """Return by how much a trial improved in the last tenth of its epochs."""
    curve = goal_curve(trial, frames.study.metric)
    before = curve[: max(1, math.floor(0.9 * len(curve)))]
    return better(frames, _best(frames, curve), _best(frames, before))


def _best(frames: ReportData, curve: Any) -> float:
    finite = [float(value) for value in curve if math.isfinite(value)] or [math.nan]
    return min(finite) if frames.study.direction == Direction.MINIMIZE else max(finite)


def overfitting(frames: ReportData) -> Finding | None:
    """Find that most top trials end with a validation loss a tenth above its best while the training loss still
    falls.
    """
    leaders = [t for t in top(frames) if {"train_loss", "valid_loss"} <= set(t.curves) and t.epochs >= 3]
    over = [trial for trial in leaders if _overfits(trial)]
    if not over or 2 * len(over) <= len(leaders):
        return None
    rise, share = median(_rise(trial) for trial in over), max((t.epoch or t.epochs) / t.epochs for t in over)
    advice, command = _regularised(frames, str(leaders[0].config.get("optimizer")), share)
    sentence = (
        f"{len(over)} of the top {len(leaders)} trials overfit: their validation loss ends {percent(rise)} above its"
        f" best while the training loss falls. Their best epoch is what counts; {advice}."
    )
    numbers = {"trials": [t.number for t in over], "rise": rise}
    return Finding("overfitting", sentence, numbers, "curves-gap", command, UNKNOWN)


def _regularised(frames: ReportData, optimizer: str, share: float) -> tuple[str, NextStep]:
    """Suggest regularisation that is not searched yet, or fewer epochs; and the command."""
    study, decay = frames.study, f"optimizers.{optimizer}.weight_decay={DECAY}"
    fixed = not is_searched(study.optimizers.get(optimizer, {}).get("weight_decay"))
    if fixed and accepts(frames, decay):
        return "weight decay may let them train on", named(frames, decay, name="decayed")
    if study.custom is None and study.model.domain("dropout") == 0 and accepts(frames, DROPOUT):
        return "dropout may let them train on", named(frames, DROPOUT, name="dropped")
    if study.custom is None and not study.train.patience and accepts(frames, PATIENCE):
        return "patience ends a trial soon after it", named(frames, PATIENCE, name="patient")
    return "a shorter training ends nearer to it", longer(frames, share, name="shorter")


def _rise(trial: Trial) -> float:
    curve = goal_curve(trial, "valid_loss")
    lowest = min(float(value) for value in curve if math.isfinite(value))
    return float(curve[-1]) / lowest - 1 if lowest > 0 else 0.0


def _overfits(trial: Trial) -> bool:
    valid, train = goal_curve(trial, "valid_loss"), goal_curve(trial, "train_loss")
    if not (math.isfinite(valid[-1]) and math.isfinite(train[-1])):
        return False
    at = int(min(range(len(valid)), key=lambda e: valid[e] if math.isfinite(valid[e]) else math.inf))
    return _rise(trial) > OVER and float(train[-1]) < float(train[at])
