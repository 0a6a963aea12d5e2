"""A whole-batch method: how it begins and takes an iteration, and what all methods do the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from objectives.full_batch.objective import Objective
from objectives.full_batch.state import CONVERGED, EXHAUSTED, SEPARABLE, MethodState
from objectives.types import Array, Values

__all__ = ["Method", "begun", "ended", "exhausted", "judged", "moved", "search_failed"]

TOLERANCE = 1e-9  # largest entry of the gradient at which a state has converged


@dataclass(frozen=True)
class Method:
    """`begin(objective, point)` makes a state, `step(objective, state, values)` takes one iteration from it.

    `vectors` and `numbers` say what the memory of its states holds.
    """

    begin: Callable[[Objective, Array], MethodState]
    step: Callable[[Objective, MethodState, Values], MethodState]
    vectors: int = 0
    numbers: tuple[str, ...] = ()


def begun(objective: Objective, point: Array, vectors: int = 0, **numbers: float) -> MethodState:
    """Build the state at `point (P,)` with an empty memory of `vectors` vectors and the given numbers."""
    value, gradient = objective.slope(point)
    memory = np.zeros((vectors, len(point)))
    return judged(objective, MethodState(0, point, value, gradient, 1, 1, vectors=memory, numbers=numbers))


def judged(objective: Objective, state: MethodState) -> MethodState:
    """Set the state's status to converged where the gradient is zero; nan is not convergence."""
    flat = float(np.abs(state.gradient).max()) <= TOLERANCE
    return ended(objective, state, CONVERGED) if flat else state


def ended(objective: Objective, state: MethodState, status: str) -> MethodState:
    """Set the state's final status; report separable classes, where no finite optimum exists."""
    separable = objective.recedes is not None and objective.recedes(state.point)
    return replace(state, status=SEPARABLE if separable else status)


def moved(objective: Objective, state: MethodState, point: Array, made: int = 0, **numbers: float) -> MethodState:
    """Build the state at `point` one iteration later, after `made` evaluations of a line search."""
    value, gradient = objective.slope(point)
    after = replace(
        state,
        iteration=state.iteration + 1,
        point=point,
        value=value,
        gradient=gradient,
        functions=state.functions + made + 1,
        gradients=state.gradients + 1,
        numbers={**state.numbers, **numbers},
    )
    return judged(objective, after)


def exhausted(objective: Objective, state: MethodState, made: int) -> MethodState:
    """Build the state after a line search made `made` evaluations without finding a lower value."""
    return search_failed(objective, replace(state, iteration=state.iteration + 1, functions=state.functions + made))


def search_failed(objective: Objective, state: MethodState) -> MethodState:
    """Set the final status where a line search found no lower value.

    It is converged where `g g <= eps |value|`: what a step along the gradient gains is below the rounding of the value.
    """
    gain, rounding = float(state.gradient @ state.gradient), np.finfo(float).eps * abs(state.value)
    return ended(objective, state, CONVERGED if gain <= rounding < np.inf else EXHAUSTED)
