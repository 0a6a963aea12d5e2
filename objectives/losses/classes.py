"""Losses of classes: cross-entropies of one output or of several, with label smoothing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import numpy as np

from objectives.losses.loss import Loss
from objectives.losses.scratch import Scratch
from objectives.types import Array

__all__ = ["BINARY", "SOFTMAX", "smoothed"]


def _classes(y: Array) -> Array:
    """Return the class indices `(..., 1)` of one-hot targets `(..., C)`."""
    classes: Array = y.argmax(axis=-1, keepdims=True)
    return classes


def _softmax_value(z: Array, y: Array, s: Scratch, smoothing: float = 0.0) -> None:
    """Compute `log(sum exp(z - max)) - (z_y - max)`; leave `exp(z - max)` in `s.wide` and its class sums in `s.row`.

    Label smoothing adds `smoothing (z_y - mean z)`: the targets are `(1 - smoothing) [c = y] + smoothing / C`.
    """
    np.maximum.reduce(z, axis=-2, keepdims=True, out=s.row)
    np.subtract(z, s.row, out=s.wide)
    s.find(y)
    s.wide.ravel(order="K").take(s.at, out=s.second, mode="clip")
    np.exp(s.wide, out=s.wide)
    np.add.reduce(s.wide, axis=-2, keepdims=True, out=s.row)
    np.log(s.row, out=s.third)
    np.subtract(s.third, s.second, out=s.second)
    if smoothing:
        _pull_to_uniform(z, s, smoothing)
    s.sum_rows(s.second, out=s.total)


def _pull_to_uniform(z: Array, s: Scratch, smoothing: float) -> None:
    """Add `smoothing (z_y - mean z)` to the rows' losses in `s.second`; `s.at` says where each `z_y` stands."""
    z.ravel(order="K").take(s.at, out=s.third, mode="clip")
    np.multiply(s.third, smoothing, out=s.third)
    np.add(s.second, s.third, out=s.second)
    np.add.reduce(z, axis=-2, keepdims=True, out=s.third)
    np.multiply(s.third, smoothing / z.shape[-2], out=s.third)
    np.subtract(s.second, s.third, out=s.second)


def _softmax_gradient(z: Array, y: Array, s: Scratch, smoothing: float = 0.0) -> None:
    """Compute `(softmax(z) - (1 - smoothing) [c = y] - smoothing / C) / B`."""
    _softmax_value(z, y, s, smoothing)
    np.multiply(s.row, z.shape[-1], out=s.row)
    np.divide(s.wide, s.row, out=z)
    memory = z.ravel(order="K")
    memory.take(s.at, out=s.second, mode="clip")
    np.subtract(s.second, (1.0 - smoothing) / z.shape[-1], out=s.second)
    memory[s.at] = s.second
    if smoothing:
        np.subtract(z, smoothing / (z.shape[-1] * z.shape[-2]), out=z)


def _binary_value(z: Array, y: Array, s: Scratch) -> None:
    """Compute `max(z, 0) - z y + log(1 + exp(-|z|))` for each row: large terms of the right sign cancel exactly."""
    np.absolute(z, out=s.row)
    np.negative(s.row, out=s.row)
    np.exp(s.row, out=s.row)
    np.maximum(z, 0, out=s.wide)
    np.multiply(z, y, out=s.second)
    np.subtract(s.wide, s.second, out=s.wide)
    np.log1p(s.row, out=s.second)
    np.add(s.second, s.wide, out=s.second)
    s.sum_rows(s.second, out=s.total)


def _binary_gradient(z: Array, y: Array, s: Scratch) -> None:
    """Compute `(sigmoid(z) - y) / B`, where sigmoid is `max(e, z >= 0) / (1 + e)` with `e = exp(-|z|)`."""
    _binary_value(z, y, s)
    np.greater_equal(z, 0, out=z)
    np.maximum(z, s.row, out=z)
    np.add(s.row, 1, out=s.row)
    np.divide(z, s.row, out=z)
    np.subtract(z, y, out=z)
    np.multiply(z, 1.0 / z.shape[-1], out=z)


def _softmax(z: Array) -> Array:
    """Compute probabilities over classes, axis -2."""
    e = np.exp(z - z.max(axis=-2, keepdims=True))
    shares: Array = e / e.sum(axis=-2, keepdims=True)
    return shares


def _sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    p: Array = np.where(z >= 0, 1, e) / (1 + e)
    return p


def _softmax_curvature(q: Array, y: Array) -> Array:
    """Compute `q_c ([c = k] - q_k)`."""
    del y
    curvature: Array = q[:, :, None] * (np.eye(q.shape[1]) - q[:, None, :])
    return curvature


def _sigmoid_curvature(q: Array, y: Array) -> Array:
    """Compute `q (1 - q)`."""
    del y
    curvature: Array = (q * (1 - q))[:, :, None]
    return curvature


SOFTMAX = Loss(
    "softmax_cross_entropy", "multiclass", _softmax_value, _softmax_gradient, _softmax, _softmax_curvature, _classes
)
BINARY = Loss("binary_cross_entropy", "binary", _binary_value, _binary_gradient, _sigmoid, _sigmoid_curvature)


@cache
def smoothed(name: str, smoothing: float) -> Loss:
    """Build a cross-entropy whose targets are mixed with the uniform distribution over the classes.

    As torch.nn.CrossEntropyLoss(label_smoothing=smoothing) has it; two classes with one output have theirs halfway to
    1/2. Source: Szegedy et al. 2016.
    """
    plain = {loss.name: loss for loss in (SOFTMAX, BINARY)}[name]
    if plain.task == "binary":
        return replace(plain, target=lambda y: y * (1 - smoothing) + smoothing / 2)
    value, gradient = partial(_softmax_value, smoothing=smoothing), partial(_softmax_gradient, smoothing=smoothing)
    return replace(plain, value=value, gradient=gradient)
