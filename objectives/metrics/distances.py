"""Metrics of distances between values and targets, in the targets' units: means over rows and targets."""

from __future__ import annotations

import numpy as np

from objectives.metrics.metric import RowFacts, mean_over, parts_of_mean
from objectives.types import Array

__all__ = ["deviance", "deviance_parts", "mae", "mae_parts", "mape", "mape_parts", "pinball", "pinball_parts"]

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


def _pinball(z: Array, y: Array, rows: RowFacts, level: float) -> Array:
    """Compute each row's `max(level d, (level - 1) d)` for `d = y - z`, the mean over targets, `(R, K, n)`."""
    away = (y.astype(np.float64) - z) * rows.scale[..., None]
    return np.ascontiguousarray(np.maximum(level * away, (level - 1) * away).mean(axis=-2))


def pinball(z: Array, y: Array, rows: RowFacts, level: float = 0.5) -> Array:
    """Compute the mean pinball loss of a quantile, as scikit-learn's mean_pinball_loss."""
    return mean_over(_pinball(z, y, rows, level), rows)


def pinball_parts(z: Array, y: Array, rows: RowFacts, level: float = 0.5) -> Array:
    """Compute what each row adds to it, `(R, K, n)`."""
    return parts_of_mean(_pinball(z, y, rows, level), rows)


def _deviance(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute each row's `2 (y log(y / m) - y + m)`, the mean over targets `(R, K, n)`; inf where m is not above 0."""
    scale, mean = rows.scale[..., None], rows.mean[..., None]
    said, own = (np.asarray(one.astype(np.float64) * scale + mean) for one in (z, y))
    own = np.broadcast_to(own, said.shape)
    positive = said > 0
    ratio = np.divide(own, said, out=np.ones(said.shape), where=positive & (own > 0))
    found = np.where(positive, 2 * (own * np.log(ratio) - own + said), np.inf)
    return np.ascontiguousarray(found.mean(axis=-2))


def deviance(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute the mean Poisson deviance, as scikit-learn's mean_poisson_deviance."""
    return mean_over(_deviance(z, y, rows), rows)


def deviance_parts(z: Array, y: Array, rows: RowFacts) -> Array:
    """Compute what each row adds to it, `(R, K, n)`."""
    return parts_of_mean(_deviance(z, y, rows), rows)
