"""What a loss is: its value, its gradient, and what turns its outputs into predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from objectives.losses.scratch import Scratch
from objectives.types import Array

__all__ = ["Loss", "identity"]


def identity(z: Array) -> Array:
    """Return outputs as they are."""
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
    target: Callable[[Array], Array] = identity
    class_weight: str = "none"
