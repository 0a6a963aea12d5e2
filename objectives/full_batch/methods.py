"""The whole-batch methods: each begins a state and takes one iteration from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.errors import Complaint, InvalidInput, nearest
from objectives.full_batch.line_search import Place, armijo, strong_wolfe
from objectives.full_batch.objective import Objective
from objectives.full_batch.state import RUNNING, State

__all__ = ["METHODS", "Method", "advance"]

Array = NDArray[Any]
HISTORY = 10  # pairs that L-BFGS keeps, as scipy and optax do
TOLERANCE = 1e-9  # largest entry of the gradient at which a state has converged
MOST_NEWTON = 5000  # weights: a Hessian of 200 MB


@dataclass(frozen=True)
class Method:
    """A name, a sentence, `begin(objective, point)` and `step(objective, state)`."""

    name: str
    summary: str
    begin: Callable[[Objective, Array], State]
    step: Callable[[Objective, State], State]


def advance(
    objective: Objective, method: str, iterations: int, state: State | None = None, start: Array | None = None
) -> State:
    """Take `iterations` iterations from `state`, or from `start (P,)`, or from the objective's own start.

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
            state = row.step(objective, state)
    return state


def _first(objective: Objective, start: Array | None) -> Array:
    point = np.array(objective.start if start is None else start, dtype=np.float64)
    if point.shape != objective.start.shape:
        what = f"has the shape {point.shape}, but the objective wants {objective.start.shape}"
        raise InvalidInput(Complaint("start", what))
    if not np.isfinite(point).all():
        raise InvalidInput(Complaint("start", "is not finite everywhere"))
    return point


def _begin(objective: Objective, point: Array, **memory: Array) -> State:
    value, gradient = objective.slope(point)
    return _judged(objective, State(0, point, value, gradient, 1, 1, memory=memory))


def _judged(objective: Objective, state: State) -> State:
    """The state with its verdict: a flat place far out along a direction that separates the classes is no optimum."""
    if not float(np.abs(state.gradient).max()) <= TOLERANCE:  # nan is no convergence either
        return state
    separable = objective.margin is not None and objective.margin(state.point) > 0
    return replace(state, status="separable" if separable else "converged")


def _moved(objective: Objective, state: State, point: Array, made: int, memory: Mapping[str, Array]) -> State:
    """The state at `point`, one iteration on, after `made` values of a line search."""
    value, gradient = objective.slope(point)
    after = State(
        state.iteration + 1,
        point,
        value,
        gradient,
        state.functions + made + 1,
        state.gradients + 1,
        state.hessians,
        memory=memory,
    )
    return _judged(objective, after)


def _random_begin(objective: Objective, point: Array) -> State:
    return State(0, point, float(objective.values(point[None])[0]), np.full_like(point, np.nan), 1, 0)


def _random_step(objective: Objective, state: State) -> State:
    """Draw one more vector of weights, a function of the seed and the iteration; keep the better."""
    point = objective.candidate(state.iteration)
    value = float(objective.values(point[None])[0])
    state = replace(state, iteration=state.iteration + 1, functions=state.functions + 1)
    return replace(state, point=point, value=value) if value < state.value else state


def _steepest_begin(objective: Objective, point: Array) -> State:
    return _begin(objective, point, step=np.array(1.0))


def _steepest_step(objective: Objective, state: State) -> State:
    """`p -= t g`, t halved from twice the last one until the value falls by enough."""
    slope = -float(state.gradient @ state.gradient)
    t, made = armijo(
        lambda t: float(objective.values((state.point - t * state.gradient)[None])[0]),
        state.value,
        slope,
        2 * float(state.memory["step"]),
    )
    if t is None:
        return _exhausted(state, made)
    return _moved(objective, state, state.point - t * state.gradient, made, {"step": np.array(t)})


def _exhausted(state: State, made: int) -> State:
    return replace(state, iteration=state.iteration + 1, functions=state.functions + made, status="exhausted")


