"""CMA-ES, replayed: the only door to the package `cmaes`, which is the one that Optuna's sampler of that name wraps.

Optuna's keeps a pickled optimizer in the attributes of its trials and draws from a generator that a resumed run would
start anew. Here the optimizer is told all past generations again, which takes a fraction of a millisecond each, and
draws from a stream of the generation's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuner.latents import Latents

__all__ = ["cma"]

SIGMA = 0.3  # the first spread, on coordinates of [0, 1]


def cma(names: Sequence[str], generations: Sequence[Sequence[Latents]], count: int, seed: int) -> list[Latents]:
    """`count` proposals after `generations`, each of which is ordered from best to worst. CMA-ES uses the order alone.

    Generations of another size than the first teach nothing: what a run that was cut short leaves behind, and with
    hyperband or equal allocation those of another ladder or turn.
    """
    from cmaes import CMA

    size = len(generations[0]) if generations else max(count, 2)
    bounds = np.array([[0.0, 1.0]] * len(names))
    optimizer = CMA(np.full(len(names), 0.5), SIGMA, bounds=bounds, seed=0, population_size=max(size, 2))
    for generation in generations:
        if len(generation) == optimizer.population_size:
            points = [np.array([float(point[name]) for name in names]) for point in generation]
            optimizer.tell([(point, float(place)) for place, point in enumerate(points)])
    optimizer.reseed_rng(seed)
    return [dict(zip(names, map(float, optimizer.ask()), strict=True)) for _ in range(count)]
