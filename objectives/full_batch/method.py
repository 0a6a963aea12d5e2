"""A whole-batch method: how it begins and takes an iteration, and what all methods do the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from objectives.full_batch.objective import Objective
from objectives.full_batch.state import CONVERGED, EXHAUSTED, SEPARABLE, State

__all__ = ["Array", "Method", "Values", "begun", "ended", "exhausted", "judged", "moved"]

Array = NDArray[Any]
Values = Mapping[str, float]  # hyperparameters and flags (0 or 1) of one config
TOLERANCE = 1e-9  # largest entry of the gradient at which a state has converged


@dataclass(frozen=True)
class Method:
    """`begin(objective, point)` makes a state, `step(objective, state, values)` takes one iteration from it.

    `vectors` and `numbers` say what the memory of its states holds.
    """

    begin: Callable[[Objective, Array], State]
    step: Callable[[Objective, State, Values], State]
    vectors: int = 0
    numbers: tuple[str, ...] = ()


def begun(objective: Objective, point: Array, vectors: int = 0, **numbers: float) -> State:
    """Build the state at `point (P,)` with an empty memory of `vectors` vectors and the given numbers."""
    value, gradient = objective.slope(point)
    memory = np.zeros((vectors, len(point)))
    return judged(objective, State(0, point, value, gradient, 1, 1, vectors=memory, numbers=numbers))


def judged(objective: Objective, state: State) -> State:
    """Set the state's status to converged where the gradient is zero; nan is not convergence."""
    flat = float(np.abs(state.gradient).max()) <= TOLERANCE
    return ended(objective, state, CONVERGED) if flat else state


def ended(objective: Objective, state: State, status: str) -> State:
    """Set the state's final status; report separable classes, where no finite optimum exists."""
    separable = objective.recedes is not None and objective.recedes(state.point)
    return replace(state, status=SEPARABLE if separable else status)


def moved(objective: Objective, state: State, point: Array, made: int = 0, **numbers: float) -> State:
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


def exhausted(objective: Objective, state: State, made: int) -> State:
    """Build the state after a line search made `made` evaluations without finding a lower value."""
    after = replace(state, iteration=state.iteration + 1, functions=state.functions + made)
    return ended(objective, after, EXHAUSTED)
