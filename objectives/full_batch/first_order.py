"""Methods that use the value or the slope alone, in order of increasing knowledge: from a lottery to a line search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from objectives.full_batch.finite_differences import central_differences, forward_differences
from objectives.full_batch.line_search import armijo
from objectives.full_batch.method import Array, Method, Values, begun, exhausted, judged, moved
from objectives.full_batch.objective import Objective
from objectives.full_batch.state import State

__all__ = ["FINITE_DIFFERENCES", "GRADIENT_DESCENT", "RANDOM_WEIGHTS", "STEEPEST"]


def _unsloped(objective: Objective, point: Array) -> State:
    nowhere, nothing = np.full_like(point, np.nan), np.empty((0, len(point)))
    return State(0, point, float(objective.values(point[None])[0]), nowhere, 1, 0, vectors=nothing)


def _draw(objective: Objective, state: State, values: Values) -> State:
    """Draw one more vector of weights, a function of the seed and the iteration; keep the better."""
    point = values["spread"] * objective.candidate(state.iteration)
    value = float(objective.values(point[None])[0])
    state = replace(state, iteration=state.iteration + 1, functions=state.functions + 1)
    # What is not a number is worse than anything, at the start too.
    return replace(state, point=point, value=value) if value < state.value or np.isnan(state.value) else state


def _differenced(objective: Objective, state: State, values: Values) -> State:
    """Update `p -= lr d` with `d` from central differences (2 P evaluations) or forward differences (P)."""
    if values["forward"]:
        slope, made = forward_differences(objective.values, state.point), len(state.point) + 1
    else:
        slope, made = central_differences(objective.values, state.point), 2 * len(state.point)
    point = state.point - values["lr"] * slope
    value, functions = float(objective.values(point[None])[0]), state.functions + made + 1
    after = replace(state, iteration=state.iteration + 1, point=point, value=value, gradient=slope, functions=functions)
    return judged(objective, after)


def _descend(objective: Objective, state: State, values: Values) -> State:
    """Update `p -= lr g`."""
    return moved(objective, state, state.point - values["lr"] * state.gradient)


def _search(objective: Objective, state: State, values: Values) -> State:
    """Update `p -= t g`, halving t from twice its last value until the value decreases sufficiently."""
    del values

    def value_at(t: float) -> float:
        return float(objective.values((state.point - t * state.gradient)[None])[0])

    slope = -float(state.gradient @ state.gradient)
    t, made = armijo(value_at, state.value, slope, 2 * state.numbers["step"])
    if t is None:
        return exhausted(objective, state, made)
    return moved(objective, state, state.point - t * state.gradient, made, step=t)


RANDOM_WEIGHTS = Method(_unsloped, _draw)
FINITE_DIFFERENCES = Method(_unsloped, _differenced)
GRADIENT_DESCENT = Method(begun, _descend)
STEEPEST = Method(lambda objective, point: begun(objective, point, step=1.0), _search, 0, ("step",))
