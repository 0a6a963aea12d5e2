"""Random streams: one generator a purpose, each a pure function of the seed and the purpose's key.

Nothing about randomness is kept in a state: whoever needs numbers asks for the stream by name. Keys go through
SeedSequence's spawn key, because plain seeds that differ by a trailing zero give the same numbers.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

__all__ = ["Stream", "stream"]


class Stream(IntEnum):
    """What random numbers are for; the number is part of what a seed means, so it never changes."""

    WEIGHTS = 0  # (replicate)
    ORDER = 1  # (replicate, epoch)
    TEST_ROWS = 2  # ()
    VALID_ROWS = 3  # (replicate)
    SPREAD = 4  # ()
    RANDOM = 5  # (generation)
    SHARE = 6  # (generation)
    MODEL = 7  # (generation)
    CANARY = 8  # ()
    SCORERS = 9  # ()
    CHECK = 12  # (replicate)
    CANDIDATES = 13  # (replicate, candidate)
    DROPOUT = 14  # (replicate, epoch, layer)
    NOISE = 15  # (replicate)
    POSTERIOR = 20  # ()
    SEQUENCE = 21  # ()
    VERIFICATION = 22  # ()
    REPEATS = 23  # (generation)
    BOOTSTRAP = 24  # (rows)
    FEASIBLE = 30  # (generation)


def stream(seed: int, purpose: Stream, *key: int) -> np.random.Generator:
    """Return the random generator of one purpose and key under a seed."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(purpose), *key)))
