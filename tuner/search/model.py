"""What a model learns from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuner.optuna_bridge.models import Observation
from tuner.search.rungs import at_rung, rungs, value_at
from tuner.spec import Study
from tuner.trial import Trial

__all__ = ["BEST_MODELLED", "ENOUGH", "MODELLED", "observed", "populations"]

# defaults.md has the measurements
ENOUGH = 8  # trials at a rung before it is modelled
MODELLED, BEST_MODELLED = 100, 25  # observations that a model is given at most, and how many of them are the best


def observed(study: Study, seen: Sequence[Trial]) -> list[Observation]:
    """What a model learns from: values at the highest rung that enough trials have reached; nothing before that.

    Trials that were pruned below it are left out: mixed in, they draw the model to fast starters and it stalls.
    Diverged trials are in at every rung, as inf, and unstable ones too: the model must learn where not to go.
    """
    for rung, amount in reversed(list(enumerate(rungs(study)))):
        there = at_rung(study, seen, rung, amount)
        if sum(trial.state != "diverged" for trial in there) >= ENOUGH:
            values = [(trial, value_at(study, trial, amount)) for trial in there]
            return [Observation(dict(trial.latents), value) for trial, value in worth_modelling(values)]
    return []


def worth_modelling(seen: Sequence[tuple[Trial, float]]) -> list[tuple[Trial, float]]:
    """The best and the latest of what was seen, in trial order: a model's time grows with what it is given.

    Measured, asking one trial: 3 ms with 8 observations, 12 with 700, 57 with 3,000, 258 with 10,000.
    """
    if len(seen) <= MODELLED:
        return list(seen)
    best = sorted(range(len(seen)), key=lambda i: (seen[i][1], i))[:BEST_MODELLED]
    late = [i for i in range(len(seen) - 1, -1, -1) if i not in set(best)][: MODELLED - BEST_MODELLED]
    return [seen[i] for i in sorted([*best, *late])]


def populations(study: Study, seen: Sequence[Trial], least: int) -> list[list[Trial]]:
    """Trials as evolution is told of them: as many at a time as the largest generation had, `least` at least, each
    from best to worst: those that came further first, then by value. What is left over waits for more.

    So a generation that was cut short, or an optimizer's share of one, is told with what comes after it.
    """

    def place(trial: Trial) -> tuple[bool, int, float, int]:
        lost = trial.state in ("failed", "diverged")
        at = 0.0 if lost else value_at(study, trial, study.budget.amount)
        return lost, -trial.rung, at, trial.number

    size = max(least, *Counter(trial.generation for trial in seen).values()) if seen else least
    return [sorted(seen[i : i + size], key=place) for i in range(0, len(seen) - size + 1, size)]
