"""The kernel of a Gaussian process, and the hyperparameters under which what was observed is most likely.

Source: Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", equations 4.17 and 5.9. The priors are
those of Optuna's sampler.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit", "matern", "matern_slope", "solved", "solved_lower", "squares_between"]

Array = NDArray[np.float64]
STEPS = 30  # of L-BFGS
LEAST_NOISE = 1e-6  # variance, of values with variance 1
LENGTHS, SCALES, NOISES = (-7.0, 7.0), (-5.0, 5.0), (math.log(LEAST_NOISE), 1.0)  # bounds of the logs
START_NOISE = math.log(1e-3)


def matern(squares: Array) -> Array:
    """Return the Matern 5/2 kernel at squared distances: `(1 + r + r^2 / 3) exp(-r)` with `r = sqrt(5 s)`."""
    root = np.sqrt(5 * squares)
    return np.asarray((1 + root + root**2 / 3) * np.exp(-root))


def matern_slope(squares: Array) -> Array:
    """Return the kernel's derivative by the squared distance: `-5/6 (1 + r) exp(-r)`."""
    root = np.sqrt(5 * squares)
    return np.asarray(-5 / 6 * (1 + root) * np.exp(-root))


def squares_between(a: Array, b: Array, numbers: NDArray[np.bool_]) -> Array:
    """Return squared distances `(M, N, D)` of points `(M, D)` and `(N, D)` by coordinate: 1 between unlike names."""
    apart = a[:, None, :] - b[None, :, :]
    return apart**2 if numbers.all() else np.where(numbers, apart**2, (apart != 0).astype(np.float64))


def solved_lower(lower: Array, right: Array) -> Array:
    """Return `L^-1 right`."""
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(lower, right, lower=True, check_finite=False))


def solved(lower: Array, right: Array) -> Array:
    """Return `(L L^T)^-1 right`."""
    from scipy.linalg import cho_solve

    return np.asarray(cho_solve((lower, True), right, check_finite=False))


def fit(squares: Array, y: Array, extra: Array) -> tuple[Array, float, float]:
    """Return inverse squared lengths `(D,)`, the kernel's scale and the noise's variance.

    `squares (N, N, D)` are squared distances by coordinate, `extra (N,)` is that of each value beside the noise.
    """
    from scipy.optimize import minimize

    d = squares.shape[-1]
    flat = squares.reshape(-1, d)

    def loss(logs: Array) -> tuple[float, Array]:
        return penalized(logs, flat, y, extra)

    start = np.array([0.0] * d + [0.0, START_NOISE])
    bounds = [LENGTHS] * d + [SCALES, NOISES]
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
    return np.exp(found.x[:d]), math.exp(found.x[d]), math.exp(found.x[d + 1])


def penalized(logs: Array, flat: Array, y: Array, extra: Array) -> tuple[float, Array]:
    """Return minus the log likelihood and the log prior, and its gradient, at the logs of the hyperparameters."""
    n, d = len(y), flat.shape[-1]
    lengths, (scale, noise) = np.exp(logs[:d]), np.exp(logs[d:]).tolist()
    squares = (flat @ lengths).reshape(n, n)
    base = matern(squares)
    kernel = scale * base
    kernel.flat[:: n + 1] += noise + extra
    try:
        lower = np.linalg.cholesky(kernel)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros(d + 2)
    inverse = solved(lower, np.eye(n))
    weights = inverse @ y
    inner = np.outer(weights, weights) - inverse  # d log p = tr(inner dK) / 2, equation 5.9
    value = 0.5 * float(y @ weights) + float(np.log(np.diag(lower)).sum())
    by_length = (inner * (scale * matern_slope(squares))).reshape(-1) @ flat
    gradient = -0.5 * np.array([*(by_length * lengths), scale * float((inner * base).sum()), noise * np.trace(inner)])
    prior, by_prior = prior_at(logs, lengths, scale, noise)
    return value + prior, gradient + by_prior


def prior_at(logs: Array, lengths: Array, scale: float, noise: float) -> tuple[float, Array]:
    """Return minus the log prior and its gradient: lengths near 1, the scale Gamma(2, 1), the noise Gamma(1.1, 30)."""
    d = len(lengths)
    value = 0.1 * float((1 / lengths + lengths).sum()) - (logs[d] - scale) - (0.1 * logs[d + 1] - 30 * noise)
    return value, np.array([*(0.1 * (lengths - 1 / lengths)), scale - 1, 30 * noise - 0.1])
