"""Findings about the trainings themselves: those that blew up, stopped too early, overfit, or never learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from tuner.report.findings.finding import Finding, again, better, named, number, percent, top
from tuner.report.found import Frames, goal_curve
from tuner.spec import Range, is_searched, values_of
from tuner.trial import Trial

__all__ = ["diverging", "never_learned", "no_gain", "overfitting", "small_batches", "still_improving"]

MANY = 0.2  # of all trials: from there on the search spends a fifth of itself on nothing
LATE = 0.95  # of the epochs: a best epoch beyond that is at the end
GAIN = 0.01  # of all that was gained since the first epoch, in the last tenth
OVER = 0.1  # relative: how far above its best the validation loss ends
PLATEAU = 0.5  # of the trials, and no fewer than `ENOUGH`, without a new best
ENOUGH = 32
STEPS = 4.0  # times the updates of the largest batch


def diverging(frames: Frames) -> Finding | None:
    """More than a fifth of the trials diverged or failed; says where."""
    trials = frames.found.all_trials
    lost = [trial for trial in trials if trial.state in ("diverged", "failed")]
    if not trials or len(lost) <= MANY * len(trials):
        return None
    counts = {name: sum(t.config.get("optimizer") == name for t in lost) for name in frames.optimizers}
    worst = max(counts, key=lambda name: counts[name], default="")
    own = [t for t in lost if t.config.get("optimizer") == worst]
    where, command = _where(frames, worst, own) if worst else ("", "")
    failed = sum(trial.state == "failed" for trial in lost)
    how = "failed" if failed == len(lost) else "diverged" if not failed else "diverged or failed"
    share = f"{percent(len(lost) / len(trials))} of the trials {how} ({len(lost)} of {len(trials)})"
    sentence = f"{share}, most with {worst}{where}." if worst else f"{share}."
    numbers = {"lost": len(lost), "trials": len(trials), "failed": failed, **counts}
    return Finding("diverging", sentence, numbers, "sensitivity-lr" if command else "time", command)


def _where(frames: Frames, optimizer: str, lost: Sequence[Trial]) -> tuple[str, str]:
    """Above which learning rate an optimizer's trials were lost, and the command that stays below."""
    domain = frames.study.optimizers[optimizer].get("lr")
    rates = sorted(float(trial.config["lr"]) for trial in lost if trial.state == "diverged" and "lr" in trial.config)
    if not isinstance(domain, Range) or not rates or rates[0] <= domain.low:
        return "", ""
    edge = rates[len(rates) // 10]  # a few of the lowest may have other reasons
    kept = [t for t in frames.own(optimizer) if t.value is not None and float(t.config["lr"]) >= edge]
    if len(kept) > len(rates) or edge <= domain.low:
        return "", ""
    return f" and lr above {number(edge)}", named(
        frames, f"optimizers.{optimizer}.lr.high={number(edge)}", name="calmer"
    )


def still_improving(frames: Frames) -> Finding | None:
    """Most of the top trials were best at their last epoch, and gained in the last tenth of them."""
    leaders = [t for t in top(frames) if frames.study.metric in t.curves and t.epochs >= 5]
    late = [t for t in leaders if t.epoch is not None and t.epoch >= LATE * t.epochs and _gain(frames, t) > GAIN]
    if not late or 2 * len(late) <= len(leaders):
        return None
    budget, epochs = frames.study.budget, max(t.epochs for t in late)
    sentence = (
        f"{len(late)} of the top {len(leaders)} trials were still improving at their last epoch, {epochs}: they gained"
        f" {percent(median(_gain(frames, t) for t in late))} of all they had gained in its last tenth. Train longer."
    )
    numbers = {"late": len(late), "of": len(leaders), "epochs": epochs}
    command = named(frames, f"train.{budget.unit}={2 * budget.amount}", name="longer")
    return Finding("still_improving", sentence, numbers, "curves", command)


def _gain(frames: Frames, trial: Trial) -> float:
    """The share of all gained since the first epoch that the last tenth of the epochs brought."""
    curve = goal_curve(trial, frames.study.metric)
    before = curve[: max(1, math.floor(0.9 * len(curve)))]
    all_of_it = better(frames, _best(frames, curve), float(curve[0]))
    return better(frames, _best(frames, curve), _best(frames, before)) / all_of_it if all_of_it > 0 else 0.0


def _best(frames: Frames, curve: Any) -> float:
    finite = [float(value) for value in curve if math.isfinite(value)] or [math.nan]
    return min(finite) if frames.study.direction == "minimize" else max(finite)


def overfitting(frames: Frames) -> Finding | None:
    """Most of the top trials end with a validation loss a tenth above its best, the training loss still falling."""
    leaders = [t for t in top(frames) if {"train_loss", "valid_loss"} <= set(t.curves) and t.epochs >= 3]
    over = [trial for trial in leaders if _overfits(trial)]
    if not over or 2 * len(over) <= len(leaders):
        return None
    rise = median(_rise(trial) for trial in over)
    sentence = (
        f"{len(over)} of the top {len(leaders)} trials overfit: their validation loss ends {percent(rise)} above its"
        " best"
        " while the training loss falls. Their best epoch is what counts; weight decay may let them train on."
    )
    optimizer = str(leaders[0].config.get("optimizer"))
    fixed = not is_searched(frames.study.optimizers.get(optimizer, {}).get("weight_decay"))
    decay = f"optimizers.{optimizer}.weight_decay={{low = 1e-5, high = 1e-1}}"
    command = named(frames, decay, name="decayed") if fixed and optimizer in frames.study.optimizers else ""
    return Finding("overfitting", sentence, {"trials": [t.number for t in over], "rise": rise}, "curves-gap", command)


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


def no_gain(frames: Frames) -> Finding | None:
    """The second half of the trials, and 32 of them at least, brought no new best."""
    trials, best, last = frames.found.all_trials, math.nan, 0
    for trial in trials:
        if trial.state != "complete" or not trial.stable or trial.value is None:
            continue
        if math.isnan(best) or better(frames, trial.value, best) > 0:
            best, last = trial.value, trial.number
    since = len(trials) - 1 - last
    if math.isnan(best) or since < max(ENOUGH, PLATEAU * len(trials)):
        return None
    sentence = (
        f"No gain since trial {last}: {since} trials brought nothing better than {number(best)}. More of the same"
        " search"
        " will hardly help; another model, other ranges or more data may."
    )
    return Finding("no_gain", sentence, {"trial": last, "since": since, "value": best}, "progress", "")


def small_batches(frames: Frames) -> Finding | None:
    """The top trials share the smallest batches, which had several times the updates in the same epochs."""
    sizes = [size for size in values_of(frames.study.train.batch_size) if isinstance(size, int)]
    batches = [int(trial.config["batch_size"]) for trial in top(frames) if "batch_size" in trial.config]
    if frames.study.budget.unit == "steps" or len(sizes) < 2 or len(batches) < 3 or max(sizes) < STEPS * min(sizes):
        return None
    small = [size for size in batches if max(sizes) >= STEPS * size]
    if 2 * len(small) <= len(batches) or max(batches) >= max(sizes):
        return None
    times = max(sizes) / median(small)
    sentence = (
        f"{len(small)} of the top {len(batches)} trials have small batches, which took {times:.0f} times the updates"
        " of the"
        f" largest in the same epochs. Compare them at equal updates before you call batch size {max(sizes)} worse."
    )
    command = named(
        frames,
        f"train.batch_size={max(sizes)}",
        f"train.{frames.study.budget.unit}={round(times * frames.study.budget.amount)}",
        name="steps",
    )
    return Finding(
        "small_batches", sentence, {"small": len(small), "of": len(batches), "times": times}, "curves-steps", command
    )


def never_learned(frames: Frames) -> Finding | None:
    """An optimizer with 5 trials or more of which none beat random weights, or a constant prediction."""
    floor, what = _floor(frames)
    if floor is None:
        return None
    lazy = []
    for name in frames.optimizers:
        losses = [t.metrics["valid_loss"] for t in frames.own(name) if "valid_loss" in t.metrics]
        if name != "random_weights" and len(frames.own(name)) >= 5 and (not losses or min(losses) >= floor):
            lazy.append(name)
    if not lazy:
        return None
    sentence = (
        f"{', '.join(lazy)} never beat {what} (validation loss {number(floor)}): the ranges, or the time, do not suit"
        " this problem."
    )
    return Finding(
        "never_learned", sentence, {"optimizers": lazy, "loss": floor}, "sensitivity-lr", again(frames, "top")
    )


def _floor(frames: Frames) -> tuple[float | None, str]:
    """The validation loss that takes no training: of random weights where they were tried, else of a constant."""
    drawn = [t.metrics["valid_loss"] for t in frames.own("random_weights") if "valid_loss" in t.metrics]
    if drawn:
        return min(drawn), "random weights"
    known = frames.found.facts.get("constant_loss", "")
    return (float(known), "a constant prediction") if known else (None, "")
