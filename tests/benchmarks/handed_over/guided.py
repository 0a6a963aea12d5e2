"""Optuna's TPE over our space, our core training: a trial is judged by the lowest point of its mean curve."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.handed_over.divisions import Division, curves
from tests.benchmarks.handed_over.methods import Handed, best_of, handed

__all__ = ["optuna_search", "tried"]


def tried(division: Division, data: Any, latents: dict[str, Any]) -> tuple[float, int, dict[str, Any]]:
    """The lowest point of the mean curve on `data` of the config at `latents`: loss, epochs and the config."""
    config = division.space.config(latents)
    found = curves(data, [config])
    _, epochs = best_of(found)
    loss = float(found[0].mean(axis=0)[epochs - 1])
    return loss if np.isfinite(loss) else np.inf, epochs, config


def suggested(trial: Any, division: Division) -> dict[str, Any]:
    """Latents as Optuna suggests them."""
    return {
        latent.name: trial.suggest_categorical(latent.name, latent.choices)
        if latent.kind == "categorical"
        else trial.suggest_float(latent.name, 0.0, 1.0)
        for latent in division.space.latents
    }


def optuna_search(splits: int) -> Callable[[Division, int], Handed]:
    """So many trials one after another, each on the same few splits."""

    def search(division: Division, trials: int) -> Handed:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        began = time.perf_counter()
        data = division.splits(splits, division.seed)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=division.seed))
        found = []
        for _ in range(trials):
            trial = study.ask()
            found.append(tried(division, data, suggested(trial, division)))
            study.tell(trial, found[-1][0])
        _, epochs, config = min(found, key=lambda one: one[0])
        return handed(division, config, epochs, trials * splits, began)

    return search
