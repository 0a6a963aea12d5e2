"""Losses of stacked outputs, with their gradient: a mean over the rows, as in torch.

Outputs `z` and targets `y` stand features first, `(R, K, C, B)` and `(R, 1, C, B)`, and in memory the classes come
first of all: reductions over the few classes then run along long rows of memory. Softmax is told the classes,
`(R, 1, 1, B)`, instead of columns of zeros and a one. A loss adds up its rows with matrix products against a column of
ones, whose order of summation is that of one trial alone, whatever it is packed with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from objectives.buffers import outputs as outputs_buffer
from objectives.types import Array

__all__ = ["LOSSES", "Loss", "Scratch", "huber", "loss_of", "losses_for", "smoothed"]


class Scratch:
    """Buffers of a loss for outputs of one shape: `row` and `total` hold a value a row and a value a trial.

    `at` are places in the memory of such outputs: those that `find` has found.
    """

    def __init__(self, replicates: int, trials: int, outputs: int, rows: int, dtype: Any) -> None:
        self.row = np.empty((replicates, trials, 1, rows), dtype)
        self.second = np.empty_like(self.row)
        self.third = np.empty_like(self.row)
        self.ones = np.ones((rows, 1), dtype)
        self.total = np.empty((replicates, trials, 1, 1), dtype)
        self.wide = outputs_buffer(replicates, trials, outputs, rows, dtype)
        places = np.empty_like(self.wide, np.intp)
        places.ravel(order="K")[:] = np.arange(places.size)
        self.first = np.ascontiguousarray(places[:, :, :1])
        self.apart = np.array(places[0, 0, 1, 0] if outputs > 1 else 0)
        self.steps = np.empty((replicates, 1, 1, rows), np.intp)
        self.at = np.empty_like(self.first)

    def find(self, classes: Array) -> None:
        """Put in `at` where in memory each row's output for its class stands; `classes (R, 1, 1, B)`.

        Measured for 16 trials x 10 classes x 16 rows: to take what stands there and to put back other values is 5
        microseconds of a step's 45 cheaper than products with columns of zeros and a one, and their sums.
        """
        np.multiply(classes, self.apart, out=self.steps)
        np.add(self.first, self.steps, out=self.at)

    def sum_rows(self, values: Array, out: Array) -> None:
        """Add up `(R, K, 1, B)` over rows into `out (R, K, 1, 1)`."""
        np.matmul(values, self.ones, out=out)


def _identity(z: Array) -> Array:
    return z


@dataclass(frozen=True)
class Loss:
    """A loss: `value(z, y, scratch)` leaves the sum over rows in `scratch.total`; `gradient(z, y, scratch)` does too,
    and turns `z` into the derivative of the mean over rows. `link` takes outputs to predictions.
    `curvature(q, y)` is the second derivative of each row's loss by its outputs, `(B, C, C)`, from predictions and
    targets `(B, C)`. `target` takes targets `(..., C)` as data have them to those that `value` and `gradient` compare
    with. `class_weight` names the weights of classes that a problem puts to it. Outputs lie as `buffers.outputs` has
    them.
    """

    name: str
    task: str
    value: Callable[[Array, Array, Scratch], None]
    gradient: Callable[[Array, Array, Scratch], None]
    link: Callable[[Array], Array]
    curvature: Callable[[Array, Array], Array]
    target: Callable[[Array], Array] = _identity
    class_weight: str = "none"


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


def _squared_value(z: Array, y: Array, s: Scratch) -> None:
    """Compute `(z - y)^2`, averaged over outputs and summed over rows."""
    np.subtract(z, y, out=s.wide)
    _squares(s.wide, s)


def _squares(difference: Array, s: Scratch) -> None:
    np.multiply(difference, difference, out=s.wide)
    _mean_outputs(s.wide, 1.0, s)


def _mean_outputs(values: Array, factor: float, s: Scratch) -> None:
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
    _mean_outputs(difference, 0.5, s)


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
    _mean_outputs(s.wide, 1.0, s)


def _absolute_gradient(z: Array, y: Array, s: Scratch) -> None:
    """Compute `sign(z - y) / (B C)`, as torch's L1Loss does: 0 where both are equal."""
    _absolute_value(z, y, s)
    np.subtract(z, y, out=z)
    np.sign(z, out=z)
    np.multiply(z, 1.0 / (z.shape[-1] * z.shape[-2]), out=z)


def _flat_curvature(q: Array, y: Array) -> Array:
    """Return zeros: the loss is made of straight pieces."""
    del y
    return np.zeros((*q.shape, q.shape[1]))


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


@cache
def huber(delta: float = 1.0) -> Loss:
    """Build the Huber loss: squared near the target, linear beyond `delta`, so that outliers weigh less."""
    value, gradient = partial(_huber_value, delta=delta), partial(_huber_gradient, delta=delta)
    return Loss("huber", "regression", value, gradient, _identity, partial(_huber_curvature, delta=delta))


@cache
def smoothed(name: str, smoothing: float) -> Loss:
    """Build a cross-entropy whose targets are mixed with the uniform distribution over the classes.

    As torch.nn.CrossEntropyLoss(label_smoothing=smoothing) has it; two classes with one output have theirs halfway to
    1/2. Source: Szegedy et al. 2016.
    """
    plain = LOSSES[name]
    if plain.task == "binary":
        return replace(plain, target=lambda y: y * (1 - smoothing) + smoothing / 2)
    value, gradient = partial(_softmax_value, smoothing=smoothing), partial(_softmax_gradient, smoothing=smoothing)
    return replace(plain, value=value, gradient=gradient)


def _output_value(z: Array, y: Array, s: Scratch) -> None:
    """Return the output itself: on an analytic surface it is the loss."""
    del y
    s.sum_rows(z[..., :1, :], out=s.total)


def _output_gradient(z: Array, y: Array, s: Scratch) -> None:
    """Compute `1 / B`."""
    _output_value(z, y, s)
    z[...] = 1.0 / z.shape[-1]


_ROWS = (
    Loss(
        "softmax_cross_entropy", "multiclass", _softmax_value, _softmax_gradient, _softmax, _softmax_curvature, _classes
    ),
    Loss("binary_cross_entropy", "binary", _binary_value, _binary_gradient, _sigmoid, _sigmoid_curvature),
    Loss("squared_error", "regression", _squared_value, _squared_gradient, _identity, _squared_curvature),
    huber(),
    Loss("absolute_error", "regression", _absolute_value, _absolute_gradient, _identity, _flat_curvature),
    Loss("output", "surface", _output_value, _output_gradient, _identity, _flat_curvature),
)
LOSSES: dict[str, Loss] = {loss.name: loss for loss in _ROWS}  # the first of a task is the one that it is judged by


def losses_for(task: str) -> tuple[str, ...]:
    """List the losses of a task: "binary", "multiclass" or "regression"."""
    return tuple(loss.name for loss in LOSSES.values() if loss.task == task)


def loss_of(task: str) -> Loss:
    """Return the loss that a task is evaluated with, whichever loss a trial trains on."""
    return LOSSES[losses_for(task)[0]]
