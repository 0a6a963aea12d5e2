"""What a whole-batch method minimises: a function of a vector, with as many derivatives as it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Objective", "penalised"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Objective:
    """A function of `(P,)`: `values (K, P) -> (K,)`, `slope (P,) -> (value, (P,))`, `hessian (P,) -> (P, P)`.

    `candidate(i)` is the i-th random point. `margin (P,)` is by how much the worst row is classified right along a
    direction, and `recedes (P,)` says whether a point lies on the way to an infimum that no point has; None where that
    means nothing. Without a Hessian, `no_hessian` says why.
    """

    start: Array
    values: Callable[[Array], Array]
    slope: Callable[[Array], tuple[float, Array]]
    candidate: Callable[[int], Array]
    hessian: Callable[[Array], Array] | None = None
    no_hessian: str = ""
    margin: Callable[[Array], float] | None = None
    recedes: Callable[[Array], bool] | None = None


def penalised(objective: Objective, decay: Array) -> Objective:
    """Add `decay (P,)` times half the squared point to an objective."""

    def values(points: Array) -> Array:
        total: Array = objective.values(points) + (points * points) @ decay / 2
        return total

    def slope(point: Array) -> tuple[float, Array]:
        value, gradient = objective.slope(point)
        return float(value + (point[None] * point[None] @ decay)[0] / 2), gradient + decay * point

    plain = objective.hessian
    hessian = None if plain is None else lambda point: plain(point) + np.diag(decay)
    return replace(objective, values=values, slope=slope, hessian=hessian)
