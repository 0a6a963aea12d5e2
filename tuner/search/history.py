"""What the sampler's model learns from: observations of the trials so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np

from tuner.enums import TrialState
from tuner.optuna_bridge.sampler_models import Observation
from tuner.records import Stage, Trial
from tuner.search.rungs import at_rung, rungs, value_at
from tuner.study import Study

__all__ = ["BEST_MODELLED", "ENOUGH", "MODELLED", "estimated", "observed", "populations"]

LIMITS = ("TimedOut", "WorkerDied", "MemoryError")
LEAST = 1e-6  # relative difference above which values count as different
# defaults.md has the measurements
ENOUGH = 8  # trials at a rung before it is modelled
ENDED = 2  # trials at the last rung before others are extrapolated to it
ESTIMATED, BEST_ESTIMATED = 128, 64  # of a Gaussian process, as the next two are of TPE
MODELLED, BEST_MODELLED = 100, 25  # observations that a model is given at most, and how many of them are the best


def observed(study: Study, seen: Sequence[Trial]) -> list[Observation]:
    """Return what a model learns from: values at the highest rung that enough trials have reached; none before that.

    Trials that ended below it are placed behind all of those, ordered by their rung and their value there. With their
    own early values they would attract the model to fast starters; without them, it would learn nothing from them.
    Diverged and unstable trials count as inf, as do those that ended by a limit: the model must learn to avoid them.
    """
    for rung, stage in reversed(list(enumerate(rungs(study)))):
        there = at_rung(study, seen, rung, stage)
        if sum(trial.state != TrialState.DIVERGED for trial in there) >= ENOUGH:
            values = {trial: value_at(study, trial, stage) for trial in there}
            values |= {trial: math.inf for trial in seen if limited(trial)} | behind(study, seen, values, rung)
            kept = worth_modelling([(trial, values[trial]) for trial in seen if trial in values])
            return [Observation(dict(trial.latents), value) for trial, value in kept]
    return []


def behind(study: Study, seen: Sequence[Trial], ahead: Mapping[Trial, float], rung: int) -> dict[Trial, float]:
    """Return the trials that ended below a rung with values worse than all `ahead`, in equal steps.

    Those that came further come first, at each rung the better ones; together they span as much as the values ahead.
    """
    finite = [value for value in ahead.values() if math.isfinite(value)]
    steps, lost = rungs(study), (TrialState.FAILED, TrialState.DIVERGED)
    below = [trial for trial in seen if trial.state not in lost and trial not in ahead and trial.rung < rung]
    order = sorted(below, key=lambda trial: (-trial.rung, value_at(study, trial, steps[trial.rung]), trial.number))
    worst = max(finite, default=0.0)
    step = max(worst - min(finite, default=0.0), abs(worst) * LEAST, LEAST) / max(1, len(order))
    return {trial: worst + step * place for place, trial in enumerate(order, start=1)}


def estimated(study: Study, seen: Sequence[Trial]) -> list[Observation]:
    """Return the value that each trial would have reached at the end, estimated from the rung where it ended, and its
    variance.

    From one rung to the next, values are carried by linear regression over the trials that went on. Those were selected
    by the value that the regression predicts from, which does not bias it. Empty before some trials have come to the
    end.
    """
    steps = rungs(study)
    usable = [trial for trial in seen if trial.state != TrialState.FAILED or limited(trial)]
    reached = {trial: values_of(study, trial, steps) for trial in usable}
    if len(usable) < ENOUGH or sum(len(at) == len(steps) for at in reached.values()) < ENDED:
        return []
    lines = [
        line([(at[r], at[r + 1]) for at in reached.values() if len(at) > r + 1 and math.isfinite(at[r] + at[r + 1])])
        for r in range(len(steps) - 1)
    ]
    found = []
    for trial, at in reached.items():
        value, noise = at[-1], 0.0
        for start, slope, rest in lines[len(at) - 1 :] if math.isfinite(value) else ():
            value, noise = start + slope * value, slope**2 * noise + rest
        found.append((trial, value, noise))
    kept = worth_modelling([(trial, value) for trial, value, _ in found], ESTIMATED, BEST_ESTIMATED)
    noises = {trial: noise for trial, _, noise in found}
    return [Observation(dict(trial.latents), value, noises[trial]) for trial, value in kept]


def values_of(study: Study, trial: Trial, steps: Sequence[Stage]) -> list[float]:
    """Return a trial's value at each rung that it reached, lower is better; inf where it diverged or failed."""
    if trial.state == TrialState.DIVERGED or limited(trial):
        return [math.inf]
    last = max([trial.rung, *(r for r, stage in enumerate(steps) if at_rung(study, [trial], r, stage))])
    return [value_at(study, trial, stage) for stage in steps[: last + 1]]


def line(pairs: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return intercept, slope and residual variance of a linear regression; its slope is shrunk towards 1."""
    if not pairs:
        return 0.0, 1.0, 0.0
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    spread = float(a.var())
    slope = 1.0
    if len(pairs) > 2 and spread > 0:
        slope = (float(((a - a.mean()) * (b - b.mean())).mean()) * len(a) + 2 * spread) / (spread * (len(a) + 2))
        slope = min(max(slope, 0.1), 3.0)
    start = float(b.mean() - slope * a.mean())
    rest = float(((b - start - slope * a) ** 2).sum()) / max(1, len(a) - 2)
    return start, slope, rest if len(a) > 2 else float(b.var())


def limited(trial: Trial) -> bool:
    """Return True if a trial failed by running out of time or memory, or with its worker: that is due to its config."""
    return trial.state == TrialState.FAILED and trial.error.startswith(LIMITS)


def worth_modelling(
    seen: Sequence[tuple[Trial, float]], most: int | None = None, leading: int | None = None
) -> list[tuple[Trial, float]]:
    """Return the best and the latest observations, in trial order: a model's time grows with their number.

    Measured, asking one trial: 3 ms with 8 observations, 12 with 700, 57 with 3,000, 258 with 10,000.
    """
    most, leading = most or MODELLED, leading or BEST_MODELLED
    if len(seen) <= most:
        return list(seen)
    best = sorted(range(len(seen)), key=lambda i: (seen[i][1], i))[:leading]
    first = set(best)
    late = list(islice((i for i in range(len(seen) - 1, -1, -1) if i not in first), most - leading))
    return [seen[i] for i in sorted([*best, *late])]


def populations(study: Study, seen: Sequence[Trial], least: int) -> list[list[Trial]]:
    """Group trials for evolution, at least `least` of them and as many as the largest generation had, each from best to
    worst.

    Trials that came further are better, then those with a better value. What does not fill a group waits for more
    trials, so a generation that was cut short, or an optimizer's share of one, is passed on together with the next.
    """
    whole = rungs(study)[-1]

    def place(trial: Trial) -> tuple[bool, int, float, int]:
        lost = trial.state in (TrialState.FAILED, TrialState.DIVERGED)
        at = 0.0 if lost else value_at(study, trial, whole)
        return lost, -trial.rung, at, trial.number

    size = max(least, *Counter(trial.generation for trial in seen).values()) if seen else least
    return [sorted(seen[i : i + size], key=place) for i in range(0, len(seen) - size + 1, size)]
