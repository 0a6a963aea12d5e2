"""What a model learns from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from tuner.optuna_bridge.models import Observation
from tuner.records import Trial
from tuner.search.rungs import at_rung, rungs, value_at
from tuner.study import Study

__all__ = ["BEST_MODELLED", "ENOUGH", "MODELLED", "observed", "populations"]

LIMITS = ("TimedOut", "WorkerDied", "MemoryError")
LEAST = 1e-6  # relative difference of values that are told apart
# defaults.md has the measurements
ENOUGH = 8  # trials at a rung before it is modelled
MODELLED, BEST_MODELLED = 100, 25  # observations that a model is given at most, and how many of them are the best


def observed(study: Study, seen: Sequence[Trial]) -> list[Observation]:
    """What a model learns from: values at the highest rung that enough trials have reached; nothing before that.

    Trials that ended below it follow behind all of those, in the order of the rungs and of their values there:
    with their own early values they would draw the model to fast starters, and left out they would teach it nothing.
    Diverged and unstable trials are inf, and so are those that ended by a limit: the model must learn where not to go.
    """
    for rung, stage in reversed(list(enumerate(rungs(study)))):
        there = at_rung(study, seen, rung, stage)
        if sum(trial.state != "diverged" for trial in there) >= ENOUGH:
            values = {trial: value_at(study, trial, stage) for trial in there}
            values |= {trial: math.inf for trial in seen if limited(trial)} | behind(study, seen, values, rung)
            told = worth_modelling([(trial, values[trial]) for trial in seen if trial in values])
            return [Observation(dict(trial.latents), value) for trial, value in told]
    return []


def behind(study: Study, seen: Sequence[Trial], ahead: Mapping[Trial, float], rung: int) -> dict[Trial, float]:
    """Return the trials that ended below a rung with values worse than all `ahead`, in even steps.

    Those that came further come first, at each rung the better ones; all the steps together are as wide as the values
    ahead differ.
    """
    finite = [value for value in ahead.values() if math.isfinite(value)]
    steps, lost = rungs(study), ("failed", "diverged")
    below = [trial for trial in seen if trial.state not in lost and trial not in ahead and trial.rung < rung]
    order = sorted(below, key=lambda trial: (-trial.rung, value_at(study, trial, steps[trial.rung]), trial.number))
    worst = max(finite, default=0.0)
    step = max(worst - min(finite, default=0.0), abs(worst) * LEAST, LEAST) / max(1, len(order))
    return {trial: worst + step * place for place, trial in enumerate(order, start=1)}


def limited(trial: Trial) -> bool:
    """Whether a trial failed by running out of time, memory or its worker: another config would not have."""
    return trial.state == "failed" and trial.error.startswith(LIMITS)


def worth_modelling(seen: Sequence[tuple[Trial, float]]) -> list[tuple[Trial, float]]:
    """The best and the latest of what was seen, in trial order: a model's time grows with what it is given.

    Measured, asking one trial: 3 ms with 8 observations, 12 with 700, 57 with 3,000, 258 with 10,000.
    """
    if len(seen) <= MODELLED:
        return list(seen)
    best = sorted(range(len(seen)), key=lambda i: (seen[i][1], i))[:BEST_MODELLED]
    first = set(best)
    late = list(islice((i for i in range(len(seen) - 1, -1, -1) if i not in first), MODELLED - BEST_MODELLED))
    return [seen[i] for i in sorted([*best, *late])]


def populations(study: Study, seen: Sequence[Trial], least: int) -> list[list[Trial]]:
    """Trials as evolution is told of them: as many at a time as the largest generation had, `least` at least, each
    from best to worst: those that came further first, then by value. What is left over waits for more.

    So a generation that was cut short, or an optimizer's share of one, is told with what comes after it.
    """

    whole = rungs(study)[-1]

    def place(trial: Trial) -> tuple[bool, int, float, int]:
        lost = trial.state in ("failed", "diverged")
        at = 0.0 if lost else value_at(study, trial, whole)
        return lost, -trial.rung, at, trial.number

    size = max(least, *Counter(trial.generation for trial in seen).values()) if seen else least
    return [sorted(seen[i : i + size], key=place) for i in range(0, len(seen) - size + 1, size)]
