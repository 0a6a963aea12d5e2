"""Clipping by global norm: a gradient longer than `clip_norm` is shortened to it, all layers of a trial together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from objectives.errors import Complaint, InvalidInput
from objectives.hyperparameter import ASKED, Bounds, Hyper
from objectives.types import Array

__all__ = ["CLIP", "Clip", "clip_of", "guard_of"]

CLIP = Hyper("clip_norm", "clip_norm", 0.0, 0.1, 10.0, "log", Bounds(), ASKED, "largest norm of a gradient; 0 is off")


def clip_of(config: Mapping[str, Any]) -> float:
    """Return the gradient norm that a config clips at, 0 where it does not clip. Raises InvalidInput."""
    norm = float(config.get(CLIP.name, CLIP.default))
    if norm not in CLIP.valid:
        raise InvalidInput(Complaint(CLIP.name, f"must lie in {CLIP.valid}, but got {norm!r}"))
    return norm


def guard_of(config: Mapping[str, Any]) -> float:
    """Return the constant added to a norm before dividing by it: 1e-6 in torch, 0 in Keras and optax."""
    return 1e-6 if config.get("framework", "torch") == "torch" else 0.0


class Clip:
    """Clips gradients `(R, K, P)` in place: `g = g min(1, c / (|g| + guard))`, as torch.nn.utils.clip_grad_norm_ does.

    A norm is a product of its own for each trial, as the sums of a loss are, so that its bits do not depend on the
    pack; a sum over the last axis of all would be split otherwise for many trials than for one.
    """

    def __init__(self, gradients: Array, norms: Array, guard: float) -> None:
        self.g, self.row, self.column = gradients, gradients[..., None, :], gradients[..., None]
        self.square = np.empty((*gradients.shape[:2], 1, 1), gradients.dtype)
        self.scale = self.square[..., 0]
        self.norms = norms.astype(gradients.dtype)[None, :, None]
        self.guard = guard

    def __call__(self) -> None:
        """Clip what the gradients hold now."""
        np.matmul(self.row, self.column, out=self.square)
        np.sqrt(self.scale, out=self.scale)
        np.add(self.scale, self.guard, out=self.scale)
        np.divide(self.norms, self.scale, out=self.scale)
        np.minimum(self.scale, 1, out=self.scale)
        np.multiply(self.g, self.scale, out=self.g)
