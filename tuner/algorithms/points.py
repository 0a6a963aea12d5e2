"""Points that need no history: at random, evenly spread, quasi-random, on a grid; functions of a seed and a number."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from objectives.rng import Stream, stream
from tuner.records import Block, Latent, Latents, at

__all__ = ["even", "grid", "halton", "random", "sobol"]


def random(latents: Sequence[Latent], seed: int, generation: int, count: int) -> list[Latents]:
    """Draw uniform points, with a random stream for each generation."""
    rng = stream(seed, Stream.RANDOM, generation)
    return [at(latents, rng.random(len(latents)).tolist()) for _ in range(count)]


def even(latents: Sequence[Latent], seed: int, i: int) -> Latents:
    """Point i of an even spread over the latents, the optimizers in turn where they are the first latent.

    An additive recurrence, `frac(shift + i / phi_d^k)` in dimension k = 1..d, with `phi_d` the root of
    `x^(d + 1) = x + 1`: as even as Sobol points in few dimensions, and point i needs no other. Source: Roberts 2018,
    "The unreasonable effectiveness of quasirandom sequences".
    """
    several = bool(latents) and latents[0].name == "optimizer"
    turns, d = len(latents[0].choices) if several else 1, len(latents) - several
    phi = 2.0
    for _ in range(64):
        phi = (1 + phi) ** (1 / (d + 1))
    shift = stream(seed, Stream.SPREAD).random((turns, d))[i % turns]
    u = ((shift + (i // turns + 1) * phi ** -np.arange(1.0, d + 1)) % 1).tolist()
    return at(latents, [(i % turns + 0.5) / turns, *u] if several else u)


def sobol(latents: Sequence[Latent], seed: int, first: int, count: int) -> list[Latents]:
    """Return `count` points of a scrambled Sobol sequence, starting at `first`. Source: Owen 1998, as in scipy."""
    from scipy.stats import qmc

    return _sequence(qmc.Sobol, latents, seed, first, count)


def halton(latents: Sequence[Latent], seed: int, first: int, count: int) -> list[Latents]:
    """Return `count` points of a scrambled Halton sequence, starting at `first`. Source: Owen 2017, as in scipy."""
    from scipy.stats import qmc

    return _sequence(qmc.Halton, latents, seed, first, count)


def _sequence(engine: Any, latents: Sequence[Latent], seed: int, first: int, count: int) -> list[Latents]:
    points = engine(d=len(latents), scramble=True, rng=stream(seed, Stream.SEQUENCE))
    if first:
        points.fast_forward(first)
    with warnings.catch_warnings():
        # scipy asks for a power of 2; a study has the trials that it has
        warnings.filterwarnings("ignore", message="The balance properties of Sobol")
        rows = points.random(count)
    return [at(latents, np.minimum(row, np.nextafter(1.0, 0.0)).tolist()) for row in rows]


def grid(blocks: Sequence[Block], seed: int, first: int, count: int) -> list[Latents]:
    """Return `count` points of a grid, starting at `first`, in a random order drawn once: any beginning is a fair
    sample.
    """
    ends = list(accumulate(block.size for block in blocks))
    order = stream(seed, Stream.SEQUENCE).permutation(ends[-1])[first : first + count]
    found = []
    for i in map(int, order):
        k = bisect_right(ends, i)
        found.append(blocks[k].point(i - (ends[k] - blocks[k].size)))
    return found
