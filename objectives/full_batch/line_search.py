"""How far to go along a direction: Armijo backtracking, and a search for the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Place", "armijo", "strong_wolfe"]

Array = NDArray[Any]
DECREASE, CURVATURE = 1e-4, 0.9  # c1 and c2 of the Wolfe conditions, as in Nocedal and Wright and every library
HALVINGS, SEARCHES = 50, 30


@dataclass(frozen=True)
class Place:
    """A place on the line: step `t`, value, slope along the direction, gradient `(P,)`."""

    t: float
    value: float
    slope: float
    gradient: Array


def armijo(value_at: Callable[[float], float], value: float, slope: float, t: float) -> tuple[float | None, int]:
    """Return the first of `t, t / 2, t / 4 ...` with sufficient decrease, or None, and the number of evaluations."""
    for i in range(HALVINGS):
        if value_at(t) <= value + DECREASE * t * slope:
            return t, i + 1
        t /= 2
    return None, HALVINGS


def strong_wolfe(place_at: Callable[[float], Place], origin: Place, t: float) -> tuple[Place | None, int]:
    """Find a point that satisfies the strong Wolfe conditions; return it and the number of evaluations.

    Nocedal and Wright, algorithms 3.5 and 3.6, with cubic interpolation. When the evaluations run out, return the best
    point found, or None if that is no better than the origin.
    """
    low = origin
    for i in range(SEARCHES):
        here = place_at(t)
        if not _decreases(here, origin) or (i > 0 and here.value >= low.value):
            return _zoom(place_at, origin, low, here, i + 1)
        if abs(here.slope) <= -CURVATURE * origin.slope:
            return here, i + 1
        if here.slope >= 0:
            return _zoom(place_at, origin, here, low, i + 1)
        low, t = here, 2 * t
    return low, SEARCHES


def _decreases(here: Place, origin: Place) -> bool:
    return here.value <= origin.value + DECREASE * here.t * origin.slope


def _zoom(
    place_at: Callable[[float], Place], origin: Place, low: Place, high: Place, made: int
) -> tuple[Place | None, int]:
    """Narrow the interval from `low`, the best so far, to `high`, between which the conditions hold somewhere."""
    while made < SEARCHES and low.t != high.t:
        here = place_at(_cubic(low, high))
        made += 1
        if not _decreases(here, origin) or here.value >= low.value:
            high = here
            continue
        if abs(here.slope) <= -CURVATURE * origin.slope:
            return here, made
        if here.slope * (high.t - low.t) >= 0:
            high = low
        low = here
    return (low if low.value < origin.value else None), made


def _cubic(low: Place, high: Place) -> float:
    """Minimise the cubic through both points, at least a tenth of the interval away from its ends."""
    width = high.t - low.t
    share = 0.5
    if np.isfinite(high.value) and np.isfinite(high.slope):
        a = low.slope + high.slope - 3 * (low.value - high.value) / (low.t - high.t)
        square = a * a - low.slope * high.slope
        if square >= 0:
            root = float(np.copysign(np.sqrt(square), width))
            below = high.slope - low.slope + 2 * root
            share = 1 - (high.slope + root - a) / below if below != 0 else 0.5
    return low.t + min(max(share, 0.1), 0.9) * width
