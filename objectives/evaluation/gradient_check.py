"""The check of a gradient: the hand-written backward pass against differences of the training loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput
from objectives.evaluation.training_loss import loss_and_gradient, losses
from objectives.full_batch.finite_differences import Function, central_differences, directional_derivative
from objectives.problem import Problem
from objectives.rng import Stream, stream

__all__ = ["GradientCheck", "check_gradient"]

Array = NDArray[Any]
TOLERANCE = 1e-6  # measured: right gradients of every model and loss agree to 1e-8 or better
NUDGE = 0.01
SHRINK = (1.0, 0.1, 0.01)  # of the step, where a difference disagrees: a short step may miss a relu's kink


@dataclass(frozen=True)
class GradientCheck:
    """How far an analytic gradient is from central differences, relative to its largest entry.

    `coordinates`, `analytic`, `numeric` are `(M,)`; `place` names the weight that disagrees most.
    """

    coordinates: Array
    analytic: Array
    numeric: Array
    error: float
    directional_error: float
    place: str
    weights: int

    @property
    def agrees(self) -> bool:
        """Return True where both errors are within what rounding explains; nan is not."""
        return self.error <= TOLERANCE and self.directional_error <= TOLERANCE

    def __str__(self) -> str:
        verdict = "agrees with" if self.agrees else "DISAGREES with"
        return (
            f"the gradient {verdict} central differences: {len(self.coordinates)} of {self.weights} weights to "
            f"{self.error:.1e} (worst: {self.place}), a random direction to {self.directional_error:.1e}"
        )


def check_gradient(
    problem: Problem, weights: Array | None = None, *, replicate: int = 0, most: int = 256
) -> GradientCheck:
    """Compare the gradient of the training loss with central differences, in float64.

    At `weights (P,)`, or near initial ones where none are given.
    Looks at `most` weights, drawn from the seed, and at all of them along a random direction.
    Raises InvalidInput for weights of another shape or that are not finite.
    """
    point = _point(problem, weights, replicate)
    rng = stream(problem.replicates[replicate].seed, Stream.CHECK, problem.replicates[replicate].number)
    where = np.sort(rng.permutation(len(point))[:most])
    direction = rng.normal(size=len(point))
    loss, gradient = (found[0] for found in loss_and_gradient(problem, point[None], replicate))
    scale = max(float(np.abs(gradient).max()), 1e-3 * abs(float(loss)), float(np.finfo(float).tiny))

    def function(points: Array) -> Array:
        return losses(problem, points, replicate)

    numeric, error = _nearest_differences(function, point, where, gradient[where], scale)
    along = float(gradient @ direction)
    slopes = [directional_derivative(function, point, direction, shrink) for shrink in SHRINK]
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
    return GradientCheck(
        where,
        gradient[where],
        numeric,
        float(error[worst]),
        min(abs(slope - along) for slope in slopes) / (scale * float(np.linalg.norm(direction))),
        _place(problem, int(where[worst])),
        len(point),
    )


def _point(problem: Problem, weights: Array | None, replicate: int) -> Array:
    if weights is None:
        rng = problem.replicates[replicate].weights_stream()
        first = problem.initial(problem.replicates[replicate])
        # Biases of zero behind dead units stand exactly on the kink of a relu, where there is no gradient.
        return first + NUDGE * rng.normal(size=len(first))
    point = np.asarray(weights, dtype=np.float64)
    size = sum(rows * columns for rows, columns in problem.shapes)
    if point.shape != (size,):
        raise InvalidInput(Complaint("weights", f"have the shape {point.shape}, but the model wants ({size},)"))
    if not np.isfinite(point).all():
        raise InvalidInput(Complaint("weights", "are not all finite", "a gradient is checked where there is one"))
    return point


def _nearest_differences(
    function: Function, point: Array, where: Array, analytic: Array, scale: float
) -> tuple[Array, Array]:
    """Compute central differences and their relative errors; where they disagree, keep the best of shorter steps."""
    numeric = central_differences(function, point, where)
    error = np.abs(numeric - analytic) / scale
    for shrink in SHRINK[1:]:
        again = np.flatnonzero(error > TOLERANCE)
        if len(again):
            second = central_differences(function, point, where[again], shrink)
            better = np.abs(second - analytic[again]) / scale < error[again]
            numeric[again[better]] = second[better]
            error[again[better]] = np.abs(second - analytic[again])[better] / scale
    return numeric, error


def _place(problem: Problem, coordinate: int) -> str:
    """Describe a coordinate by its layer, input and output, all counted from 1."""
    for i, (rows, columns) in enumerate(problem.shapes):
        if coordinate < rows * columns:
            row, column = divmod(coordinate, columns)
            source = "bias" if row == rows - 1 else f"input {row + 1}"
            return f"layer {i + 1}, {source}, output {column + 1}"
        coordinate -= rows * columns
    raise IndexError(coordinate)