def _newton_begin(objective: Objective, point: Array) -> State:
    if objective.hessian is None:
        hint = "use lbfgs, or a linear model"
        raise InvalidInput(Complaint("newton", objective.no_hessian, hint))
    if len(point) > MOST_NEWTON:
        what = f"a Hessian of {len(point)} x {len(point)} is too large, {MOST_NEWTON} weights are the most"
        raise InvalidInput(Complaint("newton", what, "use lbfgs"))
    return _begin(objective, point, damping=np.array(1e-3))


def _newton_step(objective: Objective, state: State) -> State:
    """`(H + damping I) d = -g`, `p += t d`; less damping where the quadratic foretold the gain, else more."""
    if objective.hessian is None:
        raise InvalidInput(Complaint("newton", objective.no_hessian, "use lbfgs, or a linear model"))
    hessian = objective.hessian(state.point)
    direction, damping = _damped(hessian, state.gradient, float(state.memory["damping"]))
    state = replace(state, hessians=state.hessians + 1)
    if objective.margin is not None and max(objective.margin(state.point), objective.margin(direction)) > 0:
        return replace(state, iteration=state.iteration + 1, status="separable")
    slope = float(state.gradient @ direction)
    t, made = armijo(lambda t: float(objective.values((state.point + t * direction)[None])[0]), state.value, slope, 1.0)
    if t is None:
        return _exhausted(state, made)
    foretold = -(t * slope + t * t * float(direction @ hessian @ direction) / 2)
    after = _moved(objective, state, state.point + t * direction, made, state.memory)
    gain = (state.value - after.value) / foretold if foretold > 0 else 0.0
    damping = damping / 3 if gain > 0.75 else damping * 2 if gain < 0.25 else damping
    return replace(after, memory={"damping": np.array(damping)})


def _damped(hessian: Array, gradient: Array, damping: float) -> tuple[Array, float]:
    """The damped direction, with as much damping as makes the matrix positive definite."""
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


def _lbfgs_begin(objective: Objective, point: Array) -> State:
    return _begin(objective, point, s=np.empty((0, len(point))), y=np.empty((0, len(point))))


def _lbfgs_step(objective: Objective, state: State) -> State:
    """Two loops over the last pairs of steps and changes of the gradient, then a strong Wolfe search."""
    s, y = state.memory["s"], state.memory["y"]
    direction = _two_loops(s, y, state.gradient)
    slope = float(direction @ state.gradient)
    first = 1.0 if len(s) else min(1.0, 1 / float(np.abs(state.gradient).sum()))

    def place_at(t: float) -> Place:
        value, gradient = objective.slope(state.point + t * direction)
        return Place(t, value, float(gradient @ direction), gradient)

    here, made = strong_wolfe(place_at, Place(0.0, state.value, slope, state.gradient), first)
    spent = replace(
        state, iteration=state.iteration + 1, functions=state.functions + made, gradients=state.gradients + made
    )
    if here is None:
        # An old history can mislead; without one the direction is the gradient's, and then there is nothing left.
        forgotten = {"s": s[:0], "y": y[:0]}
        return replace(spent, memory=forgotten) if len(s) else replace(spent, status="exhausted")
    step, change = here.t * direction, here.gradient - state.gradient
    if float(step @ change) > np.finfo(float).eps * float(change @ change):
        s, y = np.vstack([s, step])[-HISTORY:], np.vstack([y, change])[-HISTORY:]
    point = state.point + here.t * direction
    return _judged(
        objective, replace(spent, point=point, value=here.value, gradient=here.gradient, memory={"s": s, "y": y})
    )


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


METHODS: dict[str, Method] = {
    row.name: row
    for row in (
        Method("random_weights", "the best of N random vectors of weights", _random_begin, _random_step),
        Method("steepest", "steps down the gradient, as long as they pay", _steepest_begin, _steepest_step),
        Method("newton", "Newton-Raphson, damped, with the exact Hessian", _newton_begin, _newton_step),
        Method("lbfgs", "curvature from the last ten steps", _lbfgs_begin, _lbfgs_step),
    )
}
