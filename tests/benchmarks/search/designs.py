"""The rows of the tables: ways to search, and the default with one piece changed at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks.search.efficiency import Design
from tuner.latents import Latent, Latents, at

__all__ = ["MAIN", "PIECES", "REFERENCE"]

REFERENCE = "Optuna TPE, its defaults"


def anywhere(latents: Sequence[Latent], seed: int, i: int) -> Latents:
    """A point at random where the even spread would have its point i."""
    return at(latents, np.random.default_rng([seed, i]).random(len(latents)).tolist())


def nothing(space: Any) -> list[Latents]:
    """No points to start with."""
    del space
    return []


def piece(name: str, **search: Any) -> Design:
    return Design(name, search)


def constant(name: str, **values: Any) -> Design:
    return Design(name, constants={key.replace("__", "."): value for key, value in values.items()})


MAIN = (
    Design("default"),
    Design(REFERENCE, rival=REFERENCE),
    Design("Optuna TPE + HyperbandPruner", rival="Optuna TPE + HyperbandPruner"),
    Design("Optuna TPE + MedianPruner", rival="Optuna TPE + MedianPruner"),
    piece("random", sampler="random", pruner="none"),
    piece("random + halving", sampler="random"),
)
PIECES = (
    Design("default"),
    piece("pruner none", pruner="none"),
    piece("pruner hyperband", pruner="hyperband"),
    piece("pruner median", pruner="median"),
    piece("sampler qmc", sampler="qmc"),
    constant("no lag", tuner__search__proposals__LAG=0),
    constant("first generation at random", tuner__samplers__even=anywhere),
    constant("no defaults first", tuner__space__Space__defaults=nothing),
    piece("rungs 9", rungs=[9]),
    piece("rungs 6", rungs=[6]),
    piece("rungs 2, 7", rungs=[2, 7]),
    piece("rungs 1, 3, 9", rungs=[1, 3, 9]),
    piece("reduction 3", reduction=3),
    piece("reduction 6", reduction=6),
    piece("generation_size 16", generation_size=16),
    piece("generation_size 24", generation_size=24),
    piece("generation_size 32", generation_size=32),
    piece("generation_size 64", generation_size=64),
    piece("random_share 0", random_share=0.0),
    piece("random_share 1/6", random_share=1 / 6),
    piece("random_share 1/2", random_share=0.5),
    constant("a model from 16 trials", tuner__search__model__ENOUGH=16),
    constant("modelled: 40, 10 best", tuner__search__model__MODELLED=40, tuner__search__model__BEST_MODELLED=10),
    constant("modelled: 300, 50 best", tuner__search__model__MODELLED=300, tuner__search__model__BEST_MODELLED=50),
    piece("allocation equal", allocation="equal"),
)
