"""What whole-batch methods minimise: a training loss with L2 on the weights, or an analytic surface; in float64.

For linear, logistic and softmax regression the Hessian is exact. With inputs x and weights in rows of the layer
`(D + 1, C)`, its blocks over classes are `X^T diag(w) X / n`, with w the curvature of each row's loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput
from objectives.problem import Problem
from objectives.streams import Stream, stream
from objectives.surfaces import Surface
from objectives.training_loss import chunks, loss_and_gradient, losses

__all__ = ["Objective", "objective_of", "surface_objective"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Objective:
    """A function of `(P,)`: `values (K, P) -> (K,)`, `slope (P,) -> (value, (P,))`, `hessian (P,) -> (P, P)`.

    `candidate(i)` is the i-th random point. `margin (P,)` is by how much the worst row is classified right along a
    direction, None where that means nothing. Without a Hessian, `no_hessian` says why.
    """

    start: Array
    values: Callable[[Array], Array]
    slope: Callable[[Array], tuple[float, Array]]
    candidate: Callable[[int], Array]
    hessian: Callable[[Array], Array] | None = None
    no_hessian: str = ""
    margin: Callable[[Array], float] | None = None


def objective_of(problem: Problem, l2: float = 0.0, *, biases: bool = False, replicate: int = 0) -> Objective:
    """Training loss + `l2 / 2` times the squares of the weights, biases only if asked: scikit-learn's `l2 = 1 / (C n)`.

    Raises InvalidInput for an l2 that is negative or not finite.
    """
    if not 0 <= l2 < np.inf:
        raise InvalidInput(Complaint("l2", f"must be finite and at least 0, but is {l2}"))
    seeds, model = problem.replicates[replicate], problem.model
    decay = l2 * _decayed(problem, biases)

    def values(points: Array) -> Array:
        total: Array = losses(problem, points, replicate) + (points * points) @ decay / 2
        return total

    def slope(point: Array) -> tuple[float, Array]:
        loss, gradient = loss_and_gradient(problem, point[None], replicate)
        return float(loss[0] + (point[None] * point[None] @ decay)[0] / 2), gradient[0] + decay * point

    def candidate(i: int) -> Array:
        rng = stream(seeds.seed, Stream.CANDIDATES, seeds.number, i)
        return model.initial(rng, problem.inputs, problem.outputs)

    def hessian(point: Array) -> Array:
        return _hessian(problem, point, replicate) + np.diag(decay)

    start = model.initial(seeds.weights_stream(), problem.inputs, problem.outputs)
    if model.hidden:
        reason = (
            f"the model has hidden layers {list(model.hidden)}: its loss is not convex, its exact Hessian not there"
        )
        return Objective(start, values, slope, candidate, None, reason)
    endless = l2 == 0 and problem.data.task != "regression"
    return Objective(
        start,
        values,
        slope,
        candidate,
        hessian,
        margin=(lambda direction: _margin(problem, direction, replicate)) if endless else None,
    )


def surface_objective(surface: Surface, seed: int = 0) -> Objective:
    """A surface as an objective; random points are uniform in the square that shows it well."""

    def slope(point: Array) -> tuple[float, Array]:
        return float(surface.value(point)), surface.gradient(point)

    def candidate(i: int) -> Array:
        return stream(seed, Stream.CANDIDATES, 0, i).uniform(surface.low, surface.high, surface.size)

    return Objective(surface.start, surface.value, slope, candidate, surface.hessian)


def _decayed(problem: Problem, biases: bool) -> Array:
    """`(P,)`: 1 for weights that L2 shrinks, else 0."""
    shares = []
    for shape in problem.model.shapes(problem.inputs, problem.outputs):
        layer = np.ones(shape)
        layer[-1] = float(biases)
        shares.append(layer.ravel())
    return np.concatenate(shares)


def _hessian(problem: Problem, point: Array, replicate: int) -> Array:
    classes, n = problem.outputs, len(problem.data.train)
    weights = point.reshape(-1, classes)
    total = np.zeros((len(weights), classes, len(weights), classes))
    for x, y in chunks(problem, point.dtype, replicate):
        curvature = problem.criterion.curvature(problem.criterion.link((x @ weights).T).T, y)
        for c in range(classes):
            for k in range(c + 1):
                block = (x * curvature[:, c, k, None]).T @ x
                total[:, c, :, k] += block
                if k < c:
                    total[:, k, :, c] += block
    return total.reshape(len(point), len(point)) / n


def _margin(problem: Problem, direction: Array, replicate: int) -> float:
    """The least, over train rows, of the output of the right class minus the largest of the others."""
    weights = direction.reshape(-1, problem.outputs)
    least = np.inf
    for x, y in chunks(problem, direction.dtype, replicate):
        z = x @ weights
        if problem.data.task == "binary":
            margins = (2 * y - 1) * z
        else:
            margins = (z * y).sum(axis=1) - np.where(y > 0, -np.inf, z).max(axis=1)
        least = min(least, float(margins.min()))
    return least
