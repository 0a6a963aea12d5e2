"""CMA-ES, replayed: the only door to the package `cmaes`, which is the one that Optuna's sampler of that name wraps.

Optuna's keeps a pickled optimizer in the attributes of its trials and draws from a generator that a resumed run would
start anew. Here the optimizer is told all past populations again, which takes a fraction of a millisecond each, and
draws from a stream of the generation's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tuner.records import Latents

__all__ = ["cma", "population"]

SIGMA = 0.3  # the first spread, on coordinates of [0, 1]


def population(dimensions: int) -> int:
    """Return the smallest generation that CMA-ES learns well from, `4 + floor(3 ln d)`.

    Source: Hansen 2016, "The CMA Evolution Strategy: A Tutorial", table 1.
    """
    return 4 + math.floor(3 * math.log(dimensions))


def cma(names: Sequence[str], populations: Sequence[Sequence[Latents]], count: int, seed: int) -> list[Latents]:
    """`count` proposals after `populations` of one size, each from best to worst: the order is all that is used."""
    from cmaes import CMA

    size = len(populations[0]) if populations else population(len(names))
    bounds = np.array([[0.0, 1.0]] * len(names))
    optimizer = CMA(np.full(len(names), 0.5), SIGMA, bounds=bounds, seed=0, population_size=size)
    for each in populations:
        points = [np.array([float(point[name]) for name in names]) for point in each]
        optimizer.tell([(point, float(place)) for place, point in enumerate(points)])
    optimizer.reseed_rng(seed)
    return [dict(zip(names, map(float, optimizer.ask()), strict=True)) for _ in range(count)]
