"""`METHODS`: the whole-batch methods by name, and `advance`, which takes iterations of one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.full_batch.curvature import LBFGS, NEWTON
from objectives.full_batch.first_order import FINITE_DIFFERENCES, GRADIENT_DESCENT, RANDOM_WEIGHTS, STEEPEST
from objectives.full_batch.method import Array, Method
from objectives.full_batch.objective import Objective
from objectives.full_batch.state import RUNNING, State

__all__ = ["METHODS", "advance"]

METHODS: dict[str, Method] = {
    "random_weights": RANDOM_WEIGHTS,
    "finite_differences": FINITE_DIFFERENCES,
    "gradient_descent": GRADIENT_DESCENT,
    "steepest": STEEPEST,
    "newton": NEWTON,
    "lbfgs": LBFGS,
}
USUAL = {"spread": 1.0, "forward": 0.0, "lr": 0.1}


def advance(
    objective: Objective,
    method: str,
    iterations: int,
    state: State | None = None,
    start: Array | None = None,
    values: Mapping[str, float] | None = None,
) -> State:
    """Take `iterations` iterations from `state`, or from `start (P,)`, or from the objective's own start.

    `values` are the method's hyperparameters where they are not its usual ones.
    Raises InvalidInput for an unknown method, one that this objective does not allow, or a start that does not fit.
    """
    if method not in METHODS:
        raise InvalidInput(Complaint("method", f"{method!r} is not known", nearest(method, METHODS)))
    row = METHODS[method]
    with np.errstate(all="ignore"):
        if state is None:
            state = row.begin(objective, _first(objective, start))
        for _ in range(iterations):
            if state.status != RUNNING:
                break
            state = row.step(objective, state, {**USUAL, **(values or {})})
    return state


def _first(objective: Objective, start: Array | None) -> Array:
    point = np.array(objective.start if start is None else start, dtype=np.float64)
    if point.shape != objective.start.shape:
        what = f"has the shape {point.shape}, but the objective wants {objective.start.shape}"
        raise InvalidInput(Complaint("start", what))
    if not np.isfinite(point).all():
        raise InvalidInput(Complaint("start", "is not finite everywhere"))
    return point
