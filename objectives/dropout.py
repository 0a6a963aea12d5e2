"""Dropout: in training, hidden units are left out at random and the others scaled up; nothing is in evaluation.

Inverted, as in torch.nn.Dropout: `a <- a [u >= rate] / (1 - rate)` after every activation of a hidden layer, with u
uniform in [0, 1). The trials of a replicate share their u, whose stream is a pure function of (seed, replicate, epoch,
layer), so that a mask depends on the trial's rate and the seed alone. They are drawn a minibatch at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objectives.errors import Complaint, InvalidInput
from objectives.hyperparameter import ASKED, Bounds, Hyper
from objectives.types import Array

__all__ = ["DROPOUT", "Dropout", "dropout_of"]

Generators = Sequence[Sequence[np.random.Generator]]  # replicate by replicate, layer by layer
_LEFT_OUT = "share of the hidden units left out in training"
DROPOUT = Hyper("dropout", "dropout", 0.0, 0.05, 0.5, "linear", Bounds(0.0, 1.0), ASKED, _LEFT_OUT)


def dropout_of(config: Mapping[str, Any]) -> float:
    """Return the share of hidden units that a config drops, 0 for none. Raises InvalidInput."""
    rate = float(config.get(DROPOUT.name, DROPOUT.default))
    if rate not in DROPOUT.valid:
        raise InvalidInput(Complaint(DROPOUT.name, f"must lie in {DROPOUT.valid}, but got {rate!r}"))
    return rate


class Dropout:
    """Masks for the last trials of a pack, whose rates are given; the others are not touched.

    `active` and `delta` are the workspace's layers `(R, K, B, H + 1)`, of which the last column is left alone.
    `recalled` says that the way back looks at what the activation made, which then gets its old size again.
    """

    def __init__(self, rates: Sequence[float], active: Sequence[Array], delta: Sequence[Array], recalled: bool) -> None:
        dtype = active[0].dtype
        self.active = [a[:, -len(rates) :, :, :-1] for a in active]
        self.delta = [d[:, -len(rates) :, :, :-1] for d in delta]
        self.keep = [np.empty(a.shape, dtype) for a in self.active]
        self.uniform = [np.empty_like(keep[:, :1], np.float32) for keep in self.keep]
        self.rates = np.array(rates, np.float32)[None, :, None, None]
        self.left = (1 - np.array(rates)).astype(dtype)[None, :, None, None]
        self.scale = (1 / (1 - np.array(rates))).astype(dtype)[None, :, None, None]
        self.recalled = recalled

    def draw(self, generators: Generators) -> None:
        """Draw the masks of the next minibatch."""
        for layer, (uniform, keep) in enumerate(zip(self.uniform, self.keep, strict=True)):
            for r, own in enumerate(generators):
                own[layer].random(dtype=np.float32, out=uniform[r, 0])
            np.greater_equal(uniform, self.rates, out=keep)
            np.multiply(keep, self.scale, out=keep)

    def forward(self, layer: int) -> None:
        """Leave units out of what a layer made."""
        np.multiply(self.active[layer], self.keep[layer], out=self.active[layer])

    def backward(self, layer: int) -> None:
        """Take the derivative through the mask."""
        np.multiply(self.delta[layer], self.keep[layer], out=self.delta[layer])
        if self.recalled:
            np.multiply(self.active[layer], self.left, out=self.active[layer])
