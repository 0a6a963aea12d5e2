"""A Gaussian process over points of the unit cube: Matern 5/2 with a length scale for each coordinate.

Numbers are compared by distance, names (coded as whole numbers) by whether they are the same. Every function is pure.
Source: Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", chapters 2, 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tuner.algorithms.fitting import fit, matern, matern_slope, solved, solved_lower, squares_between

__all__ = ["Array", "Flags", "GaussianProcess", "fitted"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEAST_VARIANCE = 1e-12


@dataclass(frozen=True)
class GaussianProcess:
    """The posterior after values `y (N,)` at points `x (N, D)`.

    `inverse (D,)` holds inverse squared lengths, `scale` the kernel's variance, `noise` that of an observation; `lower`
    is the Cholesky factor of the kernel matrix with noise, and `weights (N,)` solve it for `y`.
    """

    x: Array
    y: Array
    numbers: Flags
    inverse: Array
    scale: float
    noise: float
    lower: Array
    weights: Array

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Return mean and variance `(M,)` of the function at points `(M, D)`."""
        kernel = self._kernel(points)
        spread = (solved_lower(self.lower, kernel.T) ** 2).sum(axis=0)
        return kernel @ self.weights, np.maximum(self.scale - spread, LEAST_VARIANCE)

    def slopes(self, point: Array) -> tuple[float, float, Array, Array]:
        """Return mean and variance at one point `(D,)`, and their gradients `(D,)`: 0 along names."""
        squares = squares_between(point[None], self.x, self.numbers)[0] @ self.inverse
        kernel = self.scale * matern(squares)
        along = np.where(self.numbers, 2 * self.inverse * (point - self.x), 0.0)
        change = (self.scale * matern_slope(squares))[:, None] * along
        spread = solved(self.lower, kernel)
        variance = max(float(self.scale - kernel @ spread), LEAST_VARIANCE)
        return float(kernel @ self.weights), variance, self.weights @ change, -2 * spread @ change

    def expecting(self, point: Array) -> GaussianProcess:
        """Return the posterior after one point `(D,)` more, at which just what is expected was observed."""
        column = self._kernel(point[None])[0]
        across = solved_lower(self.lower, column)
        corner = np.sqrt(max(self.scale + self.noise - float(across @ across), LEAST_VARIANCE))
        lower = np.block([[self.lower, np.zeros((len(across), 1))], [across[None], corner[None, None]]])
        y = np.append(self.y, column @ self.weights)
        return replace(self, x=np.vstack([self.x, point]), y=y, lower=lower, weights=solved(lower, y))

    def _kernel(self, points: Array) -> Array:
        return self.scale * matern(squares_between(points, self.x, self.numbers) @ self.inverse)


def fitted(x: Array, y: Array, numbers: Flags, extra: Array | None = None) -> GaussianProcess:
    """Return the process whose hyperparameters are most likely for values `y (N,)` at points `x (N, D)`.

    The values have mean 0 and variance 1. `extra (N,)` is the variance of each observation beside the common noise.
    """
    more = np.zeros(len(y)) if extra is None else extra
    squares = squares_between(x, x, numbers)
    inverse, scale, noise = fit(squares, y, more)
    kernel = scale * matern(squares @ inverse) + np.diag(noise + more)
    lower = np.asarray(np.linalg.cholesky(kernel), dtype=np.float64)
    return GaussianProcess(x, y, numbers, inverse, scale, noise, lower, solved(lower, y))
