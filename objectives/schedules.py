"""Learning-rate schedules: the factor on the base rate at update `k = 0, 1, ...` of a horizon of `T` updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCHEDULES"]

Array = NDArray[Any]


def constant(k: Array, horizon: int) -> Array:
    """`1`."""
    del horizon
    return np.ones(k.shape)


def cosine(k: Array, horizon: int) -> Array:
    """`(1 + cos(pi k / T)) / 2`, zero from T on: torch's CosineAnnealingLR(T_max=T), which rises again after T."""
    return (1 + np.cos(np.pi * np.minimum(k, horizon) / horizon)) / 2


SCHEDULES: dict[str, Callable[[Array, int], Array]] = {"constant": constant, "cosine": cosine}
