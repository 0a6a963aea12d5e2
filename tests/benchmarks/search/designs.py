"""The rows of the tables: ways to search, and the default with one piece changed at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks.search.efficiency import Design
from tests.benchmarks.search.rivals import RIVALS
from tuner.records import Latent, Latents, at

__all__ = ["DEFAULT", "MAIN", "PIECES"]


def anywhere(latents: Sequence[Latent], seed: int, i: int) -> Latents:
    """A point at random where the even spread would have its point i."""
    return at(latents, np.random.default_rng([seed, i]).random(len(latents)).tolist())


def nothing(space: Any) -> list[Latents]:
    """No points to start with."""
    del space
    return []


DEFAULT = Design("default")
MAIN = (
    DEFAULT,
    *(Design(name, rival=name) for name in RIVALS),
    Design("random", {"sampler": "random", "pruner": "none"}),
    Design("random + halving", {"sampler": "random"}),
)
PIECES = (
    DEFAULT,
    Design("pruner none", {"pruner": "none"}),
    Design("pruner hyperband", {"pruner": "hyperband"}),
    Design("pruner median", {"pruner": "median"}),
    Design("sampler random", {"sampler": "random"}),
    Design("sampler qmc", {"sampler": "qmc"}),
    Design("no lag of a generation", constants={"tuner.search.rungs.LAG": 0}),
    Design("first generation at random, not even", constants={"tuner.algorithms.samplers.even": anywhere}),
    Design("no defaults first", constants={"tuner.space.Space.defaults": nothing}),
    Design("rungs 9, 27", {"rungs": [9]}),
    Design("rungs 6, 27", {"rungs": [6]}),
    Design("rungs 2, 7, 27", {"rungs": [2, 7]}),
    Design("rungs 1, 3, 9, 27", {"rungs": [1, 3, 9]}),
    Design("reduction 3", {"reduction": 3}),
    Design("reduction 6", {"reduction": 6}),
    Design("generation_size 16", {"generation_size": 16}),
    Design("generation_size 24", {"generation_size": 24}),
    Design("generation_size 64", {"generation_size": 64}),
    Design("generation_size 128", {"generation_size": 128}),
    Design("random_share 0", {"random_share": 0.0}),
    Design("random_share 1/6", {"random_share": 1 / 6}),
    Design("random_share 1/2", {"random_share": 0.5}),
    Design("a model from 16 trials on, not 8", constants={"tuner.search.history.ENOUGH": 16}),
    Design(
        "modelled: 40, 10 best, not 100, 25 best",
        constants={"tuner.search.history.MODELLED": 40, "tuner.search.history.BEST_MODELLED": 10},
    ),
    Design("allocation equal", {"allocation": "equal"}),
)
