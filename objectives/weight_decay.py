"""Weight decay: a pull of the weights towards zero, on all of them or on all but the biases.

Coupled decay adds `lambda p` to the gradient; decoupled decay shrinks, `p <- p (1 - lr lambda)`, before the step. With
`decay = "weights"` the biases are left out, as two parameter groups of torch.optim would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput, nearest

__all__ = ["DECAYED", "Decay", "decayed_of", "stretches"]

Array = NDArray[Any]
DECAYED = ("all", "weights")


def decayed_of(config: Mapping[str, Any]) -> str:
    """Return the scope of a config's weight decay: "all", or "weights" without biases. Raises InvalidInput."""
    scope = str(config.get("decay", "all"))
    if scope not in DECAYED:
        raise InvalidInput(Complaint("decay", f"{scope!r} is not known", nearest(scope, DECAYED)))
    return scope


def stretches(scope: str, shapes: Sequence[tuple[int, int]]) -> list[slice]:
    """Return slices of a trial's weights `(P,)` that decay; the last row of each layer `(D + 1, H)` holds the
    biases.
    """
    ends = np.cumsum([rows * columns for rows, columns in shapes]).tolist()
    if scope == "all":
        return [slice(0, ends[-1])]
    return [slice(end - r * c, end - c) for end, (r, c) in zip(ends, shapes, strict=True)]


class Decay:
    """The decay of a group of trials: weights `p`, gradients `g` and scratch are `(R, K, P)`, `rates (K,)` lambda."""

    def __init__(
        self, p: Array, g: Array, scratch: Array, rates: Array, decoupled: bool, where: Sequence[slice]
    ) -> None:
        self.parts = [(p[..., part], g[..., part], scratch[..., part]) for part in where]
        self.rates, self.decoupled = rates, decoupled
        self.pull = rates.astype(p.dtype)[None, :, None]
        self.shrink: Array = np.empty(0)

    def begin(self, lr: Array) -> None:
        """Prepare for updates with learning rates `(T, K)`."""
        if self.decoupled:
            self.shrink = (1 - lr * self.rates).astype(self.pull.dtype)[:, None, :, None]

    def __call__(self, i: int) -> None:
        """Apply the weight decay of the i-th prepared update."""
        for p, g, scratch in self.parts:
            if self.decoupled:
                np.multiply(p, self.shrink[i], out=p)
            else:
                np.multiply(p, self.pull, out=scratch)
                np.add(g, scratch, out=g)
