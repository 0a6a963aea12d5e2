"""Other ways to search, on the same tables: Optuna with its own loop, one trial after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna

from tests.benchmarks.search.lookup import Found
from tests.benchmarks.search.tables import EPOCHS, Results

__all__ = ["RIVALS", "optuna_search"]

# Optuna's default sampler, with a pruner that may look after every epoch
RIVALS = {
    "Optuna TPE, its defaults": optuna.pruners.NopPruner(),
    "Optuna TPE + HyperbandPruner": optuna.pruners.HyperbandPruner(1, EPOCHS, 3),
    "Optuna TPE + MedianPruner": optuna.pruners.MedianPruner(),
}


def optuna_search(rival: str, results: Results, splits: tuple[int, ...], epochs: int, seed: int) -> list[Found]:
    """What Optuna trains to the end for so many epochs, on the same latents as ours.

    As Optuna's users write it: report, prune, return the best loss; a run that diverges or ends far from its best
    returns inf.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name=str(seed),  # from which HyperbandPruner draws brackets
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=RIVALS[rival],
    )
    found: list[Found] = []
    spent = 0
    while spent < epochs:
        trial = study.ask()
        row = results.row(suggested(trial, results))
        curve = results.losses[row, splits].mean(axis=0)
        took, pruned = trained(trial, curve)
        spent += took
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        value = results.value(row, splits)
        study.tell(trial, value)
        if np.isfinite(value):
            found.append(Found(spent, row))
    return [one for one in found if one.spent <= epochs]


def trained(trial: Any, curve: Any) -> tuple[int, bool]:
    """How many epochs of its curve a trial takes, and whether it is pruned after them."""
    for epoch, loss in enumerate(curve):
        if not np.isfinite(loss):
            return epoch + 1, False
        trial.report(float(loss), epoch)
        if trial.should_prune():
            return epoch + 1, True
    return len(curve), False


def suggested(trial: Any, results: Results) -> dict[str, Any]:
    """Latents, as Optuna suggests them."""
    return {
        latent.name: trial.suggest_categorical(latent.name, latent.choices)
        if latent.kind == "categorical"
        else trial.suggest_float(latent.name, 0.0, 1.0)
        for latent in results.space.latents
    }
