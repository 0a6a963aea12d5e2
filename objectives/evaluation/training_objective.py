"""What whole-batch methods minimise: the training loss of a problem with L2 on the weights, or a surface; in float64.

For linear, logistic and softmax regression the Hessian is exact. With inputs x and weights in rows of the layer
`(D + 1, C)`, its blocks over classes are `X^T diag(w) X / n`, with w the curvature of each row's loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from objectives.class_weights import UNWEIGHTED, named
from objectives.errors import Complaint, InvalidInput
from objectives.evaluation.separation import margins, recedes
from objectives.evaluation.training_loss import curved, loss_and_gradient, losses
from objectives.full_batch import Objective, penalised
from objectives.optimizers import convention_of, hyperparameters
from objectives.problem import Problem
from objectives.rng import Stream, stream
from objectives.surfaces import Surface
from objectives.types import Array
from objectives.weight_decay import decayed_of

__all__ = ["TRACKED", "TrainingObjective", "decayed", "objective_of", "penalty_of", "surface_objective"]


def objective_of(problem: Problem, l2: float = 0.0, *, biases: bool = False, replicate: int = 0) -> Objective:
    """Build training loss + `l2 / 2` times the squared weights (biases on request): scikit-learn's `l2 = 1 / (C n)`.

    Raises InvalidInput for an l2 that is negative or not finite.
    """
    if not 0 <= l2 < np.inf:
        raise InvalidInput(Complaint("l2", f"must be finite and at least 0, but is {l2}"))
    plain = _loss_of(problem, replicate)
    # smoothed labels have a finite optimum, however far apart the classes
    plainly = named(problem.criterion, UNWEIGHTED) == problem.loss
    if l2 == 0 and plainly and not problem.model.hidden and problem.data.task in ("binary", "multiclass"):
        plain = replace(
            plain,
            margin=lambda direction: margins(problem, direction, replicate)[0],
            recedes=lambda point: recedes(problem, point, replicate),
        )
    return penalised(plain, l2 * decayed(problem, biases))


def _loss_of(problem: Problem, replicate: int) -> Objective:
    """Build the training loss of a replicate."""
    seeds, model = problem.replicates[replicate], problem.model
    if problem.surface:
        return surface_objective(problem.surface, seeds.seed, seeds.number)

    def slope(point: Array) -> tuple[float, Array]:
        loss, gradient = loss_and_gradient(problem, point[None], replicate)
        return float(loss[0]), gradient[0]

    def candidate(i: int) -> Array:
        rng = stream(seeds.seed, Stream.CANDIDATES, seeds.number, i)
        return model.initial(rng, problem.inputs, problem.outputs)

    curvature = problem.minimised(replicate).curvature
    reason = f"the model has hidden layers {list(model.hidden)}: its loss is not convex, its exact Hessian not there"
    return Objective(
        model.initial(seeds.weights_stream(), problem.inputs, problem.outputs),
        lambda points: losses(problem, points, replicate),
        slope,
        candidate,
        None if model.hidden else lambda point: curved(problem, point, curvature, replicate),
        reason if model.hidden else "",
    )


def surface_objective(surface: Surface, seed: int = 0, number: int = 0) -> Objective:
    """Build the objective of a surface; random points are uniform in the square that plots show, and differ by
    replicate.
    """

    def slope(point: Array) -> tuple[float, Array]:
        return float(surface.value(point)), surface.gradient(point)

    def candidate(i: int) -> Array:
        return stream(seed, Stream.CANDIDATES, number, i).uniform(surface.low, surface.high, surface.size)

    return Objective(surface.start, surface.value, slope, candidate, surface.hessian)


TRACKED = ("objective", "functions", "gradients", "hessians")


class TrainingObjective:
    """What a pack of minibatch trials lowers: the loss over all train rows + half of weight decay times the squares.

    Decay that does not go through the gradient (adamw) is no part of any objective.
    """

    def __init__(self, problem: Problem, configs: Sequence[Mapping[str, Any]]) -> None:
        self.problem = problem
        self.decay = np.stack([penalty_of(problem, config) for config in configs])

    def __call__(self, weights: Array, epoch: int) -> dict[str, Array]:
        """Compute `objective (R, K)` of `weights (R, K, P)` in float64, and the cost so far.

        The minibatches of one epoch cost one pass over all rows with its gradient.
        """
        loss = np.stack([losses(self.problem, own, r) for r, own in enumerate(weights)])
        wide = weights.astype(np.float64)
        pulled = wide * self.decay
        # One product a trial, so that a sum is split in the same way whatever the pack.
        squares = np.matmul(pulled[..., None, :], wide[..., None])
        passes = np.full(loss.shape, float(epoch))
        counts = {"functions": passes, "gradients": passes.copy(), "hessians": np.zeros(loss.shape)}
        return {"objective": loss + squares[..., 0, 0] / 2, **counts}


def penalty_of(problem: Problem, config: Mapping[str, Any]) -> Array:
    """Return the factor `(P,)` of each squared weight in the objective, where weight decay is part of it."""
    strength = hyperparameters(config).get("weight_decay", 0.0)
    pulls = not convention_of(config).decoupled
    return strength * pulls * decayed(problem, biases=decayed_of(config) == "all")


def decayed(problem: Problem, biases: bool) -> Array:
    """Return `(P,)`: 1 for weights that the L2 penalty shrinks, else 0."""
    shares = []
    for shape in problem.shapes:
        layer = np.ones(shape)
        layer[-1] = float(biases)
        shares.append(layer.ravel())
    return np.concatenate(shares)
