"""The losses by name, a row each."""

from __future__ import annotations

from objectives.losses.classes import BINARY, SOFTMAX
from objectives.losses.counts import POISSON
from objectives.losses.distances import ABSOLUTE, SQUARED, flat_curvature, huber, quantile
from objectives.losses.loss import Loss, identity
from objectives.losses.scratch import Scratch
from objectives.types import Array

__all__ = ["LOSSES", "loss_of", "losses_for"]


def _output_value(z: Array, y: Array, s: Scratch) -> None:
    """Return the output itself: on an analytic surface it is the loss."""
    del y
    s.sum_rows(z[..., :1, :], out=s.total)


def _output_gradient(z: Array, y: Array, s: Scratch) -> None:
    """Compute `1 / B`."""
    _output_value(z, y, s)
    z[...] = 1.0 / z.shape[-1]


_ROWS = (
    SOFTMAX,
    BINARY,
    SQUARED,
    huber(),
    ABSOLUTE,
    POISSON,
    quantile(),
    Loss("output", "surface", _output_value, _output_gradient, identity, flat_curvature),
)


LOSSES: dict[str, Loss] = {loss.name: loss for loss in _ROWS}  # the first of a task is the one that it is judged by


def losses_for(task: str) -> tuple[str, ...]:
    """List the losses of a task: "binary", "multiclass" or "regression"."""
    return tuple(loss.name for loss in LOSSES.values() if loss.task == task)


def loss_of(task: str) -> Loss:
    """Return the loss that a task is evaluated with, whichever loss a trial trains on."""
    return LOSSES[losses_for(task)[0]]
