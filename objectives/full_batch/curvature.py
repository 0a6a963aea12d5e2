"""Methods that use how the slope changes: Newton-Raphson with the exact Hessian, L-BFGS from its last steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from objectives.errors import Complaint, InvalidInput
from objectives.full_batch.line_search import LinePoint, armijo, strong_wolfe
from objectives.full_batch.method import Method, begun, exhausted, judged, moved, search_failed
from objectives.full_batch.objective import Objective
from objectives.full_batch.state import SEPARABLE, MethodState
from objectives.types import Array, Values

__all__ = ["LBFGS", "MOST_NEWTON", "NEWTON"]

HISTORY = 10  # pairs that L-BFGS keeps, as scipy and optax do
MOST_NEWTON = 5000  # weights: a Hessian of 200 MB


def _newton_begin(objective: Objective, point: Array) -> MethodState:
    if objective.hessian is None:
        hint = "use lbfgs, or a linear model"
        raise InvalidInput(Complaint("newton", objective.no_hessian, hint))
    if len(point) > MOST_NEWTON:
        what = f"a Hessian of {len(point)} x {len(point)} is too large, {MOST_NEWTON} weights are the most"
        raise InvalidInput(Complaint("newton", what, "use lbfgs"))
    return begun(objective, point, damping=1e-3)


def _newton_step(objective: Objective, state: MethodState, values: Values) -> MethodState:
    """Solve `(H + damping I) d = -g` and move `p += t d`; lower the damping where the quadratic predicted the
    gain, else raise it.
    """
    del values
    if objective.hessian is None:
        raise InvalidInput(Complaint("newton", objective.no_hessian, "use lbfgs, or a linear model"))
    hessian = objective.hessian(state.point)
    direction, damping = _damped(hessian, state.gradient, state.numbers["damping"])
    state = replace(state, hessians=state.hessians + 1)
    if objective.margin is not None and max(objective.margin(state.point), objective.margin(direction)) > 0:
        return replace(state, iteration=state.iteration + 1, status=SEPARABLE)
    slope = float(state.gradient @ direction)
    t, made = armijo(lambda t: float(objective.values((state.point + t * direction)[None])[0]), state.value, slope, 1.0)
    if t is None:
        return exhausted(objective, state, made)
    foretold = -(t * slope + t * t * float(direction @ hessian @ direction) / 2)
    after = moved(objective, state, state.point + t * direction, made)
    gain = (state.value - after.value) / foretold if foretold > 0 else 0.0
    damping = damping / 3 if gain > 0.75 else damping * 2 if gain < 0.25 else damping
    return replace(after, numbers={"damping": damping})


def _damped(hessian: Array, gradient: Array, damping: float) -> tuple[Array, float]:
    """Compute the damped Newton direction, raising the damping until the matrix is positive definite."""
    floor = 1e-14 * max(float(np.abs(np.diag(hessian)).max()), float(np.finfo(float).tiny))
    damping = max(damping, floor)
    if not np.isfinite(hessian).all():
        return -gradient, damping
    while True:
        matrix = hessian + damping * np.eye(len(gradient))
        try:
            np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            damping *= 4
            continue
        return -np.linalg.solve(matrix, gradient), damping


def _lbfgs_begin(objective: Objective, point: Array) -> MethodState:
    return begun(objective, point, 2 * HISTORY, pairs=0)


def _lbfgs_step(objective: Objective, state: MethodState, values: Values) -> MethodState:
    """Run the two-loop recursion over the last pairs of steps and gradient changes, then a strong Wolfe line search."""
    del values
    pairs = int(state.numbers["pairs"])
    s, y = state.vectors[:pairs], state.vectors[HISTORY : HISTORY + pairs]
    direction = _two_loops(s, y, state.gradient)
    slope = float(direction @ state.gradient)
    first = 1.0 if pairs else min(1.0, 1 / float(np.abs(state.gradient).sum()))

    def place_at(t: float) -> LinePoint:
        value, gradient = objective.slope(state.point + t * direction)
        return LinePoint(t, value, float(gradient @ direction), gradient)

    here, made = strong_wolfe(place_at, LinePoint(0.0, state.value, slope, state.gradient), first)
    spent = replace(
        state, iteration=state.iteration + 1, functions=state.functions + made, gradients=state.gradients + made
    )
    if here is None:
        # An old history can mislead; without one the direction is the gradient's, and then there is nothing left.
        return replace(spent, numbers={"pairs": 0}) if pairs else search_failed(objective, spent)
    step, change = here.t * direction, here.gradient - state.gradient
    if float(step @ change) > np.finfo(float).eps * float(change @ change):
        s, y = np.vstack([s, step])[-HISTORY:], np.vstack([y, change])[-HISTORY:]
    after = replace(spent, point=state.point + here.t * direction, value=here.value, gradient=here.gradient)
    return judged(objective, replace(after, vectors=_kept(s, y), numbers={"pairs": len(s)}))


def _kept(s: Array, y: Array) -> Array:
    """Store the pairs as vectors of the memory `(2 HISTORY, P)`, steps before gradient changes."""
    vectors = np.zeros((2 * HISTORY, s.shape[1]))
    vectors[: len(s)], vectors[HISTORY : HISTORY + len(y)] = s, y
    return vectors


def _two_loops(s: Array, y: Array, gradient: Array) -> Array:
    q, shares = -gradient, []
    for i in range(len(s) - 1, -1, -1):
        shares.append(float(s[i] @ q) / float(s[i] @ y[i]))
        q = q - shares[-1] * y[i]
    if len(s):
        q = q * (float(s[-1] @ y[-1]) / float(y[-1] @ y[-1]))
    for i in range(len(s)):
        q = q + (shares[len(s) - 1 - i] - float(y[i] @ q) / float(s[i] @ y[i])) * s[i]
    return q


NEWTON = Method(_newton_begin, _newton_step, 0, ("damping",))
LBFGS = Method(_lbfgs_begin, _lbfgs_step, 2 * HISTORY, ("pairs",))
