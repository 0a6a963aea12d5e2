"""What an epoch on an analytic surface is made of: updates along its noisy gradient, and where they lead.

The point of a trial takes the place of a model's weights, and everything else is as for a network: minibatches (of
noise), update rules, decay, clipping, packs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objectives.evaluation.predictions import by_trial
from objectives.problem import Problem
from objectives.training.minibatches import Minibatches
from objectives.training.parameter_groups import Stepper, groups_of
from objectives.types import Array

__all__ = ["SurfaceEpoch"]


class SurfaceEpoch:
    """One epoch of a pack on a surface; `weights (R, K, P)` are points."""

    def __init__(
        self, problem: Problem, configs: Sequence[Mapping[str, Any]], weights: Array, slots: Array, size: int
    ) -> None:
        self.surface, self.points = problem.need_surface(), weights
        self.gradients = np.empty_like(weights)
        self.steps = problem.steps_per_epoch(size)
        self.batches = Minibatches(problem.replicates, size)
        groups = groups_of(configs, self.steps)
        self.steppers = [Stepper(g, problem.shapes, weights, self.gradients, slots) for g in groups]

    def __call__(self, epoch: int) -> Array:
        """Train one epoch; returns the mean `(R, K)` of the values that the updates started from."""
        for stepper in self.steppers:
            stepper.begin(epoch * self.steps, self.steps)
        total = np.zeros(self.points.shape[:2])
        for i, (x, _, _) in enumerate(self.batches.epoch(epoch)):
            total += by_trial(self.surface.value, self.points)
            self.gradients[...] = by_trial(self.surface.gradient, self.points)
            self.gradients += x[..., :-1].mean(axis=2)
            for stepper in self.steppers:
                stepper.step(i)
        return total / self.steps
