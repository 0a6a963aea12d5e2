"""The loss of counts: half the Poisson deviance, whose model is the exponential of the output."""

from __future__ import annotations

import numpy as np

from objectives.losses.distances import mean_outputs
from objectives.losses.loss import Loss
from objectives.losses.scratch import Scratch
from objectives.types import Array

__all__ = ["POISSON"]


def _value(z: Array, y: Array, s: Scratch) -> None:
    """Compute `exp(z) - y z + y log y - y`, averaged over outputs and summed over rows: 0 where `exp(z)` is y."""
    np.multiply(z, y, out=s.wide)
    rest = np.log(y, out=np.zeros_like(y), where=y > 0)
    np.subtract(np.multiply(rest, y, out=rest), y, out=rest)
    np.subtract(rest, s.wide, out=s.wide)
    np.add(s.wide, np.exp(z), out=s.wide)
    mean_outputs(s.wide, 1.0, s)


def _gradient(z: Array, y: Array, s: Scratch) -> None:
    """Compute `(exp(z) - y) / (B C)`, as torch's PoissonNLLLoss does."""
    _value(z, y, s)
    np.exp(z, out=z)
    np.subtract(z, y, out=z)
    np.multiply(z, 1.0 / (z.shape[-1] * z.shape[-2]), out=z)


def _curvature(q: Array, y: Array) -> Array:
    """Compute `q_c / C [c = k]`."""
    del y
    return np.asarray(q[:, :, None] * np.eye(q.shape[1]) / q.shape[1])


def _exponential(z: Array) -> Array:
    return np.asarray(np.exp(z))


POISSON = Loss("poisson", "regression", _value, _gradient, _exponential, _curvature)
