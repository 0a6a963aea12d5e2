"""Where a whole-batch method stands: all that its next iteration needs, and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

__all__ = ["RUNNING", "State"]

Array = NDArray[Any]
RUNNING = "running"


@dataclass(frozen=True)
class State:
    """After `iteration` iterations: `point (P,)`, its value and gradient `(P,)`, evaluations so far, a method's memory.

    `status` is "running", "converged" (the gradient is below the tolerance), "exhausted" (no step lowers the value any
    more at this precision) or "separable" (the value falls for ever along a direction: there is no optimum).
    A state that is not running stays as it is.
    """

    iteration: int
    point: Array
    value: float
    gradient: Array
    functions: int
    gradients: int
    hessians: int = 0
    status: str = RUNNING
    memory: Mapping[str, Array] = field(default_factory=dict)
