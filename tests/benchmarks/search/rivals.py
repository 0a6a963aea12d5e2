"""Other ways to search, on the same tables: Optuna with its own loop, one trial after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.search.lookup import Found
from tests.benchmarks.search.tables import EPOCHS, Results

__all__ = ["RIVALS", "optuna_search"]

Run = Callable[[Results, tuple[int, ...], int, int], list[Found]]


def optuna_search(results: Results, splits: tuple[int, ...], epochs: int, seed: int, pruner: Any = None) -> list[Found]:
    """Optuna's default sampler with a pruner that may look after every epoch, on the same latents as ours.

    As Optuna's users write it: report, prune, return the best loss; a run that diverges or ends far from its best
    returns inf.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name=str(seed),  # from which HyperbandPruner draws brackets
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=pruner or optuna.pruners.NopPruner(),
    )
    found: list[Found] = []
    spent = 0
    while spent < epochs:
        trial = study.ask()
        row = results.row(suggested(trial, results))
        curve = results.losses[row, splits].mean(axis=0)
        state = None
        for epoch in range(EPOCHS):
            spent += 1
            if not np.isfinite(curve[epoch]):
                break
            if pruner is not None:
                trial.report(float(curve[epoch]), epoch)
                if trial.should_prune():
                    state = optuna.trial.TrialState.PRUNED
                    break
        if state is not None:
            study.tell(trial, state=state)
            continue
        value = results.value(row, splits)
        study.tell(trial, value)
        if np.isfinite(value):
            found.append(Found(spent, row))
    return [one for one in found if one.spent <= epochs]


def suggested(trial: Any, results: Results) -> dict[str, Any]:
    """Latents, as Optuna suggests them."""
    return {
        latent.name: trial.suggest_categorical(latent.name, latent.choices)
        if latent.kind == "categorical"
        else trial.suggest_float(latent.name, 0.0, 1.0)
        for latent in results.space.latents
    }


def _plain(results: Results, splits: tuple[int, ...], epochs: int, seed: int) -> list[Found]:
    return optuna_search(results, splits, epochs, seed)


def _hyperband(results: Results, splits: tuple[int, ...], epochs: int, seed: int) -> list[Found]:
    import optuna

    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=EPOCHS, reduction_factor=3)
    return optuna_search(results, splits, epochs, seed, pruner)


def _median(results: Results, splits: tuple[int, ...], epochs: int, seed: int) -> list[Found]:
    import optuna

    return optuna_search(results, splits, epochs, seed, optuna.pruners.MedianPruner())


RIVALS: dict[str, Run] = {
    "Optuna TPE, its defaults": _plain,
    "Optuna TPE + HyperbandPruner": _hyperband,
    "Optuna TPE + MedianPruner": _median,
}
