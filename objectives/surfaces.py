"""Analytic surfaces to descend: value, gradient, Hessian and the minima, known in closed form.

Every function takes points `(..., P)` and returns `(...)`, `(..., P)` or `(..., P, P)`, in the points' dtype.

    surface = surface_of("rosenbrock")
    surface.gradient(surface.start)         # (2,)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput, nearest

__all__ = ["SURFACES", "Surface", "quadratic", "surface_of"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Surface:
    """A function of P variables; `minima (M, P)` are all of its global ones, of value 0, unless said otherwise.

    `low` and `high` bound the square that shows it well; `start (P,)` is where descents customarily begin.
    """

    name: str
    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]
    minima: Array
    start: Array
    low: float
    high: float

    @property
    def size(self) -> int:
        """Return P, the number of variables."""
        return int(self.start.shape[-1])


def quadratic(condition: float = 100.0, size: int = 2) -> Surface:
    """Build half the sum of `c x^2`, with curvatures `c` spaced evenly in the logarithm from 1 to `condition`.

    Raises InvalidInput for a condition number below 1, or for fewer variables than it needs.
    """
    complaints = []
    if not 1 <= condition < np.inf:
        complaints.append(Complaint("condition", f"must be finite and at least 1, but is {condition}"))
    if size < 1 or (size == 1 and condition != 1):
        complaints.append(Complaint("size", f"must be at least {1 if condition == 1 else 2}, but is {size}"))
    if complaints:
        raise InvalidInput(*complaints)
    curvatures = np.geomspace(1.0, condition, size)

    def value(p: Array) -> Array:
        total: Array = (curvatures.astype(p.dtype) * p * p).sum(axis=-1) / 2
        return total

    def gradient(p: Array) -> Array:
        slope: Array = curvatures.astype(p.dtype) * p
        return slope

    def hessian(p: Array) -> Array:
        return np.broadcast_to(np.diag(curvatures.astype(p.dtype)), (*p.shape, size)).copy()

    return Surface("quadratic", value, gradient, hessian, np.zeros((1, size)), np.ones(size), -1.5, 1.5)


def _pair(p: Array) -> tuple[Array, Array]:
    return p[..., 0], p[..., 1]


def _square(xx: Array, xy: Array, yy: Array) -> Array:
    """Build a symmetric matrix `(..., 2, 2)` from its three entries."""
    xx, xy, yy = np.broadcast_arrays(xx, xy, yy)
    return np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)


def _rosenbrock(p: Array) -> Array:
    """Compute `(1 - x)^2 + 100 (y - x^2)^2`: a curved valley with an almost flat floor."""
    x, y = _pair(p)
    value: Array = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    return value


def _rosenbrock_gradient(p: Array) -> Array:
    x, y = _pair(p)
    return np.stack([2 * (x - 1) - 400 * x * (y - x * x), 200 * (y - x * x)], axis=-1)


def _rosenbrock_hessian(p: Array) -> Array:
    x, y = _pair(p)
    return _square(1200 * x * x - 400 * y + 2, -400 * x, np.full_like(x, 200))


_BEALE = np.array([1.5, 2.25, 2.625])


def _beale_terms(p: Array) -> tuple[Array, Array, Array, Array]:
    """Compute residuals `c - x + x y^i` and, for i = 1, 2, 3, `y^i - 1`, `i y^(i-1)`, `i (i-1) y^(i-2)`; all
    `(..., 3)`.
    """
    x, y = p[..., :1], p[..., 1:]
    rise = np.concatenate([y, y * y, y * y * y], axis=-1) - 1
    first = np.concatenate([np.ones_like(y), 2 * y, 3 * y * y], axis=-1)
    second = np.concatenate([np.zeros_like(y), np.full_like(y, 2), 6 * y], axis=-1)
    return _BEALE.astype(p.dtype) + x * rise, rise, first, second


def _beale(p: Array) -> Array:
    """`sum (c_i - x + x y^i)^2`: flat far out, with a narrow well."""
    residual, *_ = _beale_terms(p)
    value: Array = (residual**2).sum(axis=-1)
    return value


def _beale_gradient(p: Array) -> Array:
    residual, rise, first, _ = _beale_terms(p)
    x = p[..., :1]
    return np.stack([(2 * residual * rise).sum(axis=-1), (2 * residual * x * first).sum(axis=-1)], axis=-1)


def _beale_hessian(p: Array) -> Array:
    residual, rise, first, second = _beale_terms(p)
    x = p[..., :1]
    return _square(
        (2 * rise * rise).sum(axis=-1),
        (2 * (x * first * rise + residual * first)).sum(axis=-1),
        (2 * ((x * first) ** 2 + residual * x * second)).sum(axis=-1),
    )


def _himmelblau(p: Array) -> Array:
    """Compute `(x^2 + y - 11)^2 + (x + y^2 - 7)^2`: four equal minima."""
    x, y = _pair(p)
    value: Array = (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2
    return value


def _himmelblau_gradient(p: Array) -> Array:
    x, y = _pair(p)
    a, b = x * x + y - 11, x + y * y - 7
    return np.stack([4 * x * a + 2 * b, 2 * a + 4 * y * b], axis=-1)


def _himmelblau_hessian(p: Array) -> Array:
    x, y = _pair(p)
    return _square(12 * x * x + 4 * y - 42, 4 * (x + y), 12 * y * y + 4 * x - 26)


def _rastrigin(p: Array) -> Array:
    """Compute `10 P + sum (x^2 - 10 cos(2 pi x))`: a bowl with many local minima."""
    value: Array = (10 + p * p - 10 * np.cos(2 * np.pi * p)).sum(axis=-1)
    return value


def _rastrigin_gradient(p: Array) -> Array:
    slope: Array = 2 * p + 20 * np.pi * np.sin(2 * np.pi * p)
    return slope


def _rastrigin_hessian(p: Array) -> Array:
    diagonal = 2 + 40 * np.pi**2 * np.cos(2 * np.pi * p)
    hessian: Array = diagonal[..., None] * np.eye(p.shape[-1], dtype=p.dtype)
    return hessian


def _row(
    name: str,
    functions: tuple[Callable[[Array], Array], Callable[[Array], Array], Callable[[Array], Array]],
    minima: list[list[float]],
    start: list[float],
    half: float,
) -> Surface:
    return Surface(name, *functions, np.array(minima, float), np.array(start, float), -half, half)


# Himmelblau's minima other than (3, 2) are roots without a short form, here to double precision.
_HIMMELBLAU_MINIMA = [
    [3.0, 2.0],
    [-2.805118086952745, 3.131312518250573],
    [-3.779310253377747, -3.283185991286170],
    [3.584428340330492, -1.848126526964404],
]

SURFACES: dict[str, Surface] = {
    surface.name: surface
    for surface in (
        quadratic(),
        _row("rosenbrock", (_rosenbrock, _rosenbrock_gradient, _rosenbrock_hessian), [[1, 1]], [-1.2, 1], 2.0),
        _row("beale", (_beale, _beale_gradient, _beale_hessian), [[3, 0.5]], [1, 1], 4.5),
        _row("himmelblau", (_himmelblau, _himmelblau_gradient, _himmelblau_hessian), _HIMMELBLAU_MINIMA, [0, 0], 5.0),
        _row("rastrigin", (_rastrigin, _rastrigin_gradient, _rastrigin_hessian), [[0, 0]], [3.3, -2.2], 5.12),
    )
}


def surface_of(name: str) -> Surface:
    """Return the surface of that name. Raises InvalidInput with the nearest name."""
    if name not in SURFACES:
        raise InvalidInput(Complaint("surface", f"{name!r} is not known", nearest(name, SURFACES)))
    return SURFACES[name]
