"""Optuna's samplers, asked for proposals from a history that is handed in.

Nothing of Optuna's is kept between calls. A study is built in memory from the history, asked, and dropped, so that a
proposal is a pure function of (seed, history).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuner.records import Latent, Latents

__all__ = ["Observation", "gp", "importance", "tpe"]


@dataclass(frozen=True)
class Observation:
    """Latents that were tried and the value they gave; lower is better, inf for a trial that diverged.

    `noise` is the variance of the value where it is an estimate.
    """

    latents: Latents
    value: float
    noise: float = 0.0


def tpe(
    latents: Sequence[Latent],
    history: Sequence[Observation],
    count: int,
    seed: int,
    pending: Sequence[Latents] = (),
) -> list[Latents]:
    """`count` proposals of Optuna's multivariate TPE; those asked before count as pending for those asked after."""
    import optuna

    sampler = optuna.samplers.TPESampler(n_startup_trials=1, multivariate=True, constant_liar=True, seed=seed)
    return _asked(sampler, latents, history, count, pending)


def gp(
    latents: Sequence[Latent],
    history: Sequence[Observation],
    count: int,
    seed: int,
    pending: Sequence[Latents] = (),
) -> list[Latents]:
    """`count` proposals of Optuna's Gaussian process; those asked before count as pending for those asked after.

    A value that is not finite counts as the worst that was seen.
    """
    import optuna
    import torch

    torch.set_num_threads(1)  # sums in one order, whatever the machine
    worst = max((seen.value for seen in history if seen.value < float("inf")), default=0.0)
    finite = [Observation(seen.latents, min(seen.value, worst)) for seen in history]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.GPSampler(n_startup_trials=1, seed=seed)
    return _asked(sampler, latents, finite, count, pending)


def _asked(
    sampler: Any, latents: Sequence[Latent], history: Sequence[Observation], count: int, pending: Sequence[Latents]
) -> list[Latents]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {latent.name: _distribution(latent) for latent in latents}
    study = optuna.create_study(sampler=sampler, pruner=optuna.pruners.NopPruner())
    study.add_trials(
        [optuna.trial.create_trial(params=seen.latents, distributions=space, value=seen.value) for seen in history]
    )
    for point in pending:
        study.enqueue_trial(point)
        study.ask(space)
    return [dict(study.ask(space).params) for _ in range(count)]


def importance(latents: Sequence[Latent], history: Sequence[Observation]) -> dict[str, float]:
    """Compute each latent's share of what separates the best tenth of a history from the rest, by Optuna's PED-ANOVA.

    Source: Watanabe, Bansal, Hutter 2023, "PED-ANOVA". Shares add up to 1; all are 0 if nothing separates them.
    """
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {latent.name: _distribution(latent) for latent in latents}
    study = optuna.create_study()
    study.add_trials(
        [optuna.trial.create_trial(params=seen.latents, distributions=space, value=seen.value) for seen in history]
    )
    shares = PedAnovaImportanceEvaluator().evaluate(study)
    total = sum(shares.values())
    return {name: float(shares.get(name, 0.0) / total) if total > 0 else 0.0 for name in space}


def _distribution(latent: Latent) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if latent.kind == "categorical":
        return CategoricalDistribution(latent.choices)
    return FloatDistribution(0.0, 1.0)
