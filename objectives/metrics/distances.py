"""Metrics of distances between values and targets, in the targets' units: means over rows and targets."""

from __future__ import annotations

import numpy as np

from objectives.metrics.metric import RowFacts, mean_over, parts_of_mean
from objectives.types import Array

__all__ = ["mae", "mae_parts", "mape", "mape_parts"]

LEAST = float(np.finfo(np.float64).eps)  # of a target that an error is a share of, as in scikit-learn


def _absolute(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute each row's absolute error, the mean over targets, `(R, K, n)`."""
    away = np.abs(z.astype(np.float64) - y) * rows.scale[..., None]
    return np.ascontiguousarray(away.mean(axis=-2))


def mae(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute the mean absolute error."""
    return mean_over(_absolute(z, y, rows), rows)


def mae_parts(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute what each row adds to the mean absolute error, `(R, K, n)`."""
    return parts_of_mean(_absolute(z, y, rows), rows)


def _relative(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute each row's absolute error as a share of its target, the mean over targets, `(R, K, n)`."""
    scale, mean = rows.scale[..., None], rows.mean[..., None]
    units = np.maximum(np.abs(y.astype(np.float64) * scale + mean), LEAST)
    return np.ascontiguousarray((np.abs(z.astype(np.float64) - y) * scale / units).mean(axis=-2))


def mape(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute the mean absolute error as a share of the target: 0.1 is a tenth of it."""
    return mean_over(_relative(z, y, rows), rows)


def mape_parts(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute what each row adds to it, `(R, K, n)`."""
    return parts_of_mean(_relative(z, y, rows), rows)
