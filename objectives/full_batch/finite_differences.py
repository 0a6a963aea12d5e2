"""The slope of a function, numerically: differences of its values.

A function takes stacked points `(N, P)` and returns `(N,)`. Steps come from the dtype, relative to the coordinate: the
cube root of epsilon for central differences, whose error of h^2 then balances rounding, the square root for forward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Function", "central_differences", "directional_derivative", "forward_differences"]

Array = NDArray[Any]
Function = Callable[[Array], Array]
TOGETHER = 64  # points at once


def central_differences(
    function: Function, point: Array, coordinates: Array | None = None, shrink: float = 1.0
) -> Array:
    """Compute `(f(p + h) - f(p - h)) / 2h` at `point (P,)`, for all or the given coordinates; 2 evaluations each."""
    where = np.arange(len(point)) if coordinates is None else np.asarray(coordinates)
    h = _steps(point, 1 / 3)[where] * shrink
    ahead, over = _moved(function, point, where, h)
    behind, under = _moved(function, point, where, -h)
    slopes: Array = (ahead - behind) / (over - under)
    return slopes


def forward_differences(function: Function, point: Array, coordinates: Array | None = None) -> Array:
    """Compute `(f(p + h) - f(p)) / h` at `point (P,)`: half the evaluations of central differences, half the digits."""
    where = np.arange(len(point)) if coordinates is None else np.asarray(coordinates)
    ahead, over = _moved(function, point, where, _steps(point, 1 / 2)[where])
    slopes: Array = (ahead - function(point[None])) / (over - point[where])
    return slopes


def directional_derivative(function: Function, point: Array, direction: Array, shrink: float = 1.0) -> float:
    """Compute gradient . direction at `point (P,)` along `direction (P,)` by one central difference."""
    scale = max(1.0, float(np.abs(point).max())) / max(float(np.abs(direction).max()), float(np.finfo(float).tiny))
    h = float(np.finfo(point.dtype).eps) ** (1 / 3) * scale * shrink
    ahead, behind = function(np.stack([point + h * direction, point - h * direction]))
    return float((ahead - behind) / (2 * h))


def _steps(point: Array, power: float) -> Array:
    steps: Array = float(np.finfo(point.dtype).eps) ** power * np.maximum(1, np.abs(point))
    return steps


def _moved(function: Function, point: Array, where: Array, h: Array) -> tuple[Array, Array]:
    """Evaluate the function with one coordinate moved by h each; return the values `(M,)` and the coordinates reached.

    Rounding makes the step that is really taken differ from h.
    """
    moved = (point[where] + h).astype(point.dtype)
    values = []
    for start in range(0, len(where), TOGETHER):
        rows = slice(start, start + TOGETHER)
        points = np.repeat(point[None], len(where[rows]), axis=0)
        points[np.arange(len(points)), where[rows]] = moved[rows]
        values.append(function(points))
    return np.concatenate([np.empty(0), *values]), moved
