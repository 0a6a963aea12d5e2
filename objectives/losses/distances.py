"""Losses of the distance between outputs and targets: squared, Huber's, absolute and of a quantile."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from objectives.losses.loss import Loss, identity
from objectives.losses.scratch import Scratch
from objectives.types import Array

__all__ = ["ABSOLUTE", "SQUARED", "flat_curvature", "huber", "mean_outputs", "quantile"]


def _squared_value(z: Array, y: Array, s: Scratch) -> None:
    """Compute `(z - y)^2`, averaged over outputs and summed over rows."""
    np.subtract(z, y, out=s.wide)
    _squares(s.wide, s)


def _squares(difference: Array, s: Scratch) -> None:
    np.multiply(difference, difference, out=s.wide)
    mean_outputs(s.wide, 1.0, s)


def mean_outputs(values: Array, factor: float, s: Scratch) -> None:
    """Write `factor` times the mean of `values` over outputs, summed over rows, to `s.total`."""
    np.add.reduce(values, axis=-2, keepdims=True, out=s.row)
    s.sum_rows(s.row, out=s.total)
    np.multiply(s.total, factor / values.shape[-2], out=s.total)


def _squared_gradient(z: Array, y: Array, s: Scratch) -> None:
    """Compute `2 (z - y) / (B C)`, as torch's MSELoss does (no factor of a half)."""
    np.subtract(z, y, out=z)
    _squares(z, s)
    np.multiply(z, 2.0 / (z.shape[-1] * z.shape[-2]), out=z)


def _squared_curvature(q: Array, y: Array) -> Array:
    """Compute `2 / C [c = k]`."""
    del y
    return np.broadcast_to(2 / q.shape[1] * np.eye(q.shape[1]), (*q.shape, q.shape[1]))


def _huber_value(z: Array, y: Array, s: Scratch, delta: float) -> None:
    """Compute `d^2 / 2` where `|d| <= delta`, else `delta (|d| - delta / 2)`, for `d = z - y`; mean over outputs,
    rows summed.

    Allocates memory: only losses over all rows use it.
    """
    _huber(z - y, s, delta)


def _huber(difference: Array, s: Scratch, delta: float) -> None:
    """Compute each row's `(2 d - c) c / 2`; leave `c`, the difference `d` clipped to +-delta, in `s.wide`."""
    np.clip(difference, -delta, delta, out=s.wide)
    np.multiply(difference, 2, out=difference)
    np.subtract(difference, s.wide, out=difference)
    np.multiply(difference, s.wide, out=difference)
    mean_outputs(difference, 0.5, s)


def _huber_gradient(z: Array, y: Array, s: Scratch, delta: float) -> None:
    """Compute `c / (B C)`, as torch's HuberLoss does: delta = infinity gives half the squared error."""
    np.subtract(z, y, out=z)
    _huber(z, s, delta)
    np.multiply(s.wide, 1.0 / (z.shape[-1] * z.shape[-2]), out=z)


def _huber_curvature(q: Array, y: Array, delta: float) -> Array:
    """Compute `1 / C [c = k]` where `|q - y| <= delta`, else 0."""
    near: Array = (np.abs(q - y) <= delta)[:, :, None] * np.eye(q.shape[1]) / q.shape[1]
    return near


def _absolute_value(z: Array, y: Array, s: Scratch) -> None:
    """Compute `|z - y|`, averaged over outputs and summed over rows."""
    np.subtract(z, y, out=s.wide)
    np.absolute(s.wide, out=s.wide)
    mean_outputs(s.wide, 1.0, s)


def _absolute_gradient(z: Array, y: Array, s: Scratch) -> None:
    """Compute `sign(z - y) / (B C)`, as torch's L1Loss does: 0 where both are equal."""
    _absolute_value(z, y, s)
    np.subtract(z, y, out=z)
    np.sign(z, out=z)
    np.multiply(z, 1.0 / (z.shape[-1] * z.shape[-2]), out=z)


def flat_curvature(q: Array, y: Array) -> Array:
    """Return zeros: the loss is made of straight pieces."""
    del y
    return np.zeros((*q.shape, q.shape[1]))


def _quantile_value(z: Array, y: Array, s: Scratch, level: float) -> None:
    """Compute `|d| / 2 + (level - 1/2) d` for `d = y - z`: the pinball loss, averaged over outputs and rows summed."""
    np.subtract(z, y, out=s.wide)
    sizes = np.absolute(s.wide)
    np.multiply(s.wide, 1.0 - 2.0 * level, out=s.wide)
    np.add(s.wide, sizes, out=s.wide)
    mean_outputs(s.wide, 0.5, s)


def _quantile_gradient(z: Array, y: Array, s: Scratch, level: float) -> None:
    """Compute `(sign(z - y) / 2 + 1/2 - level) / (B C)`."""
    _quantile_value(z, y, s, level)
    np.subtract(z, y, out=z)
    np.sign(z, out=z)
    np.add(z, 1.0 - 2.0 * level, out=z)
    np.multiply(z, 0.5 / (z.shape[-1] * z.shape[-2]), out=z)


@cache
def huber(delta: float = 1.0) -> Loss:
    """Build the Huber loss: squared near the target, linear beyond `delta`, so that outliers weigh less."""
    value, gradient = partial(_huber_value, delta=delta), partial(_huber_gradient, delta=delta)
    return Loss("huber", "regression", value, gradient, identity, partial(_huber_curvature, delta=delta))


@cache
def quantile(level: float = 0.5) -> Loss:
    """Build the pinball loss, which is least where a share `level` of the targets lies below the output."""
    value, gradient = partial(_quantile_value, level=level), partial(_quantile_gradient, level=level)
    return Loss("quantile", "regression", value, gradient, identity, flat_curvature)


SQUARED = Loss("squared_error", "regression", _squared_value, _squared_gradient, identity, _squared_curvature)
ABSOLUTE = Loss("absolute_error", "regression", _absolute_value, _absolute_gradient, identity, flat_curvature)
