"""Other ways to search the same problems: Optuna's samplers and pruners, one trial after another."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.learning.played import Step
from tests.benchmarks.learning.problems import EPOCHS, Problem

__all__ = ["PRUNING", "RIVALS", "Rival", "rival_steps"]


@dataclass(frozen=True)
class Rival:
    """A sampler of Optuna's, made from a seed, and a pruner; `slow` ones are asked for no more than 64 trials."""

    sampler: Callable[[int], Any]
    pruner: Callable[[], Any] | None = None
    slow: bool = False


def _samplers() -> dict[str, Callable[[int], Any]]:
    import optuna

    return {
        "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
        "GP": lambda seed: optuna.samplers.GPSampler(seed=seed),
        "CMA-ES": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
        "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    }


def _pruners() -> dict[str, Callable[[], Any]]:
    import optuna

    return {
        "TPE + SHA": optuna.pruners.SuccessiveHalvingPruner,
        "TPE + Hyperband": lambda: optuna.pruners.HyperbandPruner(1, EPOCHS, 3),
        "TPE + Median": optuna.pruners.MedianPruner,
    }


RIVALS = {name: Rival(sampler, slow=name == "GP") for name, sampler in _samplers().items()}
PRUNING = {name: Rival(_samplers()["TPE"], pruner) for name, pruner in _pruners().items()}


def rival_steps(rival: Rival, problem: Problem, seed: int, most: int) -> list[Step]:
    """Return what a rival had come to after each trial, for `most` epochs; a training that is not cut counts as all."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    pruner = rival.pruner() if rival.pruner else optuna.pruners.NopPruner()
    study = optuna.create_study(study_name=str(seed), sampler=rival.sampler(seed), pruner=pruner)
    found: list[Step] = []
    spent, best, seen = 0, float("inf"), float("inf")
    while spent < most:
        trial = study.ask()
        values = suggested(trial, problem)
        curve = problem.curve(values, seed, trial.number)
        took, pruned = trained(trial, curve) if rival.pruner else (EPOCHS, False)
        spent += took
        loss = problem.loss(values, seed)
        study.tell(trial, None if pruned else curve[-1], optuna.trial.TrialState.PRUNED if pruned else None)
        if not pruned and curve[-1] < seen:
            seen, best = float(curve[-1]), loss
        found.append(Step(spent, loss, best))
    return found


def trained(trial: Any, curve: Any) -> tuple[int, bool]:
    """Return how many epochs a trial takes, and whether it is pruned after them."""
    for epoch, loss in enumerate(np.asarray(curve).tolist(), start=1):
        trial.report(loss, epoch)
        if epoch < len(curve) and trial.should_prune():
            return epoch, True
    return len(curve), False


def suggested(trial: Any, problem: Problem) -> dict[str, Any]:
    """Return values as Optuna suggests them, a conditional one where its condition holds."""
    values: dict[str, Any] = {}
    for name, keys in problem.parameters.items():
        if any(values[key] not in allowed for key, allowed in keys.get("when", {}).items()):
            continue
        if "choices" in keys:
            values[name] = trial.suggest_categorical(name, keys["choices"])
        else:
            suggest = trial.suggest_int if isinstance(keys["low"], int) else trial.suggest_float
            values[name] = suggest(name, keys["low"], keys["high"])
    return values
